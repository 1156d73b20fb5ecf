package core

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"wimscope/wim/internal/upcase"
	"wimscope/wim/wimtest"
)

func TestEscapeName(t *testing.T) {
	for _, tt := range []struct {
		units []uint16
		want  string
	}{
		{utf16.Encode([]rune("plain.txt")), "plain.txt"},
		{utf16.Encode([]rune("ä 日本 😀 100%")), "ä 日本 😀 100%"},
		{[]uint16{'a', '/', 'b'}, "a␛002Fb"},
		{[]uint16{'a', '\\', 'b'}, "a␛005Cb"},
		{[]uint16{0}, "␛0000"},
		{[]uint16{'.'}, "␛002E"},
		{[]uint16{'.', '.'}, "␛002E␛002E"},
		{[]uint16{'.', '.', '.'}, "..."},
		{[]uint16{'.', 'a'}, ".a"},
		{[]uint16{0xd83d}, "␛D83D"},
		{[]uint16{0xde00, 0xd83d}, "␛DE00␛D83D"},
		{[]uint16{0xd83d, 0xd83d, 0xde00}, "␛D83D😀"},
		{[]uint16{0xfffd}, "\ufffd"},
		{[]uint16{0x241b}, "␛241B"},
		{[]uint16{0x241b, 'D', '8', '3', 'D'}, "␛241BD83D"},
	} {
		if got := EscapeName(tt.units); got != tt.want {
			t.Errorf("EscapeName(%04x) = %q, want %q", tt.units, got, tt.want)
		}
		if got, ok := UnescapeName(tt.want); !ok || !slices.Equal(got, tt.units) {
			t.Errorf("UnescapeName(%q) = %04x, %v, want %04x", tt.want, got, ok, tt.units)
		}
		if got := string(appendName([]byte("x"), encodeUTF16(tt.units))); got != "x"+tt.want {
			t.Errorf("appendName(%04x) = %q", tt.units, got)
		}
	}
	for _, s := range []string{"␛", "␛241", "␛0041", "␛d83d", "a/b", "\xff", "␛D83D␛DE00", ".", "␛002Ea"} {
		if got, ok := UnescapeName(s); ok || !slices.Equal(got, utf16.Encode([]rune(s))) {
			t.Errorf("UnescapeName(%q) = %04x, %v, want it refused and its own units", s, got, ok)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"a", "a/b", "..", "␛D800", "\x00", "日本😀"} {
		f.Add(u16(s), s)
	}
	f.Add([]byte{0, 0xd8, 0, 0xdc}, "␛DC00␛D800")
	f.Fuzz(func(t *testing.T, raw []byte, s string) {
		units := decodeUTF16(raw)
		name := EscapeName(units)
		if back, ok := UnescapeName(name); !ok || !slices.Equal(back, units) {
			t.Fatalf("%04x becomes %q becomes %04x, %v", units, name, back, ok)
		}
		if got := string(appendName(nil, raw)); got != name {
			t.Fatalf("appendName gives %q, EscapeName %q", got, name)
		}
		if len(units) > 0 && (!fs.ValidPath(name) || strings.ContainsAny(name, "/\\\x00")) {
			t.Fatalf("%04x becomes %q, which is no name", units, name)
		}
		if units, ok := UnescapeName(s); ok && EscapeName(units) != s {
			t.Fatalf("%q stands for %04x, whose name is %q", s, units, EscapeName(units))
		}
		PlanName(s, PlatformWindows)
		PlanName(name, PlatformLinux)
	})
}

// The table is that of a volume: mkntfs writes the one that Windows 7 does.
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
		if got, want := upcase.Unit(uint16(u)), binary.LittleEndian.Uint16(table[2*u:]); got != want {
			t.Errorf("upcase.Unit(%04x) = %04x, want %04x", u, got, want)
		}
	}
}

func TestCompareNames(t *testing.T) {
	for _, tt := range []struct {
		a, b  string
		exact int
		fold  int
	}{
		{"a", "a", 0, 0}, {"a", "A", 1, 0}, {"a", "B", 1, -1}, {"ab", "a", 1, 1}, {"", "x", -1, -1}, {"É", "é", -1, 0}, {"straße", "STRASSE", 1, 1}, {"_", "a", -1, 1},
	} {
		e, f := nameOrder(u16(tt.a), u16(tt.b))
		if sign(e) != tt.exact || sign(f) != tt.fold {
			t.Errorf("%q and %q: %d, ignoring case %d, want %d, %d", tt.a, tt.b, e, f, tt.exact, tt.fold)
		}
		if got := nameEqualFold(u16(tt.a), u16(tt.b)); got != (tt.fold == 0) {
			t.Errorf("nameEqualFold(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
}

func sign(n int) int { return min(1, max(-1, n)) }

// What PLATFORM's list of Chromium's rules says of names, on each platform.
func TestPlanName(t *testing.T) {
	const w, l, m, o = PlatformWindows, PlatformLinux, PlatformMac, PlatformOPFS
	for _, tt := range []struct {
		name   string
		reason string
		on     []string
	}{
		{"readme.txt", "", []string{w, l, m, o}},
		{".gitignore", "", []string{w, l, m, o}},
		{"setup.exe", "", []string{w, l, m, o}},
		{"x.cmd", "", []string{w, l, m, o}},
		{"amd64_microsoft-windows~31bf3856ad364e35~amd64~~10.0.1.cat", "", []string{w, l, m, o}},
		{"", "name-empty", []string{w, l, m, o}},
		{"..", "name-dots", []string{w, l, m, o}},
		{"a/b", "name-char", []string{w, l, m, o}},
		{`a\b`, "name-char", []string{w, l, m, o}},
		{"a␛D800", "name-unicode", []string{w, l, m, o}},
		{"a:b", "name-char", []string{w, l, m}},
		{"a:b", "", []string{o}},
		{"tab\t", "name-char", []string{w, l, m}},
		{"zwj\u200d", "name-char", []string{w, l, m}},
		{"rtl\u202ename", "name-char", []string{w, l, m}},
		{"\ufeffbom", "name-char", []string{w, l, m}},
		{"non\ufffe", "name-char", []string{w, l, m}},
		{"non\ufdd0", "name-char", []string{w, l, m}},
		{"trailing.", "name-edge", []string{w, l, m}},
		{"trailing ", "name-edge", []string{w, l, m}},
		{" leading", "name-edge", []string{w, l, m}},
		{"~lock", "name-edge", []string{w, l, m}},
		{"backup~", "name-edge", []string{w, l, m}},
		{"...", "name-edge", []string{w, l, m}},
		{"kernel32.dll", "name-extension", []string{w}},
		{"kernel32.dll", "", []string{l, m, o}},
		{"x.MANIFEST", "name-extension", []string{w}},
		{"win.ini", "name-extension", []string{w}},
		{"win.ini", "", []string{l}},
		{"app.exe.config", "", []string{w}},
		{"x.dll.local", "", []string{w}},
		{"Start.LNK", "name-extension", []string{w, l, m}},
		{"Start.lnk", "", []string{o}},
		{"x.{00021401-0000-0000-C000-000000000046}", "name-extension", []string{w, l, m}},
		{"con", "name-device", []string{w, l, m}},
		{"NUL.txt", "name-device", []string{w, l, m}},
		{"Com7.tar.gz", "name-device", []string{w, l, m}},
		{"com0", "", []string{w}},
		{"console", "", []string{w}},
		{"Desktop.ini", "name-device", []string{w, l, m}},
		{"Thumbs.db", "name-device", []string{w, l, m}},
		{"LONGNA~1.TXT", "name-special", []string{w}},
		{"LONGNA~1.TXT", "", []string{l, m, o}},
		{"LONGNAME~1.TXT", "", []string{w}},
		{strings.Repeat("x", 255), "", []string{w, l, m}},
		{strings.Repeat("x", 256), "name-long", []string{w, l, m}},
		{strings.Repeat("ä", 128), "name-long", []string{l}},
		{strings.Repeat("ä", 255), "", []string{w, m}},
	} {
		for _, p := range tt.on {
			if ok, reason := PlanName(tt.name, p); reason != tt.reason || ok != (reason == "") {
				t.Errorf("PlanName(%.40q, %s) = %v, %q, want %q", tt.name, p, ok, reason, tt.reason)
			}
		}
	}
}

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
