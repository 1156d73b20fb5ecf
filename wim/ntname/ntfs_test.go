package ntname_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"wimscope/wim/ntname"
	"wimscope/wim/wimtest"
)

// TestUpcaseIsNTFS compares the table with that of a volume: mkntfs writes the one of Windows 7.
func TestUpcaseIsNTFS(t *testing.T) {
	wimtest.Need(t, wimtest.MkNTFS, "ntfscat")
	volume := filepath.Join(t.TempDir(), "volume")
	if err := os.WriteFile(volume, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(volume, 4<<20); err != nil {
		t.Fatal(err)
	}
	wimtest.MustRun(t, ".", wimtest.MkNTFS, "-F", "-Q", "-q", "-s", "512", "-p", "0", "-H", "255", "-S", "63", volume)
	table := wimtest.MustRun(t, ".", "ntfscat", "-f", volume, "$UpCase")
	if len(table) != 1<<17 {
		t.Fatalf("$UpCase has %d bytes", len(table))
	}
	for u := range 1 << 16 {
		if got, want := ntname.Upper(uint16(u)), binary.LittleEndian.Uint16(table[2*u:]); got != want {
			t.Errorf("Upper(%04x) = %04x, want %04x", u, got, want)
		}
	}
}
