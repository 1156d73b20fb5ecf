//go:build !js

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMessages provokes errors of every kind and compares the output: what is wrong, where, and, on a second line, what to do
// about it. "@" is a folder with tree/f, tree/sub/g, and a.wim with tree.
func TestMessages(t *testing.T) {
	dir := memoryDir(t)
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(dir+"/"+name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("tree/f", "text")
	write("tree/sub/g", "more")
	mustWimx(t, "capture", dir+"/tree", dir+"/a.wim", "one")
	mustWimx(t, "capture", dir+"/tree", dir+"/none.wim", "--compress=none")
	whole, err := os.ReadFile(dir + "/a.wim")
	if err != nil {
		t.Fatal(err)
	}
	write("cut.wim", string(whole[:300]))
	write("empty.wim", "")
	write("fileThere/sub", "")
	write("folderThere/f/x", "")
	write("onto-folder", dir+"/tree /\n"+dir+"/tree/f /sub\n")
	write("binary", "\xff\xff\xff\xff\xff")
	for _, c := range []struct{ line, want string }{
		{"info @/tree", `cannot open "@/tree": it is a folder|name a file`},
		{"info @/empty.wim", `@/empty.wim is not a WIM file: it is empty`},
		{"info @/cut.wim", `@/cut.wim is truncated after 300 bytes: * are missing|copy or download it again: the missing bytes cannot be restored`},
		{"optimize @/missing.wim", `cannot open "@/missing.wim": no such file or folder`},
		{"capture @/missing @/x.wim", `cannot capture "@/missing": no such file or folder`},
		{"capture @/tree @/missing/x.wim", `cannot write "@/missing/x.wim": the folder "@/missing" does not exist|create that folder first`},
		{"capture @/tree ''", `cannot write "": the name is empty`},
		{"capture '' @/x.wim", `cannot capture "": the name is empty`},
		{"capture @/tree @/x.wim --chunk-size=5", `chunk size 5 is not valid for LZX, which supports powers of two from 32768 to 2097152`},
		{"capture @/tree @/x.wim --config=@/binary", `@/binary: the text is neither valid UTF-8 nor valid UTF-16`},
		{"capture @/onto-folder @/x.wim --source-list", `cannot add "/sub": a file cannot replace the folder at that path`},
		{"append @/tree @/a.wim one", `there is already an image named "one" in the WIM|give the new image another name`},
		{"apply @/a.wim 1 @/folderThere", `/f: cannot write "@/folderThere/f": there is a folder in its place|remove it, or name another target`},
		{"apply @/a.wim 1 @/fileThere", `/sub: cannot write "@/fileThere/sub": there is a file in its place|remove it, or name another target`},
		{"update @/a.wim 1 --command=delete'/missing", `cannot delete "/missing": the image has no such file or folder`},
		{"update @/a.wim 1 --command=rename'/missing'/x", `cannot rename "/missing": the image has no such file or folder`},
		{"update @/a.wim 1 --command=rename'/f'/sub", `cannot rename "/f" to "/sub": a file cannot replace the folder at that path`},
		{"update @/a.wim 1 --command=rename'/f'/no/x", `cannot rename "/f" to "/no/x": its folder does not exist`},
		{"update @/a.wim 1 --command=rename'/sub'/sub/x", `cannot rename "/sub" to "/sub/x": a folder cannot be moved into itself`},
		{"update @/a.wim 1 --command=add'@/tree/f'/", `cannot add "/": only a folder can be the root of an image`},
		{"update @/a.wim 1 --command=add'@/tree'/..", `cannot add "/..": the name cannot be stored: "." and ".." stand for the folder itself and the one above it`},
		{"update @/a.wim 1 --command=delete", `--command: line 1: "delete": delete takes one path, not 0|"wimx update --help" lists the arguments and options`},
		{"update @/a.wim 1 --command=copy'a'b", `--command: line 1: "copy a b": unknown command "copy"; the commands are add, delete and rename|"wimx update --help" lists the arguments and options`},
	} {
		args := strings.Fields(c.line)
		for i := range args {
			if args[i] == "''" {
				args[i] = ""
			}
			args[i] = strings.NewReplacer("@", dir, "'", " ").Replace(args[i])
		}
		_, errs, code := wimx("", args...)
		got := strings.ReplaceAll(errs, dir, "@")
		before, after, _ := strings.Cut("ERROR: "+strings.ReplaceAll(c.want, "|", "\n       ")+"\n", "*")
		if code == 0 || !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) || strings.Count(got, "\n") != 1+strings.Count(c.want, "|") {
			t.Errorf("%s: status %d\n%s", c.line, code, got)
		}
	}
}
