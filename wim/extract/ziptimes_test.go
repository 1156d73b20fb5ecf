package extract

import (
	"math/rand/v2"
	"testing"
	"time"

	"wimscope/wim/format"
)

// TestDOSTime compares dosTime with package time: every day in MS-DOS's range, the moments around the range, and random
// moments.
func TestDOSTime(t *testing.T) {
	check := func(at format.Filetime) {
		t.Helper()
		tm := at.Time()
		switch {
		case tm.Year() < 1980:
			tm = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
		case tm.Year() > 2107:
			tm = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
		}
		wantClock := uint16(tm.Hour()<<11 | tm.Minute()<<5 | tm.Second()/2)
		wantDate := uint16((tm.Year()-1980)<<9 | int(tm.Month())<<5 | tm.Day())
		if clock, date := dosTime(at); clock != wantClock || date != wantDate {
			t.Fatalf("%v: got %04x %04x, want %04x %04x", at, clock, date, wantClock, wantDate)
		}
		sec := at.Time().Unix()
		if got, ok := unixTime(at); ok != (at != 0 && sec == int64(int32(sec))) || ok && int64(got) != sec {
			t.Fatalf("%v: %d, %v", at, got, ok)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for at := time.Date(1979, 12, 30, 0, 0, 0, 0, time.UTC); at.Year() < 2109; at = at.AddDate(0, 0, 1) {
		check(format.FiletimeOf(at))
		check(format.FiletimeOf(at) - 1)
		check(format.FiletimeOf(at.Add(time.Duration(r.Int64N(int64(24 * time.Hour))))))
	}
	for range 10000 {
		check(format.Filetime(r.Uint64()))
	}
	for _, at := range []format.Filetime{0, 1, 1<<63 - 1, 1<<64 - 1, format.FiletimeOf(time.Unix(1<<31, 0)), format.FiletimeOf(time.Unix(1<<31-1, 0)), format.FiletimeOf(time.Unix(-1<<31, 0)), format.FiletimeOf(time.Unix(-1<<31-1, 0))} {
		check(at)
	}
}
