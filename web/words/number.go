package words

import "strconv"

// Number formats n with commas between thousands.
func Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	if len(s)-start <= 3 {
		return s
	}
	out := make([]byte, 0, len(s)+len(s)/3)
	for i := range len(s) {
		if i > start && (len(s)-i)%3 == 0 {
			out = append(out, ',')
		}
		out = append(out, s[i])
	}
	return string(out)
}

// Size formats a number of bytes with three digits and a decimal unit: "352 KB", "4.94 GB".
func Size(n int64) string {
	if n < 0 {
		return "-" + Size(-n)
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	unit, v := 0, float64(n)
	const units = "KMGTPE"
	v /= 1000
	for v >= 999.5 && unit < len(units)-1 {
		v /= 1000
		unit++
	}
	digits := 2
	switch {
	case v >= 99.95:
		digits = 0
	case v >= 9.995:
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + units[unit:unit+1] + "B"
}

// Hex formats n as 0x and at least eight digits.
func Hex(n int64) string {
	s := strconv.FormatUint(uint64(n), 16)
	for len(s) < 8 {
		s = "0" + s
	}
	return "0x" + upper(s)
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' {
			b[i] = c - 32
		}
	}
	return string(b)
}
