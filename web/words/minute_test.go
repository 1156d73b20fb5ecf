package words

import "testing"

func TestMinute(t *testing.T) {
	for ft, want := range map[int64]string{0: "", -5: "", 134_015_598_684_219_371: "2025-09-05 15:31", 1: "1601-01-01 00:00", 1<<63 - 1: "30828-09-14 02:48"} {
		if got := Minute(ft); got != want {
			t.Errorf("Minute(%d) = %q, want %q", ft, got, want)
		}
	}
}
