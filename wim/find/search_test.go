package find_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/config"
	"wimscope/wim/extract"
	"wimscope/wim/find"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/handtree"
)

func searchTree(t testing.TB) *wim.Image {
	return archivetest.ParseTree(t, handtree.Metadata(handtree.Dir("",
		handtree.Dir("Windows",
			handtree.Dir("System32", handtree.File("kernel32.dll"), handtree.File("ntdll.dll"), handtree.Dir("drivers", handtree.File("disk.sys"), handtree.File("Kernel.sys"))),
			handtree.Dir("SysWOW64", handtree.File("Kernel32.dll")),
			handtree.File("explorer.exe"),
		),
		handtree.Dir("kernel"),
		handtree.File("a.txt"),
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
			s := find.In(im, find.NewQuery(tt.query))
			for s.Step(budget, func(n wim.Node) bool { got = append(got, im.Path(n)); return len(got)%2 == 0 }) {
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

// TestSearchIsContains checks that a search without wildcards finds what strings.Contains finds in the paths.
func TestSearchIsContains(t *testing.T) {
	im := searchTree(t)
	for _, q := range []string{"/", "s/s", "2/", "/windows/s", "ws/sys", "kernel32.dll", "l/", "//", "dows/system32/drivers/disk.sys", "Windows/", "/a"} {
		var got, want []string
		for s := find.In(im, find.NewQuery(q)); s.Step(7, func(n wim.Node) bool { got = append(got, im.Path(n)); return true }); {
		}
		for n := wim.Node(1); int(n) < im.Len(); n++ {
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
	h := handtree.HashOf("shared")
	im := archivetest.ParseTree(t, handtree.Metadata(handtree.Dir("",
		&handtree.Item{Name: "a", D: format.Dentry{Hash: h}},
		handtree.File("b"),
		&handtree.Item{Name: "c", D: format.Dentry{Hash: h}, Streams: []format.StreamEntry{{Name: handtree.U16("s"), Hash: h}, {Name: handtree.U16("t"), Hash: handtree.HashOf("t")}}},
		handtree.Dir("d").With(func(e *handtree.Item) { e.Streams = []format.StreamEntry{{Name: handtree.U16("u"), Hash: h}} }),
	)))
	var got []string
	for n := wim.Node(0); int(n) < im.Len(); {
		n = find.Uses(im, h, n, 2, func(n wim.Node, kind format.StreamKind, stream string) bool {
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
	im := archivetest.OpenHand(t, wimtest.Folder("", &wimtest.HandEntry{Name: "a.dll", Data: same}, &wimtest.HandEntry{Name: "b.dll", Data: same},
		&wimtest.HandEntry{Name: "c.dll", Data: same}, &wimtest.HandEntry{Name: "d.dll", Data: []byte("other")}, wimtest.Folder("e.dll"), wimtest.TextFile("f.dll", "")))
	g := find.Groups{Keep: 2}
	s := find.In(im, find.NewQuery("*.dll"))
	for range 2 { // as in two images with the same tree
		for s.Step(100, func(n wim.Node) bool { g.Add(im, n); return true }) {
		}
		s = find.In(im, find.NewQuery("*.dll"))
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
		for _, n := range find.Glob(im, tt.glob, tt.fold) {
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
		"UTF-16LE":             handtree.U16(text),
		"UTF-16LE with a mark": handtree.U16("\ufeff" + text),
	} {
		if got := config.ParseList(b); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := config.ParseList(nil); got != nil {
		t.Errorf("empty query: %q", got)
	}
}

func TestSelection(t *testing.T) {
	im := searchTree(t)
	at := func(path string) wim.Node {
		n, ok := im.Lookup(path)
		if !ok {
			t.Fatal(path)
		}
		return n
	}
	all := "Windows Windows/System32 Windows/System32/kernel32.dll Windows/System32/ntdll.dll Windows/System32/drivers Windows/System32/drivers/disk.sys Windows/System32/drivers/Kernel.sys Windows/SysWOW64 Windows/SysWOW64/Kernel32.dll Windows/explorer.exe kernel a.txt"
	for _, tt := range []struct {
		name string
		sel  extract.Selection
		want string
	}{
		{"everything", extract.Selection{}, all},
		{"the root", extract.Selection{Roots: []wim.Node{0, at("/a.txt")}}, all},
		{"a folder as base", extract.Selection{Roots: []wim.Node{at("/Windows/System32")}, Base: at("/Windows/System32")}, "kernel32.dll ntdll.dll drivers drivers/disk.sys drivers/Kernel.sys"},
		{"a folder below its base", extract.Selection{Roots: []wim.Node{at("/Windows/System32/drivers")}, Base: at("/Windows")}, "System32/drivers System32/drivers/disk.sys System32/drivers/Kernel.sys"},
		{"a root outside of the base", extract.Selection{Roots: []wim.Node{at("/a.txt"), at("/Windows/SysWOW64")}, Base: at("/Windows/System32")}, "a.txt SysWOW64 SysWOW64/Kernel32.dll"},
		{"roots within roots and twice", extract.Selection{Roots: []wim.Node{at("/Windows/System32/drivers/disk.sys"), at("/kernel"), at("/Windows/System32/drivers"), at("/kernel"), at("/Windows/System32/drivers/Kernel.sys")}},
			"kernel Windows/System32/drivers Windows/System32/drivers/disk.sys Windows/System32/drivers/Kernel.sys"},
		{"left out", extract.Selection{Skip: []*find.PathGlob{find.NewPathGlob("/windows/system32", true), find.NewPathGlob("*.EXE", true), find.NewPathGlob("/kernel32.dll", true)}},
			"Windows Windows/SysWOW64 Windows/SysWOW64/Kernel32.dll kernel a.txt"},
		{"a root that is left out", extract.Selection{Roots: []wim.Node{at("/Windows/System32/ntdll.dll")}, Skip: []*find.PathGlob{find.NewPathGlob(`\Windows\System32`, false)}}, ""},
	} {
		tt.sel.Image = im
		var got []string
		tt.sel.Each(func(n wim.Node, path string) bool {
			if !strings.HasSuffix(im.Path(n), path) {
				t.Errorf("%s: %s is reported as %s", tt.name, im.Path(n), path)
			}
			got = append(got, path)
			return true
		})
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, s, tt.want)
		}
		count := 0
		tt.sel.Each(func(wim.Node, string) bool { count++; return count < 2 })
		if count > 2 {
			t.Errorf("%s: continues after false", tt.name)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	root := handtree.Dir("")
	for i := range 100000 {
		root.Kids = append(root.Kids, handtree.File(fmt.Sprintf("microsoft-windows-component-%06d.manifest", i)))
	}
	im := archivetest.ParseTree(b, handtree.Metadata(root))
	for _, q := range []string{"99.MAN", "*9.manifest", "/microsoft-windows-component-0999"} {
		b.Run(strings.ReplaceAll(q, "/", "_"), func(b *testing.B) {
			b.ReportAllocs()
			query := find.NewQuery(q)
			for b.Loop() {
				hits := 0
				for s := find.In(im, query); s.Step(10000, func(wim.Node) bool { hits++; return true }); {
				}
				if hits == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
}
