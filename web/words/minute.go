package words

import (
	"strconv"
	"time"
)

// Minute writes a time in 100-ns units since 1601 as "2025-09-05 12:11", UTC; "" for 0, which means that there is none.
func Minute(filetime int64) string {
	if filetime <= 0 {
		return ""
	}
	// 11644473600 s lie between 1601 and 1970. Seconds fit an int64 whatever the file time is.
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
