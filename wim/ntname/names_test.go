package ntname

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
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
		if got := Escape(tt.units); got != tt.want {
			t.Errorf("Escape(%04x) = %q, want %q", tt.units, got, tt.want)
		}
		if got, ok := Unescape(tt.want); !ok || !slices.Equal(got, tt.units) {
			t.Errorf("Unescape(%q) = %04x, %v, want %04x", tt.want, got, ok, tt.units)
		}
		if got := string(AppendEscaped([]byte("x"), Bytes(tt.units))); got != "x"+tt.want {
			t.Errorf("AppendEscaped(%04x) = %q", tt.units, got)
		}
	}
	for _, s := range []string{"␛", "␛241", "␛0041", "␛d83d", "a/b", "\xff", "␛D83D␛DE00", ".", "␛002Ea"} {
		if got, ok := Unescape(s); ok || !slices.Equal(got, utf16.Encode([]rune(s))) {
			t.Errorf("Unescape(%q) = %04x, %v, want it refused and its own units", s, got, ok)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"a", "a/b", "..", "␛D800", "\x00", "日本😀"} {
		f.Add(u16(s), s)
	}
	f.Add([]byte{0, 0xd8, 0, 0xdc}, "␛DC00␛D800")
	f.Fuzz(func(t *testing.T, raw []byte, s string) {
		units := Units(raw)
		name := Escape(units)
		if back, ok := Unescape(name); !ok || !slices.Equal(back, units) {
			t.Fatalf("%04x becomes %q becomes %04x, %v", units, name, back, ok)
		}
		if got := string(AppendEscaped(nil, raw)); got != name {
			t.Fatalf("AppendEscaped gives %q, Escape %q", got, name)
		}
		if len(units) > 0 && (!fs.ValidPath(name) || strings.ContainsAny(name, "/\\\x00")) {
			t.Fatalf("%04x becomes %q, which is no name", units, name)
		}
		if units, ok := Unescape(s); ok && Escape(units) != s {
			t.Fatalf("%q stands for %04x, whose name is %q", s, units, Escape(units))
		}
		ValidInBrowser(s, PlatformWindows)
		ValidInBrowser(name, PlatformLinux)
	})
}

func TestCompareNames(t *testing.T) {
	for _, tt := range []struct {
		a, b  string
		exact int
		fold  int
	}{
		{"a", "a", 0, 0}, {"a", "A", 1, 0}, {"a", "B", 1, -1}, {"ab", "a", 1, 1}, {"", "x", -1, -1}, {"É", "é", -1, 0}, {"straße", "STRASSE", 1, 1}, {"_", "a", -1, 1},
	} {
		e, f := Compare(u16(tt.a), u16(tt.b))
		if sign(e) != tt.exact || sign(f) != tt.fold {
			t.Errorf("%q and %q: %d, ignoring case %d, want %d, %d", tt.a, tt.b, e, f, tt.exact, tt.fold)
		}
		if got := EqualFold(u16(tt.a), u16(tt.b)); got != (tt.fold == 0) {
			t.Errorf("EqualFold(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
}

func sign(n int) int { return min(1, max(-1, n)) }

// TestPlanName checks ValidInBrowser against the list of Chromium's rules in PLATFORM, on each platform.
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
			if ok, reason := ValidInBrowser(tt.name, p); reason != tt.reason || ok != (reason == "") {
				t.Errorf("ValidInBrowser(%.40q, %s) = %v, %q, want %q", tt.name, p, ok, reason, tt.reason)
			}
		}
	}
}

// u16 encodes text in the stored form.
func u16(s string) []byte { return Bytes(utf16.Encode([]rune(s))) }
