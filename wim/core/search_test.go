package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/config"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

func searchTree(t testing.TB) *Image {
	return parseTree(t, metadata(dir("",
		dir("Windows",
			dir("System32", file("kernel32.dll"), file("ntdll.dll"), dir("drivers", file("disk.sys"), file("Kernel.sys"))),
			dir("SysWOW64", file("Kernel32.dll")),
			file("explorer.exe"),
		),
		dir("kernel"),
		file("a.txt"),
	)))
}

func TestSearch(t *testing.T) {
	im := searchTree(t)
	for _, tt := range []struct{ query, want string }{
		{"KERNEL", "/kernel /Windows/SysWOW64/Kernel32.dll /Windows/System32/drivers/Kernel.sys /Windows/System32/kernel32.dll"},
		{"*.dll", "/Windows/SysWOW64/Kernel32.dll /Windows/System32/kernel32.dll /Windows/System32/ntdll.dll"},
		{"nothing", ""},
		{"system32/", "/Windows/System32/drivers /Windows/System32/drivers/Kernel.sys /Windows/System32/drivers/disk.sys /Windows/System32/kernel32.dll /Windows/System32/ntdll.dll"},
		{`32\d`, "/Windows/System32/drivers /Windows/System32/drivers/Kernel.sys /Windows/System32/drivers/disk.sys"},
		{"/kernel", "/Windows/SysWOW64/Kernel32.dll /Windows/System32/drivers/Kernel.sys /Windows/System32/kernel32.dll /kernel"},
		{"system32/drivers/k", "/Windows/System32/drivers/Kernel.sys"},
		{"m32/driv", "/Windows/System32/drivers /Windows/System32/drivers/Kernel.sys /Windows/System32/drivers/disk.sys"},
		{"s/s*", "/Windows/System32 /Windows/SysWOW64"},
		{"*/*.sys", "/Windows/System32/drivers/Kernel.sys /Windows/System32/drivers/disk.sys"},
		{"/*", "/Windows /a.txt /kernel"},
		{"/windows/*/k*", "/Windows/SysWOW64/Kernel32.dll /Windows/System32/kernel32.dll"},
		{"drivers/*", "/Windows/System32/drivers/Kernel.sys /Windows/System32/drivers/disk.sys"},
	} {
		if tt.query == "s/s*" {
			tt.want = "" // a step with wildcards must match whole
		}
		for _, budget := range []int{1, 3, 1000} {
			var got []string
			s := SearchIn(im, NewQuery(tt.query))
			for s.Step(budget, func(n Node) bool { got = append(got, im.Path(n)); return len(got)%2 == 0 }) {
			}
			slices.Sort(got)
			want := strings.Fields(tt.want)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%q in steps of %d: %q, want %q", tt.query, budget, got, want)
			}
		}
	}
}

// A search without wildcards finds what strings.Contains finds in the paths.
func TestSearchIsContains(t *testing.T) {
	im := searchTree(t)
	for _, q := range []string{"/", "s/s", "2/", "/windows/s", "ws/sys", "kernel32.dll", "l/", "//", "dows/system32/drivers/disk.sys", "Windows/", "/a"} {
		var got, want []string
		for s := SearchIn(im, NewQuery(q)); s.Step(7, func(n Node) bool { got = append(got, im.Path(n)); return true }); {
		}
		for n := Node(1); int(n) < im.Len(); n++ {
			text := im.Path(n)
			if !strings.Contains(q, "/") {
				text = im.Name(n)
			}
			if strings.Contains(strings.ToLower(text), strings.ToLower(q)) {
				want = append(want, im.Path(n))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", q, got, want)
		}
	}
}

func TestUses(t *testing.T) {
	h := hashOf("shared")
	im := parseTree(t, metadata(dir("",
		&entry{name: "a", d: format.Dentry{Hash: h}},
		file("b"),
		&entry{name: "c", d: format.Dentry{Hash: h}, streams: []format.StreamEntry{{Name: u16("s"), Hash: h}, {Name: u16("t"), Hash: hashOf("t")}}},
		dir("d").with(func(e *entry) { e.streams = []format.StreamEntry{{Name: u16("u"), Hash: h}} }),
	)))
	var got []string
	for n := Node(0); int(n) < im.Len(); {
		n = Uses(im, h, n, 2, func(n Node, kind format.StreamKind, stream string) bool {
			got = append(got, im.Path(n)+":"+stream)
			return true
		})
	}
	if want := []string{"/a:", "/c:", "/c:s", "/d:u"}; !slices.Equal(got, want) {
		t.Errorf("uses are %q, want %q", got, want)
	}
}

func TestGroups(t *testing.T) {
	same := []byte("same content")
	im := openHand(t, wimtest.Folder("", &wimtest.HandEntry{Name: "a.dll", Data: same}, &wimtest.HandEntry{Name: "b.dll", Data: same},
		&wimtest.HandEntry{Name: "c.dll", Data: same}, &wimtest.HandEntry{Name: "d.dll", Data: []byte("other")}, wimtest.Folder("e.dll"), wimtest.TextFile("f.dll", "")))
	g := Groups{Keep: 2}
	s := SearchIn(im, NewQuery("*.dll"))
	for range 2 { // as in two images with the same tree
		for s.Step(100, func(n Node) bool { g.Add(im, n); return true }) {
		}
		s = SearchIn(im, NewQuery("*.dll"))
	}
	var got []string
	for _, group := range g.List {
		got = append(got, fmt.Sprintf("%s %d %d+%d %v", group.Name, group.Size, len(group.Hits), group.More, group.Dir))
	}
	if want := []string{"a.dll 12 2+4 false", "d.dll 5 2+0 false", "e.dll 0 2+0 true", "f.dll 0 2+0 false"}; !slices.Equal(got, want) {
		t.Errorf("groups are %q, want %q", got, want)
	}
}

func TestGlobPaths(t *testing.T) {
	im := searchTree(t)
	for _, tt := range []struct {
		glob string
		fold bool
		want string
	}{
		{"/Windows/System32/*.dll", false, "/Windows/System32/kernel32.dll /Windows/System32/ntdll.dll"},
		{`\windows\*\k*.dll`, true, "/Windows/System32/kernel32.dll /Windows/SysWOW64/Kernel32.dll"},
		{"windows", false, ""},
		{"Windows/", false, "/Windows"},
		{"*", false, "/Windows /kernel /a.txt"},
		{"/", false, "/"},
		{"", false, "/"},
		{"/a.txt/x", false, ""},
	} {
		var got []string
		for _, n := range Glob(im, tt.glob, tt.fold) {
			got = append(got, im.Path(n))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%q: %q, want %q", tt.glob, s, tt.want)
		}
	}
}

func TestParseListFile(t *testing.T) {
	const text = "; comment\r\n# another\r\n\r\n  /Users \r\n\\Program Files\\A*\r\n\t/Wörter\t\n \"in quotes \" \n'/x'\n\"\nlast"
	want := []string{"/Users", `\Program Files\A*`, "/Wörter", "in quotes ", "/x", `"`, "last"}
	for name, b := range map[string][]byte{
		"UTF-8":                []byte(text),
		"UTF-8 with a mark":    []byte("\ufeff" + text),
		"UTF-16LE":             u16(text),
		"UTF-16LE with a mark": u16("\ufeff" + text),
	} {
		if got := config.ParseList(b); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := config.ParseList(nil); got != nil {
		t.Errorf("of nothing: %q", got)
	}
}

func TestSelection(t *testing.T) {
	im := searchTree(t)
	at := func(path string) Node {
		n, ok := im.Lookup(path)
		if !ok {
			t.Fatal(path)
		}
		return n
	}
	all := "Windows Windows/System32 Windows/System32/kernel32.dll Windows/System32/ntdll.dll Windows/System32/drivers Windows/System32/drivers/disk.sys Windows/System32/drivers/Kernel.sys Windows/SysWOW64 Windows/SysWOW64/Kernel32.dll Windows/explorer.exe kernel a.txt"
	for _, tt := range []struct {
		name string
		sel  Selection
		want string
	}{
		{"everything", Selection{}, all},
		{"the root", Selection{Roots: []Node{0, at("/a.txt")}}, all},
		{"a folder as base", Selection{Roots: []Node{at("/Windows/System32")}, Base: at("/Windows/System32")}, "kernel32.dll ntdll.dll drivers drivers/disk.sys drivers/Kernel.sys"},
		{"a folder below its base", Selection{Roots: []Node{at("/Windows/System32/drivers")}, Base: at("/Windows")}, "System32/drivers System32/drivers/disk.sys System32/drivers/Kernel.sys"},
		{"a root outside of the base", Selection{Roots: []Node{at("/a.txt"), at("/Windows/SysWOW64")}, Base: at("/Windows/System32")}, "a.txt SysWOW64 SysWOW64/Kernel32.dll"},
		{"roots within roots and twice", Selection{Roots: []Node{at("/Windows/System32/drivers/disk.sys"), at("/kernel"), at("/Windows/System32/drivers"), at("/kernel"), at("/Windows/System32/drivers/Kernel.sys")}},
			"kernel Windows/System32/drivers Windows/System32/drivers/disk.sys Windows/System32/drivers/Kernel.sys"},
		{"left out", Selection{Skip: []*PathGlob{NewPathGlob("/windows/system32", true), NewPathGlob("*.EXE", true), NewPathGlob("/kernel32.dll", true)}},
			"Windows Windows/SysWOW64 Windows/SysWOW64/Kernel32.dll kernel a.txt"},
		{"a root that is left out", Selection{Roots: []Node{at("/Windows/System32/ntdll.dll")}, Skip: []*PathGlob{NewPathGlob(`\Windows\System32`, false)}}, ""},
	} {
		tt.sel.Image = im
		var got []string
		tt.sel.Each(func(n Node, path string) bool {
			if !strings.HasSuffix(im.Path(n), path) {
				t.Errorf("%s: %s is told as %s", tt.name, im.Path(n), path)
			}
			got = append(got, path)
			return true
		})
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, s, tt.want)
		}
		count := 0
		tt.sel.Each(func(Node, string) bool { count++; return count < 2 })
		if count > 2 {
			t.Errorf("%s: it goes on after false", tt.name)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	root := dir("")
	for i := range 100000 {
		root.kids = append(root.kids, file(fmt.Sprintf("microsoft-windows-component-%06d.manifest", i)))
	}
	im := parseTree(b, metadata(root))
	for _, q := range []string{"99.MAN", "*9.manifest", "/microsoft-windows-component-0999"} {
		b.Run(strings.ReplaceAll(q, "/", "_"), func(b *testing.B) {
			b.ReportAllocs()
			query := NewQuery(q)
			for b.Loop() {
				hits := 0
				for s := SearchIn(im, query); s.Step(10000, func(Node) bool { hits++; return true }); {
				}
				if hits == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
}
