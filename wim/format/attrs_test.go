package format

import (
	"fmt"
	"testing"
	"time"
)

func TestFiletime(t *testing.T) {
	for _, tt := range []struct {
		ft   Filetime
		want string
	}{
		{0, "1601-01-01 00:00:00.0000000 UTC"},
		{1, "1601-01-01 00:00:00.0000001 UTC"},
		{116444736000000000, "1970-01-01 00:00:00.0000000 UTC"},
		{133594672891234567, "2024-05-06 11:08:09.1234567 UTC"},
		{1<<63 - 1, "30828-09-14 02:48:05.4775807 UTC"},
		{1 << 63, "30828-09-14 02:48:05.4775808 UTC"},
		{1<<64 - 1, "60056-05-28 05:36:10.9551615 UTC"},
	} {
		if got := tt.ft.String(); got != tt.want {
			t.Errorf("Filetime(%d) is %s, want %s", uint64(tt.ft), got, tt.want)
		}
		if got := FiletimeOf(tt.ft.Time()); got != tt.ft {
			t.Errorf("Filetime(%d) comes back as %d", uint64(tt.ft), uint64(got))
		}
	}
	if got := FiletimeOf(time.Date(1600, 12, 31, 23, 59, 59, 0, time.UTC)); got != 0 {
		t.Errorf("before 1601: %d", got)
	}
	if got := FiletimeOf(time.Date(70000, 1, 1, 0, 0, 0, 0, time.UTC)); got != 1<<64-1 {
		t.Errorf("after the last: %d", got)
	}
}

func TestAttrNames(t *testing.T) {
	if got := fmt.Sprint(AttrNames(0x23 | 1<<31)); got != "[read-only hidden archive 0x80000000]" {
		t.Errorf("names are %s", got)
	}
	if got := AttrLetters(AttrDirectory | AttrHidden | AttrSystem | AttrReparsePoint); got != "DLHS" {
		t.Errorf("letters are %s", got)
	}
}
