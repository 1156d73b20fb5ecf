package draft

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/config"
	"wimscope/wim/wimtest"
)

// TestConfigAgainstWimlib checks that random configurations exclude the same paths of a folder as in wimlib.
func TestConfigAgainstWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	names := []string{"a", "b", "ab", "A", "a.tmp", "x y", "[a]", "日本語"}
	var grow func(at string, levels int)
	grow = func(at string, levels int) {
		for i, n := range names {
			p := filepath.Join(dir, "tree", at, n)
			if levels > 0 && i < 4 {
				if err := os.MkdirAll(p, 0o755); err != nil {
					t.Fatal(err)
				}
				grow(filepath.Join(at, n), levels-1)
			} else if err := os.WriteFile(p, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	grow("", 2)
	left := map[int]bool{}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 12))
		step := func() string {
			if r.IntN(3) > 0 {
				return names[r.IntN(len(names))]
			}
			return []string{"*", "a*", "*b", "?", "??", "*.*", "*.tmp", "a?*", "**", "x ?"}[r.IntN(10)]
		}
		var b strings.Builder
		for _, section := range []string{"[ExclusionList]", "[ExclusionException]", "[ExclusionList]"} {
			b.WriteString(section + "\n")
			for range 1 + r.IntN(3) {
				p := step()
				if r.IntN(3) > 0 {
					for range r.IntN(3) {
						p += []string{"/", "\\", "//", "\\/"}[r.IntN(4)] + step()
					}
					p = []string{"/", "\\", `C:\`}[r.IntN(3)] + p + []string{"", "", "", "/"}[r.IntN(4)]
				}
				p = []string{"", "  ", "\t"}[r.IntN(3)] + []string{p, p, `"` + p + `"`, "'" + p + "'"}[r.IntN(4)]
				if q := strings.TrimSpace(p); q[0] == '[' && q[len(q)-1] == ']' {
					p = "; no section\n#" + p
				}
				b.WriteString(p + []string{"\n", "\r\n", " \n\n"}[r.IntN(3)])
			}
		}
		text := b.String()
		c, err := config.ParseCapture([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c.Exact = true
		d, report, err := Scan(nil, NewNativeFS(filepath.Join(dir, "tree")), ".", &ScanOptions{Config: c})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range d.Len() {
			got = append(got, strings.ReplaceAll(d.Path(Node(i)), "␛005C", "\\"))
		}
		slices.Sort(got)
		if err := os.WriteFile(filepath.Join(dir, "c.ini"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", "tree", "c.wim", "--compress=none", "--config=c.ini")
		want := strings.Split(strings.TrimSpace(string(wimtest.MustRun(t, dir, wimtest.Wimlib, "dir", "c.wim"))), "\n")
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %q\nwant %q", text, got, want)
		}
		left[report.Excluded] = true
	}
	if len(left) < 10 {
		t.Errorf("only %d different numbers of paths were excluded", len(left))
	}
}
