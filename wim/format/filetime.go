package format

import (
	"fmt"
	"time"
)

// Filetime is a time as NTFS and WIM store it: 100-nanosecond units since 1601-01-01 00:00 UTC. Zero means "unknown". It is
// unsigned: values from 2^63 on are after the year 30828.
type Filetime uint64

const (
	FiletimePerSecond = 10_000_000
	// Seconds from 1601-01-01 to 1970-01-01: 369 years, 89 of them leap years.
	FiletimeUnixSeconds = 11_644_473_600
)

// Time returns the time in UTC, exact over the whole range. Zero is 1601-01-01, not the zero time.
func (t Filetime) Time() time.Time {
	sec := int64(uint64(t)/FiletimePerSecond) - FiletimeUnixSeconds
	nsec := int64(uint64(t)%FiletimePerSecond) * 100
	return time.Unix(sec, nsec).UTC()
}

// String returns the time with seven decimals: "2006-01-02 15:04:05.0000000 UTC".
func (t Filetime) String() string {
	tm := t.Time()
	return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d.%07d UTC", tm.Year(), tm.Month(), tm.Day(),
		tm.Hour(), tm.Minute(), tm.Second(), tm.Nanosecond()/100)
}

// FiletimeOf returns the Filetime of t, truncated to whole units. It returns zero for times before 1601, and the last
// Filetime (in the year 60056) for times after it.
func FiletimeOf(t time.Time) Filetime {
	sec := t.Unix()
	if sec < -FiletimeUnixSeconds {
		return 0
	}
	s := uint64(sec) + FiletimeUnixSeconds // two's complement makes the sum correct
	frac := uint64(t.Nanosecond() / 100)
	const last = ^uint64(0)
	if s > last/FiletimePerSecond || s == last/FiletimePerSecond && frac > last%FiletimePerSecond {
		return Filetime(last)
	}
	return Filetime(s*FiletimePerSecond + frac)
}
