package words

import (
	"strconv"
	"time"
)

// Minute returns a time in 100-ns units since 1601 as "2025-09-05 12:11", in UTC. It returns "" for 0, which stands for no
// time, and below.
func Minute(filetime int64) string {
	if filetime <= 0 {
		return ""
	}
	// From 1601 to 1970 are 11644473600 s. The seconds of any file time fit an int64.
	t := time.Unix(filetime/10_000_000-11_644_473_600, 0).UTC()
	y, m, d := t.Date()
	b := make([]byte, 0, 16)
	b = strconv.AppendInt(b, int64(y), 10)
	b = append(b, '-')
	b = two(b, int(m))
	b = append(b, '-')
	b = two(b, d)
	b = append(b, ' ')
	b = two(b, t.Hour())
	b = append(b, ':')
	b = two(b, t.Minute())
	return string(b)
}

func two(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
