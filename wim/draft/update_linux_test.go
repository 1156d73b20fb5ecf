package draft

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wimscope/wim/config"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

// TestUpdateAgainstWimlib executes random commands with wimlib-imagex and by us. After each the trees must be the same, or both reject it.
// The times of folders are not compared: those added on the way have the current time.
func TestUpdateAgainstWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	refused := 0
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 11))
		top := t.TempDir()
		for _, p := range []string{"tree/a/b", "tree/c", "more/a/b", "more/d"} {
			if err := os.MkdirAll(filepath.Join(top, p), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range []string{"tree/a/one", "tree/a/b/two", "tree/three", "more/a/one", "more/a/b/four", "more/c", "more/A", "single"} {
			if err := os.WriteFile(filepath.Join(top, p), []byte(p), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Link(filepath.Join(top, "more/a/one"), filepath.Join(top, "more/again")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("more", filepath.Join(top, "link")); err != nil {
			t.Fatal(err)
		}
		Steady(t, top)
		name := filepath.Join(top, "x.wim")
		wimtest.MustRun(t, top, wimtest.Wimlib, "capture", "tree", name, "--compress=none")
		fsys := NewNativeFS(top)
		d, _, err := Scan(nil, fsys, "tree", nil)
		if err != nil {
			t.Fatal(err)
		}
		place := func() string {
			names := []string{"a", "b", "one", "c", "A", "new"}
			var p strings.Builder
			for range 1 + r.IntN(3) {
				p.WriteString("/" + names[r.IntN(len(names))])
			}
			return p.String()
		}
		for step := range 25 {
			var line string
			switch r.IntN(3) {
			case 0:
				options := []string{"", "", "--no-replace ", "--unix-data ", "--dereference "}[r.IntN(5)]
				line = "add " + options + []string{"more", "single", "link", "tree/a"}[r.IntN(4)] + " " + place()
				if r.IntN(8) == 0 {
					line = "add more /"
				}
			case 1:
				line = "delete " + []string{"", "--recursive ", "--force ", "--force --recursive "}[r.IntN(4)] + place()
				if r.IntN(16) == 0 {
					line = "delete --recursive /"
				}
			case 2:
				line = "rename " + place() + " " + place()
			}
			list, err := config.ParseCommands([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			c := &list[0]
			var added *Draft
			if c.Op == config.UpdateAdd {
				o := &ScanOptions{UnixData: c.UnixData, Dereference: c.Dereference, RootLink: c.Target != "/", NoRPFix: true}
				if added, _, err = Scan(nil, fsys, c.Source, o); err != nil {
					t.Fatal(err)
				}
			}
			_, err = d.Update(c, added, nil)
			_, theirs := wimtest.Run(top, wimtest.Wimlib, "update", name, "1", "--command="+line)
			if (err == nil) != (theirs == nil) {
				t.Fatalf("seed %d, step %d, %s: %v, of wimlib %v", seed, step, line, err, theirs)
			}
			if err != nil {
				refused++
			}
			hashAll(t, d, fsys)
			want, err := Of(archivetest.OpenFile(t, name))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Of(reload(t, d))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range []*Draft{want, got} {
				for i := range d.inodes {
					if in := &d.inodes[i]; in.attributes&(format.AttrDirectory|format.AttrReparsePoint) != 0 {
						in.accessed, in.created, in.modified = 0, 0, 0
					}
				}
			}
			if err := sameTrees(want, got); err != nil {
				t.Fatalf("seed %d, step %d, %s: %v", seed, step, line, err)
			}
		}
	}
	if refused < 20 {
		t.Errorf("only %d commands were rejected", refused)
	}
}

// TestCommandSyntaxAgainstWimlib checks that wimlib and we read command files in the same way, or both reject them. We accept UTF-16 too,
// which wimlib accepts on Windows only, and do not store the names . and .., which wimlib stores and leaves out when it reads them.
func TestCommandSyntaxAgainstWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	top := t.TempDir()
	for _, p := range []string{"tree/a b", "tree/a", "tree/it's", "tree/--x", "tree/\"q\"", "tree/sub/file", "tree/#", "file", "--dashed", "two words"} {
		if err := os.MkdirAll(filepath.Join(top, filepath.Dir(p)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, p), []byte(p), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wimtest.MustRun(t, top, wimtest.Wimlib, "capture", "tree", "start.wim", "--compress=none")
	start, err := os.ReadFile(filepath.Join(top, "start.wim"))
	if err != nil {
		t.Fatal(err)
	}
	fsys := NewNativeFS(top)
	for _, text := range []string{
		"delete a\ndelete 'a b'\n", "delete \"a b\"", "DELETE a", "Delete a", "delete a b", "delete 'a b", "delete a' 'b", "delete it's",
		"delete \"it's\"", "delete '\"q\"'", "delete --force nothing", "delete nothing", "delete --FORCE nothing", "delete a --force",
		"delete --recursive sub", "delete sub", "delete --x", "delete '--x'", "delete -- --x", "delete '#'", "# delete a", "  # delete a\n", "delete # a",
		"\tdelete\ta\t\n\n  \n", "delete a\r\ndelete '--x'\r\n", "delete a\fdelete b", "rename a b", "rename a 'c d' e", "rename a", "rename --x y", "rename a \\sub\\file",
		"rename 'a' /sub//new/", "rename sub sub/in", "rename sub /", "add file new", "add file", "add file new more", "add 'two words' \"b c\"", "add --dashed x",
		"add --verbose file new", "add --unix-data file new", "add --no-replace file a", "add file a --no-replace", "add --recursive file new", "add file ''", "add file /",
		"add file sub", "add nothing x", "delete ''", "delete /", "delete --recursive ''", "delete '' a", "copy a b", "delete \x00a", "",
		"delete /../a", "delete ./a", "delete sub/./file",
	} {
		if err := os.WriteFile(filepath.Join(top, "x.wim"), start, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, "commands"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, theirs := wimtest.Run(top, "sh", "-c", "exec "+wimtest.Wimlib+" update x.wim 1 < commands")
		end, err := Of(archivetest.OpenFile(t, filepath.Join(top, "x.wim")))
		if err != nil {
			t.Fatal(err)
		}
		want := draftPaths(end)
		for form, b := range map[string][]byte{
			"UTF-8": []byte(text), "UTF-16": wimtest.UTF16Text(text, binary.LittleEndian, false), "UTF-16 with mark": wimtest.UTF16Text(text, binary.BigEndian, true),
		} {
			d, err := Of(archivetest.OpenBytes(t, start))
			if err != nil {
				t.Fatal(err)
			}
			list, err := config.ParseCommands(b)
			for _, c := range list {
				var added *Draft
				if c.Op == config.UpdateAdd && err == nil {
					added, _, err = Scan(nil, fsys, c.Source, &ScanOptions{UnixData: c.UnixData, RootLink: true})
				}
				if err == nil {
					_, err = d.Update(&c, added, nil)
				}
			}
			if (err == nil) != (theirs == nil) {
				t.Errorf("%s, %q: %v, of wimlib %v", form, text, err, theirs)
			} else if got := draftPaths(d); err == nil && !slices.Equal(got, want) {
				t.Errorf("%s, %q: %q, want %q", form, text, got, want)
			}
		}
	}
}

// TestSourceListAgainstWimlib captures images of several folders and files, and compares them with wimlib's.
func TestSourceListAgainstWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	top := t.TempDir()
	for _, p := range []string{"one/a/file", "one/file", "one/same", "two/a/other", "two/same", "three/a/file", "three/a/b/c", "single"} {
		if err := os.MkdirAll(filepath.Join(top, filepath.Dir(p)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, p), []byte(p), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(top, "two/same"), filepath.Join(top, "two/again")); err != nil {
		t.Fatal(err)
	}
	for _, l := range [][2]string{{top + "/one/file", "one/link"}, {top + "/three/a", "three/link"}} {
		if err := os.Symlink(l[0], filepath.Join(top, l[1])); err != nil {
			t.Fatal(err)
		}
	}
	Steady(t, top)
	start := format.FiletimeOf(time.Now())
	fsys := NewNativeFS(top)
	refused := 0
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 13))
		var b strings.Builder
		for range 1 + r.IntN(4) {
			target := []string{"/", "/", "x", "/x/y", `\a`, "'/a/file'", "/a/b/", "same", ""}[r.IntN(9)]
			b.WriteString([]string{"one", "two", "three", "single", `"one"`, "three/a"}[r.IntN(6)] + " \t" + target + "\n")
		}
		text := b.String()
		list, err := config.ParseSources([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		// If a folder occurs twice, wimlib keeps its links from the first time, whether they were fixed or not. We fix each as requested, so
		// this is not compared.
		var options []string
		twice := map[string]bool{}
		for _, source := range list {
			if twice[source.Path] {
				options = []string{"--norpfix"}
			}
			twice[source.Path] = true
		}
		d := New()
		for _, source := range list {
			var scanned *Draft
			o := &ScanOptions{UnixData: true, NoRPFix: source.Target != "/" || options != nil, Several: true}
			if scanned, _, err = Scan(nil, fsys, source.Path, o); err != nil {
				t.Fatal(err)
			}
			if _, err = d.Graft(source.Target, scanned, &GraftOptions{When: 5}); err != nil {
				break
			}
		}
		if err := os.WriteFile(filepath.Join(top, "list"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, theirs := wimtest.Run(top, wimtest.Wimlib, append([]string{"capture", "list", "s.wim", "--source-list", "--compress=none", "--unix-data"}, options...)...)
		if (err == nil) != (theirs == nil) {
			t.Fatalf("%s: %v, of wimlib %v", text, err, theirs)
		}
		if err != nil {
			refused++
			continue
		}
		want, err := Of(archivetest.OpenFile(t, filepath.Join(top, "s.wim")))
		if err != nil {
			t.Fatal(err)
		}
		hashAll(t, d, fsys)
		got, err := Of(reload(t, d))
		if err != nil {
			t.Fatal(err)
		}
		// Folders added on the way have the time of the capture, and links that of the last access.
		for n := range Node(want.Len()) {
			in := want.inode(n)
			for _, at := range []*format.Filetime{&in.created, &in.accessed, &in.modified} {
				if *at > start && *at < start+24*3600*format.FiletimePerSecond {
					*at = 5
				}
			}
			if in.attributes&format.AttrReparsePoint != 0 {
				in.accessed = 0
			}
		}
		for n := range Node(got.Len()) {
			if in := got.inode(n); in.attributes&format.AttrReparsePoint != 0 {
				in.accessed = 0
			}
		}
		if err := sameTrees(want, got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if refused < 3 || refused > 20 {
		t.Errorf("%d lists were rejected", refused)
	}
}
