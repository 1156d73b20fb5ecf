package words

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wimscope/worker/protocol"
)

func TestT(t *testing.T) {
	c := &Catalogue{messages: map[string]string{
		"plain": "Open", "places": "{0} of {1}", "plural": "{0} {0|file|files}", "swap": "{1}-{0}", "odd": "{x} {9} {", "word": "a {0|b|c}",
	}}
	for _, x := range []struct {
		key  string
		args []any
		want string
	}{
		{"plain", nil, "Open"},
		{"places", []any{"a", 12345}, "a of 12,345"},
		{"plural", []any{1}, "1 file"},
		{"plural", []any{int64(0)}, "0 files"},
		{"plural", []any{int32(1_000_000)}, "1,000,000 files"},
		{"swap", []any{"a", "b"}, "b-a"},
		{"odd", []any{"a"}, "{x} {9} {"},
		{"word", []any{"many"}, "a c"},
		{"not there", nil, "not there"},
	} {
		if got := c.T(x.key, x.args...); got != x.want {
			t.Errorf("T(%q, %v) = %q, want %q", x.key, x.args, got, x.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 1 << 62: "4,611,686,018,427,387,904"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.00 KB", 9_995: "10.0 KB", 352_000: "352 KB", 999_499: "999 KB", 999_500: "1.00 MB",
		34_000_000: "34.0 MB", 4_942_118_733: "4.94 GB", 1 << 62: "4.61 EB", -2000: "-2.00 KB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0x00000000", 0x4A61F3B2: "0x4A61F3B2", 0x123456789: "0x123456789"} {
		if got := Hex(n); got != want {
			t.Errorf("Hex(%d) = %q, want %q", n, got, want)
		}
	}
}

// sources returns the files that show text.
func sources(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"../ui/*.vugu", "../ui/*.go", "../state/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(names))
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_gen.go") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(b)
		}
	}
	return texts
}

// TestKeys checks that every key that is asked for exists, and every key in the catalogue is asked for. Keys composed
// at run time are recognised by their beginnings.
func TestKeys(t *testing.T) {
	english := English()
	families := []string{"error.", "reason.", "guess.", "month.", "kind.", "tab.", "mode.", "pane.", "integrity.", "damage.", "caps.", "archive.integrity-", "loss."}
	quoted := regexp.MustCompile(`"([a-z][a-z-]*\.[a-z0-9][a-z0-9.-]*|yes)"`)
	called := regexp.MustCompile(`\b(?:T|announce)\("([^"]+)"[,)]`)
	used := map[string]bool{}
	for name, text := range sources(t) {
		for _, m := range called.FindAllStringSubmatch(text, -1) {
			if !english.Has(m[1]) {
				t.Errorf("%s asks for %q, which the catalogue lacks", name, m[1])
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
	}
	for _, key := range english.Keys() {
		known := used[key]
		for _, f := range families {
			known = known || strings.HasPrefix(key, f)
		}
		if !known {
			t.Errorf("unused key %q", key)
		}
	}
}

// TestFileKinds checks that there is a text for every kind of file, and none for unknown kinds.
func TestFileKinds(t *testing.T) {
	english := English()
	known := map[string]bool{"guess.unknown": true}
	for _, k := range protocol.FileKinds() {
		known["guess."+string(k)] = true
		if !english.Has("guess." + string(k)) {
			t.Errorf("no text for %q", k)
		}
	}
	for _, key := range english.Keys() {
		if strings.HasPrefix(key, "guess.") && !known[key] {
			t.Errorf("unused key %q", key)
		}
	}
}

// TestNoWordsInTemplates checks that all text on the page comes from the catalogue.
func TestNoWordsInTemplates(t *testing.T) {
	// A tag with its quoted attributes; the rest of a template is text.
	tag := regexp.MustCompile(`<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>`)
	literal := regexp.MustCompile(`\s(?:aria-label|title|placeholder|alt)="([^"]*)"`)
	for name, text := range sources(t) {
		if !strings.HasSuffix(name, ".vugu") {
			continue
		}
		if rest := strings.TrimSpace(tag.ReplaceAllString(text, "")); rest != "" {
			t.Errorf("%s has text of its own: %q", name, rest)
		}
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			t.Errorf("%s has words of its own: %q", name, m[1])
		}
	}
}
