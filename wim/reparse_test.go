package wim_test

import (
	"fmt"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/handtree"
)

func TestLinks(t *testing.T) {
	wsl := func(name, target string) *wimtest.HandEntry {
		return &wimtest.HandEntry{Name: name, Attrs: format.AttrReparsePoint, Tag: format.TagLxSymlink, Data: append([]byte{2, 0, 0, 0}, target...)}
	}
	im := archivetest.OpenHand(t, wimtest.Folder("",
		wimtest.Folder("Users", wimtest.Folder("Public", wimtest.TextFile("file.txt", "x")), wimtest.SymlinkEntry("All Users", `\??\C:\ProgramData`, false), wimtest.JunctionEntry("Default User", `\??\C:\Users\Public`)),
		wimtest.Folder("ProgramData", wimtest.JunctionEntry("Application Data", `\??\C:\ProgramData`)),
		wimtest.JunctionEntry("Documents and Settings", `\??\C:\Users`),
		wimtest.SymlinkEntry("up", `..\..\..\Users\.\Public\file.txt`, true),
		wimtest.SymlinkEntry("rooted", `\Users\public`, true),
		wimtest.SymlinkEntry("slashes", `Users/Public/file.txt`, true),
		wimtest.SymlinkEntry("other drive", `\??\D:\Users`, false),
		wimtest.SymlinkEntry("drive root", `\??\C:\`, false),
		wimtest.SymlinkEntry("bare drive", `C:`, false),
		wimtest.JunctionEntry("volume", `\??\Volume{01234567-89ab-cdef-0123-456789abcdef}\`),
		wimtest.SymlinkEntry("unc", `\??\UNC\server\share`, false),
		wimtest.SymlinkEntry("through junctions", `Documents and Settings\Default User\file.txt`, true),
		wimtest.SymlinkEntry("through a file", `up\x`, true),
		wimtest.SymlinkEntry("loop a", `loop b`, true),
		wimtest.SymlinkEntry("loop b", `loop a`, true),
		wimtest.SymlinkEntry("loop below", `loop below\x`, true),
		wimtest.SymlinkEntry("missing", `nowhere\at all`, true),
		wimtest.SymlinkEntry("chain", `rooted`, true),
		wsl("wsl", "Users/Public"),
		wsl("wsl absolute", "/mnt/c/Users"),
		&wimtest.HandEntry{Name: "alias.exe", Attrs: format.AttrReparsePoint, Tag: format.TagAppExecLink, Data: append([]byte{3, 0, 0, 0}, handtree.U16("Package_id\x00Package!App\x00C:\\Program Files\\app.exe\x000\x00")...)},
		&wimtest.HandEntry{Name: "wof", Attrs: format.AttrReparsePoint, Tag: format.TagWOF, Data: []byte{1}},
	))
	for _, tt := range []struct{ path, kind, target, node, resolved string }{
		{"/Users/All Users", "symlink", `C:\ProgramData`, "/ProgramData", "/ProgramData"},
		{"/Users/Default User", "junction", `C:\Users\Public`, "/Users/Public", "/Users/Public"},
		{"/ProgramData/Application Data", "junction", `C:\ProgramData`, "/ProgramData", "/ProgramData"},
		{"/Documents and Settings", "junction", `C:\Users`, "/Users", "/Users"},
		{"/up", "symlink", `..\..\..\Users\.\Public\file.txt`, "/Users/Public/file.txt", "/Users/Public/file.txt"},
		{"/rooted", "symlink", `\Users\public`, "/Users/Public", "/Users/Public"},
		{"/slashes", "symlink", `Users/Public/file.txt`, "/Users/Public/file.txt", "/Users/Public/file.txt"},
		{"/other drive", "symlink", `D:\Users`, "/Users", "/Users"},
		{"/drive root", "symlink", `C:\`, "/", "/"},
		{"/bare drive", "symlink", `C:`, "/", "/"},
		{"/volume", "volume", `Volume{01234567-89ab-cdef-0123-456789abcdef}\`, "", ""},
		{"/unc", "symlink", `UNC\server\share`, "", ""},
		{"/through junctions", "symlink", `Documents and Settings\Default User\file.txt`, "/Users/Public/file.txt", "/Users/Public/file.txt"},
		{"/through a file", "symlink", `up\x`, "", ""},
		{"/loop a", "symlink", `loop b`, "/loop b", ""},
		{"/loop below", "symlink", `loop below\x`, "", ""},
		{"/missing", "symlink", `nowhere\at all`, "", ""},
		{"/chain", "symlink", `rooted`, "/rooted", "/Users/Public"},
		{"/wsl", "wsl", "Users/Public", "/Users/Public", "/Users/Public"},
		{"/wsl absolute", "wsl", "/mnt/c/Users", "", ""},
		{"/alias.exe", "app", `C:\Program Files\app.exe`, "", ""},
		{"/wof", "", "", "", "/wof"},
		{"/Users", "", "", "", "/Users"},
	} {
		n, ok := im.Lookup(tt.path)
		if !ok {
			t.Fatal(tt.path)
		}
		l, err := im.Link(n)
		if err != nil {
			t.Fatal(err)
		}
		node, resolved := "", ""
		if l.Found {
			node = im.Path(l.Node)
		}
		if to, ok := im.Resolve(n); ok {
			resolved = im.Path(to)
		}
		if l.Kind != tt.kind || l.Target != tt.target || node != tt.node || resolved != tt.resolved {
			t.Errorf("%s is a %s to %q, found as %q, resolved as %q; want %s, %q, %q, %q", tt.path, l.Kind, l.Target, node, resolved, tt.kind, tt.target, tt.node, tt.resolved)
		}
	}
}

// TestLinkBomb follows a chain of links, each of which names the next one twice. It would take 2^n steps, but ends at the limit.
func TestLinkBomb(t *testing.T) {
	root := wimtest.Folder("")
	for i := range 200 {
		root.Children = append(root.Children, wimtest.SymlinkEntry(fmt.Sprint("l", i), strings.Repeat(fmt.Sprintf(`l%d\..\`, i+1), 100)+fmt.Sprint("l", i+1), true))
	}
	root.Children = append(root.Children, wimtest.Folder("l200"))
	im := archivetest.OpenHand(t, root)
	for n := wim.Node(1); int(n) < im.Len(); n++ {
		im.Resolve(n)
	}
	n, _ := im.Lookup("l0")
	if to, ok := im.Resolve(n); ok {
		t.Errorf("resolved to %s", im.Path(to))
	}
}

func TestDamagedReparseData(t *testing.T) {
	good := wimtest.SymlinkData(`a\b`, `a\b`, true)
	for name, b := range map[string][]byte{
		"empty": nil, "cut": good[:11], "name past the end": good[:len(good)-1][:12],
		"offset past the end": append([]byte{255, 255}, good[2:]...), "huge": make([]byte, 1<<16),
	} {
		im := archivetest.OpenHand(t, wimtest.Folder("", &wimtest.HandEntry{Name: "l", Attrs: format.AttrReparsePoint, Tag: format.TagSymlink, Data: b}))
		if l, _ := im.Link(1); l.Kind != "" || l.Found {
			t.Errorf("%s: %+v", name, l)
		}
		if st, err := im.FS().Stat("l"); err != nil || st.Mode().IsRegular() {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
}
