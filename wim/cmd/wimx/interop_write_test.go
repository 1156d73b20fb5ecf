//go:build !js

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

// peerCase is a task for both programs, in folders with the same contents. @ in an argument is that folder, # the one with
// the trees to capture.
type peerCase struct {
	name  string
	start []string // lines for wimlib-imagex that create the initial state
	do    []string // lines for both
	refs  string   // pattern of the parts or archives that the result, @/a.wim, needs
	made  bool     // folders are created on the way: they have the current time, and wimlib does not count them
}

func peerCases() []peerCase {
	capture := []string{"capture #/one @/a.wim first words"}
	two := append(capture, "append #/two @/a.wim second --boot")
	three := append(two, "append #/three @/a.wim third --check")
	list := []peerCase{
		{name: "capture, links left alone", do: []string{"capture #/one @/a.wim --norpfix --boot"}},
		{name: "capture, properties", do: []string{"capture #/one @/a.wim name words --check --flags=Core --image-property=WINDOWS/ARCH=9 --image-property DISPLAYNAME=shown"}},
		{name: "capture, Unix data", do: []string{"capture #/one @/a.wim --unix-data"}},
		{name: "capture, special files", do: []string{"capture #/special @/a.wim --unix-data", "append #/special @/a.wim without"}},
		{name: "capture, followed links", do: []string{"capture #/links @/a.wim --dereference"}},
		{name: "capture, links", do: []string{"capture #/links @/a.wim"}},
		{name: "capture, configuration", do: []string{"capture #/one @/a.wim --config=#/config.ini"}},
		{name: "capture, list", do: []string{"capture #/list @/a.wim --source-list"}, made: true},
		{name: "capture, list without a root", do: []string{"capture #/list-below @/a.wim --source-list", "append #/links @/a.wim"}, made: true},
		{name: "capture, a name of several", do: []string{"capture #/links/sub @/a.wim", "update @/a.wim < add #/links /l", "update @/a.wim < delete /l/sub/again"}},
		{name: "capture, delta", start: []string{"capture #/one @/base.wim"}, do: []string{"capture #/changed @/a.wim --delta-from=@/base.wim --update-of=@/base.wim:1"}, refs: "@/base.wim"},
		{name: "delta, update", start: []string{"capture #/one @/base.wim", "capture #/changed @/a.wim --delta-from=@/base.wim"}, do: []string{
			"update @/a.wim 1 < add #/two /added\nrename /added /moved\ndelete --recursive /moved", "update @/a.wim 1 < add #/config.ini /config.ini\ndelete /new"}, refs: "@/base.wim"},
		{name: "delta, append", start: []string{"capture #/one @/base.wim", "capture #/changed @/a.wim --delta-from=@/base.wim"}, do: []string{
			"append #/two @/a.wim", "append #/changed @/a.wim again --update-of=1"}, refs: "@/base.wim"},
		{name: "delta, export", start: []string{"capture #/one @/base.wim", "capture #/changed @/a.wim --delta-from=@/base.wim", "capture #/two @/b.wim"}, do: []string{
			"export @/b.wim 1 @/a.wim", "export @/base.wim 1 @/a.wim", "info @/a.wim 1 renamed --boot --check"}, refs: "@/base.wim"},
		{name: "delta, back to its base", start: []string{"capture #/one @/a.wim", "capture #/changed @/b.wim --delta-from=@/a.wim"}, do: []string{"export @/b.wim 1 @/a.wim"}},
		{name: "append", start: capture, do: []string{"append #/two @/a.wim", "append #/two @/a.wim", "append #/three @/a.wim --check --boot"}},
		{name: "append, update-of", start: capture, do: []string{"append #/changed @/a.wim --update-of=1"}},
		{name: "append, rebuild", start: two, do: []string{"append #/three @/a.wim --rebuild --unix-data"}},
		{name: "WIMBoot", do: []string{"capture #/boot @/a.wim --wimboot", "append #/boot @/a.wim again --wimboot --flags=Core", "append #/boot @/a.wim without --config=#/config.ini --wimboot"}},
		{name: "WIMBoot, LZX", do: []string{"capture #/two @/a.wim --wimboot --compress=LZX", "append #/one @/a.wim --wimboot"}},
		{name: "WIMBoot, chunks", do: []string{"capture #/two @/a.wim --wimboot --chunk-size=8K"}},
		{name: "WIMBoot, XPRESS", do: []string{"capture #/two @/a.wim --wimboot --compress=XPRESS:20"}},
		{name: "WIMBoot, solid", do: []string{"capture #/two @/a.wim --wimboot --solid --solid-chunk-size=1M"}},
		{name: "WIMBoot, export", start: two, do: []string{"export @/a.wim all @/b.wim --wimboot", "export @/b.wim 1 @/a.wim again --wimboot --boot"}},
		{name: "WIMBoot, export packed", start: []string{"capture #/one @/b.wim --solid --solid-chunk-size=1M"}, do: []string{"export @/b.wim 1 @/a.wim --wimboot"}},
		{name: "append, create", do: []string{"append #/one @/a.wim --create"}},
		{name: "append to solid", start: []string{"capture #/one @/a.wim --solid --solid-chunk-size=1M"}, do: []string{"append #/two @/a.wim", "append #/three @/a.wim --solid --solid-chunk-size=1M"}},
		{name: "append to pipable", start: []string{"capture #/one @/a.wim --pipable"}, do: []string{"append #/two @/a.wim"}},
		{name: "append, compacted", start: append(three, "delete @/a.wim 1 --soft"), do: []string{"append #/one @/a.wim x --unsafe-compact"}},
		{name: "delete", start: three, do: []string{"delete @/a.wim 1"}},
		{name: "delete, booted", start: two, do: []string{"delete @/a.wim 2 --check"}},
		{name: "delete, soft", start: three, do: []string{"delete @/a.wim 1 --soft"}},
		{name: "delete, all", start: two, do: []string{"delete @/a.wim all"}},
		{name: "export, one", start: two, do: []string{"export @/a.wim 2 @/b.wim renamed described --boot", "export @/b.wim all @/a.wim"}},
		{name: "export, all", start: two, do: []string{"export @/a.wim all @/b.wim --boot --check", "delete @/a.wim 1", "export @/b.wim 1 @/a.wim again"}},
		{name: "export, made solid", start: []string{"capture #/one @/b.wim --chunk-size=64K"}, do: []string{"export @/b.wim 1 @/a.wim --solid --solid-chunk-size=1M"}},
		{name: "append solid to solid", start: []string{"capture #/one @/a.wim --solid --solid-compress=XPRESS"}, do: []string{"append #/two @/a.wim --solid --solid-chunk-size=512K"}},
		{name: "append solid, compacted", start: append(three, "delete @/a.wim 1 --soft"), do: []string{"append #/one @/a.wim x --solid --solid-chunk-size=1M --unsafe-compact"}},
		{name: "update, links of several images", start: []string{"capture #/one @/a.wim --norpfix", "append #/two @/a.wim --norpfix"}, do: []string{"update @/a.wim 1 < add #/links /"}},
		{name: "update, links of one image", start: []string{"capture #/one @/a.wim --norpfix"}, do: []string{"update @/a.wim 1 < add #/links /"}},
		{name: "export, recompressed", start: two, do: []string{"export @/a.wim all @/b.wim --compress=XPRESS --chunk-size=8K", "delete @/a.wim all", "export @/b.wim all @/a.wim --rebuild"}},
		{name: "optimize", start: append(three, "delete @/a.wim 2 --soft"), do: []string{"optimize @/a.wim"}},
		{name: "optimize, no table", start: three, do: []string{"optimize @/a.wim --nocheck"}},
		{name: "optimize, codec", start: two, do: []string{"optimize @/a.wim --compress=LZMS:20"}},
		{name: "optimize, solid", start: two, do: []string{"optimize @/a.wim --solid --solid-chunk-size=1M --check"}},
		{name: "optimize, flat", start: []string{"capture #/one @/a.wim --solid --solid-chunk-size=1M"}, do: []string{"optimize @/a.wim --compress=LZX"}},
		{name: "optimize, pipable", start: two, do: []string{"optimize @/a.wim --pipable"}},
		{name: "optimize, not pipable", start: []string{"capture #/one @/a.wim --pipable"}, do: []string{"optimize @/a.wim --not-pipable --recompress"}},
		{name: "split", start: []string{"capture #/large @/whole.wim name", "append #/one @/whole.wim"}, do: []string{"split @/whole.wim @/a.wim 1 --check"}, refs: "@/a*.wim"},
		{name: "split, table kept", start: []string{"capture #/large @/whole.wim name --check"}, do: []string{"split @/whole.wim @/a.wim 1"}, refs: "@/a*.wim"},
		{name: "export, table left", start: []string{"capture #/one @/b.wim name --check"}, do: []string{"export @/b.wim 1 @/a.wim"}},
		{name: "join", start: []string{"capture #/large @/whole.wim name --check", "split @/whole.wim @/p.swm 1"}, do: []string{"join @/a.wim @/p.swm @/p2.swm"}},
		{name: "info", start: three, do: []string{
			"info @/a.wim 1 renamed described --boot", "info @/a.wim 2 --image-property=WINDOWS/LANGUAGES/LANGUAGE=de --image-property=WINDOWS/LANGUAGES/LANGUAGE[2]=en",
			"info @/a.wim 2 --image-property=FLAGS=Core --nocheck", "info @/a.wim 3 x --check",
		}},
		{name: "info, no boot", start: two, do: []string{"info @/a.wim 0 --boot"}},
	}
	for _, pack := range []string{
		"", "--compress=none", "--compress=XPRESS", "--compress=LZX", "--compress=LZMS", "--compress=XPRESS --chunk-size=4K", "--compress=LZX --chunk-size=64K",
		"--compress=LZMS --chunk-size=64K", "--solid --solid-chunk-size=1M", "--solid --compress=LZX --solid-compress=XPRESS", "--solid --solid-compress=LZX:20", "--pipable",
		"--pipable --compress=XPRESS --check",
	} {
		list = append(list, peerCase{name: "capture " + pack, do: []string{"capture #/one @/a.wim " + pack}})
	}
	for name, commands := range map[string]string{
		"last name": "add #/links /l\ndelete /l/plain\nadd #/links/plain /here", "a name less": "add #/links /l\nadd #/config.ini /l/plain",
		"add":            "add #/two /new\nadd #/three/ /\nadd #/config.ini /deep/er/file",
		"overlay":        "add #/changed /\nadd --unix-data #/two /over/lay",
		"links":          "add #/links /\nadd #/another /link\nadd #/links/to-folder /folder",
		"followed links": "add --dereference #/links /down/here\nadd --dereference #/another /down/there",
		"delete, rename": "add #/two /new\nrename /new /newer\ndelete --recursive /newer\ndelete --force /nothing",
	} {
		list = append(list, peerCase{name: "update: " + name, start: two, do: []string{"update @/a.wim 1 < " + commands}, made: strings.Contains(commands, "/er/") || strings.Contains(commands, "/over/") || strings.Contains(commands, "/here") || strings.Contains(commands, "/a/")})
	}
	return list
}

// TestWriteLikeWimlib runs the same command with both programs, and compares the results as wimlib sees them.
func TestWriteLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib, "mkfifo", "setfattr", "touch", "find")
	n, first := 1, uint64(7)
	if os.Getenv("WIMSCOPE_CAMPAIGN") != "" {
		n, first = 10, 5000
	}
	for i := range n {
		trees := t.TempDir()
		if err := peerTrees(trees, first+uint64(10*i)); err != nil {
			t.Fatal(err)
		}
		for _, c := range peerCases() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				var sides [2]string
				for k, side := range []string{"ours", "theirs"} {
					sides[k] = filepath.Join(dir, side)
					if err := os.Mkdir(sides[k], 0o755); err != nil {
						t.Fatal(err)
					}
				}
				for _, line := range c.start {
					peerRun(t, sides[0], trees, line, false)
				}
				if err := os.CopyFS(sides[1], os.DirFS(sides[0])); err != nil && !errors.Is(err, fs.ErrExist) {
					t.Fatal(err)
				}
				for _, line := range c.do {
					peerRun(t, sides[0], trees, line, true)
					peerRun(t, sides[1], trees, line, false)
				}
				peerCompare(t, c, sides)
			})
		}
	}
}

// TestStatusLikeWimlib runs commands that both programs refuse: their exit status is the same, and neither changes anything.
func TestStatusLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	for name, text := range map[string]string{"tree/a": "a", "tree/sub/b": "b", "config.ini": "[ExclusionList]\nC:relative\n"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"capture #/tree @/a.wim one", "append #/tree @/a.wim two", "capture #/tree @/p.wim --pipable", "export @/a.wim all @/big.wim",
		"capture #/tree @/d.wim --delta-from=@/a.wim", "split @/a.wim @/s.swm 1", "capture #/tree @/bad.wim --check",
	} {
		peerRun(t, dir, dir, line, false)
	}
	bad, err := os.OpenFile(filepath.Join(dir, "bad.wim"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.WriteAt([]byte{'x'}, format.HeaderSize); err != nil { // in the first content
		t.Fatal(err)
	}
	if err := bad.Close(); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	for _, line := range []string{
		"capture", "capture #/tree", "capture #/tree @/x.wim a b c", "capture #/tree @/x.wim --nonsense", "capture #/tree @/x.wim --compress=zip",
		"capture #/tree @/x.wim --compress=LZX:0", "capture #/tree @/x.wim --compress=LZX:no", "capture #/tree @/x.wim --chunk-size=12345",
		"capture #/tree @/x.wim --chunk-size=none", "capture #/tree @/x.wim --compress=none --chunk-size=32K", "capture #/tree @/x.wim --solid --solid-chunk-size=1000",
		"capture #/tree @/x.wim --solid --pipable", "capture #/tree @/x.wim --threads=none", "capture #/tree @/x.wim --config=#/none.ini",
		"capture #/tree @/x.wim --config=#/config.ini", "capture #/tree @/x.wim --update-of=@/a.wim:9", "capture #/tree @/x.wim --update-of=1",
		"capture #/tree @/x.wim --delta-from=@/none.wim", "capture #/tree @/x.wim --image-property=x", "capture #/tree @/x.wim --image-property=A[2]=x",
		"capture #/tree @/x.wim --solid-compress=none", "export @/a.wim 1 @/x.wim --solid-compress=none:20", "capture #/tree @/x.wim --update-of=:1", "capture #/tree @/x.wim --update-of=@/a.wim:",
		"capture #/tree @/x.wim --image-property==v", "info @/a.wim 1 --image-property==v", "capture #/tree @/x.wim --image-property=",
		"capture #/none @/x.wim", "capture #/tree @/none/x.wim", "capture #/tree @/x.wim --create", "capture #/tree @/x.wim --check --nocheck",
		"capture #/tree @/x.wim --rpfix --norpfix", "append #/tree @/a.wim x --rpfix --norpfix", "apply @/a.wim 1 @/out --rpfix --norpfix",
		"append #/tree @/a.wim one", "append #/tree @/none.wim", "append #/none @/a.wim", "append #/tree @/p.wim x --solid", "append #/tree @/p.wim x --unsafe-compact", "optimize @/p.wim --unsafe-compact",
		"capture #/tree @/x.wim --snapshot", "capture #/tree - --not-pipable", "export @/a.wim 1 - --not-pipable", "export @/a.wim 1 @/x.wim --unsafe-compact",
		"export @/a.wim 1 @/x.wim --ref=@/none*.swm", "verify @/a.wim --ref=@/none*.swm", "apply @/a.wim 1 @/out --ref=@/none*.swm",
		"append #/tree @/a.wim x --update-of=3", "append #/tree @/a.wim x --update-of=-3",
		"capture #/tree @/x.wim --check --update-of=@/bad.wim:1", "append #/tree @/a.wim x --check --update-of=@/bad.wim:1",
		"capture #/tree @/x.wim --check --delta-from=@/bad.wim", "append #/tree @/a.wim x --check --delta-from=@/bad.wim",
		"export @/d.wim 1 @/x.wim --check --ref=@/a.wim --ref=@/bad.wim", "apply @/d.wim 1 @/out --check --ref=@/bad.wim",
		"extract @/d.wim 1 /a --check --dest-dir=@/out --ref=@/bad.wim", "verify @/a.wim --ref=@/bad.wim",
		"delete @/a.wim", "delete @/a.wim 3", "delete @/a.wim none", "delete @/none.wim 1", "delete @/d.wim 1 1",
		"export @/a.wim 1", "export @/a.wim 3 @/x.wim", "export @/a.wim 1 @/big.wim", "export @/a.wim all @/big.wim", "export @/a.wim all @/x.wim name",
		"export @/a.wim 1 @/big.wim x --compress=XPRESS", "export @/none.wim 1 @/x.wim", "export @/a.wim all @/x.wim --boot", "export @/d.wim 1 @/x.wim",

		"optimize", "optimize @/none.wim", "optimize @/a.wim --pipable --not-pipable", "optimize @/a.wim --solid --pipable", "optimize @/a.wim --unsafe-compact --recompress",
		"optimize @/d.wim", "optimize @/a.wim --compress=LZX --chunk-size=3K", "optimize @/p.wim --solid",
		"split @/a.wim @/x.swm", "split @/a.wim @/x.swm none", "split @/a.wim @/x.swm 0", "split @/none.wim @/x.swm 1",
		"join @/x.wim", "join @/x.wim @/none.swm", "join @/x.wim @/a.wim @/a.wim",
		"info @/a.wim 1 two", "info @/a.wim 3 x", "info @/a.wim --boot", "info @/a.wim --image-property=A=b", "info @/a.wim 1 --image-property=A",
		"info @/a.wim 1 --image-property=A[3]=b", "info @/none.wim 1 x",
		"update @/a.wim 1 < frob /a", "update @/a.wim 1 < add /a", "update @/a.wim 1 < delete /none", "update @/a.wim 1 < delete /sub", "update @/a.wim 1 < delete /a /b",
		"update @/a.wim 1 < add #/none /x", "update @/a.wim 1 < add #/tree /a", "update @/a.wim 1 < add #/tree/a /sub", "update @/a.wim 1 < add --no-replace #/tree/a /a",
		"update @/a.wim 1 < rename /none /x", "update @/a.wim 1 < rename /a /sub", "update @/a.wim 1 < rename /sub /a", "update @/a.wim 1 < rename / /x",
		"update @/a.wim 1 < rename /sub /sub/x", "update @/a.wim 1 < rename /a /none/x", "update @/a.wim 1 < rename /a /a/x", "update @/a.wim 1 < rename /a /",
		"update @/a.wim < delete /a", "update @/a.wim 3 < delete /a", "update @/none.wim 1 < delete /a", "update @/a.wim 1 < add --nonsense /a /b",
		"update @/a.wim 1 < delete --nonsense /a",
	} {
		command, input, _ := strings.Cut(line, " < ")
		place := strings.NewReplacer("@", dir, "#", dir)
		args := strings.Fields(command)
		for i := range args {
			args[i] = place.Replace(args[i])
		}
		_, errs, got := wimxInput(place.Replace(input), args...)
		cmd := exec.Command(wimtest.Wimlib, args...)
		cmd.Stdin = strings.NewReader(place.Replace(input) + "\n")
		out, err := cmd.CombinedOutput()
		want := cmd.ProcessState.ExitCode()
		if err == nil || got != want {
			t.Errorf("%s: status %d, want %d\n%s\n%s", line, got, want, errs, out)
		}
		after := files(t, dir)
		for name, text := range before {
			if after[name] != text {
				t.Fatalf("%s changes %s", line, name)
			}
		}
		if len(after) != len(before) {
			t.Fatalf("%s leaves something behind", line)
		}
	}
}

// peerTrees creates the folders to capture.
func peerTrees(dir string, seed uint64) error {
	write := func(name, text string) error {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		return os.WriteFile(p, []byte(text), 0o644)
	}
	for k, name := range []string{"one", "two", "three"} {
		if err := wimtest.Random(seed+uint64(k), nil).Write(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := wimtest.Random(seed, nil).Write(filepath.Join(dir, "changed")); err != nil {
		return err
	}
	texts := map[string]string{
		"changed/new": "a new file", "special/folder/file": "special", "links/sub/file": "linked", "links/plain": "plain",
		"boot/Windows/System32/WimBootCompress.ini": "[ExclusionList]\n/gone\n", "boot/gone": "gone", "boot/stays": "stays",
		"config.ini": "[ExclusionList]\n*a*\n/b*\n[ExclusionException]\n*e*\n",
		"list-below": fmt.Sprintf("%s /links\n", filepath.Join(dir, "links")),
		"list":       fmt.Sprintf("%s /\n%s /in/side\n%s \"/a file\"\n%[3]s again\n", filepath.Join(dir, "one"), filepath.Join(dir, "two"), filepath.Join(dir, "config.ini")),
	}
	for i := range 5 {
		texts[fmt.Sprint("large/", i)] = strings.Repeat(fmt.Sprint(seed, i), 10) + string(wimtest.Noise.Make(newRand(seed+uint64(i)), 300<<10))
	}
	for name, text := range texts {
		if err := write(name, text); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{
		"to-file": "sub/file", "to-folder": "sub", "outside": filepath.Join(dir, "list"), "inside": filepath.Join(dir, "links", "sub", "file"),
	} {
		if err := os.Symlink(target, filepath.Join(dir, "links", name)); err != nil {
			return err
		}
	}
	if err := os.Symlink("config.ini", filepath.Join(dir, "another")); err != nil {
		return err
	}
	if err := os.Link(filepath.Join(dir, "links", "plain"), filepath.Join(dir, "links", "sub", "again")); err != nil {
		return err
	}
	for _, c := range []string{"mkfifo special/pipe", "ln special/pipe special/again", "ln -s folder/file special/link", "chmod 2751 special/folder"} {
		w := strings.Fields(c)
		if _, err := wimtest.Run(dir, w[0], w[1:]...); err != nil {
			return err
		}
	}
	// Not every file system supports these, and not every user may create them.
	for _, c := range []string{
		"setfattr -n user.colour -v blue special/folder/file", "setfattr -n user.empty special/folder", "setfattr -h -n trusted.of.link -v x special/link",
		"mknod special/null c 1 3", "mknod special/block b 300 70000", "chown -h 12:34 special/link",
	} {
		w := strings.Fields(c)
		_, _ = wimtest.Run(dir, w[0], w[1:]...)
	}
	if err := steadyTimes(dir); err != nil {
		return err
	}
	later := "2105-01-02 03:04:05"
	if strconv.IntSize == 32 {
		later = "2037-01-02 03:04:05"
	}
	_, err := wimtest.Run(dir, "find", ".", "-type", "l", "-exec", "touch", "-h", "-a", "-d", later, "{}", "+")
	return err
}

// steadyTimes sets access times that reading does not change.
func steadyTimes(dir string) error {
	return filepath.WalkDir(dir, func(p string, de fs.DirEntry, err error) error {
		if err != nil || de.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := de.Info()
		if err != nil {
			return err
		}
		read, modified := time.Date(2105, 1, 2, 3, 4, 5, 600, time.UTC), info.ModTime()
		if strconv.IntSize == 32 { // the system calls are limited to 2038 there
			read, modified = read.AddDate(-68, 0, 0), modified.AddDate(-70, 0, 0)
		}
		return os.Chtimes(p, read, modified)
	})
}

// peerRun runs a line with one of the programs.
func peerRun(t *testing.T, dir, trees, line string, ours bool) {
	t.Helper()
	line, input, _ := strings.Cut(line, " < ")
	place := strings.NewReplacer("@", dir, "#", trees)
	args := strings.Fields(line)
	for i := range args {
		args[i] = place.Replace(args[i])
	}
	if ours {
		if out, errs, code := wimxInput(place.Replace(input), args...); code != 0 {
			t.Fatalf("wimx %s: status %d\n%s%s", line, code, out, errs)
		}
		return
	}
	if input != "" {
		file := filepath.Join(t.TempDir(), "input")
		if err := os.WriteFile(file, []byte(place.Replace(input)), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append([]string{"-c", `exec "$0" "$@" < "$INPUT"`, wimtest.Wimlib}, args...)
		args = append([]string{"INPUT=" + file, "sh"}, args...)
		wimtest.MustRun(t, dir, "env", args...)
		return
	}
	wimtest.MustRun(t, dir, wimtest.Wimlib, args...)
}

// peerCompare compares both results as wimlib sees them: info, listing, verify, apply; and verifies ours with wimx.
func peerCompare(t *testing.T, c peerCase, sides [2]string) {
	t.Helper()
	var infos, lists [2]string
	var snaps [2][]wimtest.Snapshot
	for k, dir := range sides {
		a := filepath.Join(dir, "a.wim")
		var ref []string
		if c.refs != "" {
			ref = []string{"--ref=" + strings.ReplaceAll(c.refs, "@", dir)}
		}
		wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{"verify", a}, ref...)...)
		if out, errs, code := wimx("", append([]string{"verify", a}, ref...)...); code != 0 {
			t.Errorf("wimx verify of %s: status %d\n%s%s", filepath.Base(dir), code, out, errs)
		}
		out := string(wimtest.MustRun(t, dir, wimtest.Wimlib, "info", a))
		infos[k] = lastingInfo(out, c.made)
		images := strings.Count(out, "\nIndex: ")
		lists[k] = linkedNames(t, a, images)
		for i := 1; i <= images; i++ {
			list := append([]string{"dir", a, strconv.Itoa(i), "--detailed"}, ref...)
			lists[k] += lastingFacts(string(wimtest.MustRun(t, dir, wimtest.Wimlib, list...)), c.made)
			target := filepath.Join(dir, fmt.Sprint("out", i))
			wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{"apply", a, strconv.Itoa(i), target, "--unix-data", "--norpfix"}, ref...)...)
			s, err := wimtest.Snap(target)
			if err != nil {
				t.Fatal(err)
			}
			snaps[k] = append(snaps[k], s)
		}
	}
	if d := firstLine(infos[1], infos[0]); d != "" {
		t.Errorf("info: %s", d)
	}
	if d := firstLine(lists[1], lists[0]); d != "" {
		t.Errorf("dir --detailed: %s", d)
	}
	for i := range min(len(snaps[0]), len(snaps[1])) {
		look := wimtest.Unix
		if c.made {
			look &^= wimtest.Times
		}
		if d := wimtest.Diff(snaps[1][i], snaps[0][i], look); d != nil {
			t.Errorf("image %d:\n%s", i+1, strings.Join(d, "\n"))
		}
	}
	for _, e := range mustReadDir(t, sides[0]) {
		if strings.Contains(e.Name(), tempMark) {
			t.Errorf("%s is left over", e.Name())
		}
	}
}

// linkedNames lists the files of all images that have a link group number. wimlib's listing shows numbers of its own.
func linkedNames(t *testing.T, name string, images int) string {
	t.Helper()
	f, part, err := openFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := wim.Open([]blobs.Part{part}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range images {
		im, err := a.Image(i + 1)
		if err != nil {
			t.Fatal(err)
		}
		for n := range wim.Node(im.Len()) {
			if im.HardLinkGroup(n) != 0 {
				fmt.Fprintf(&b, "image %d: %s\n", i+1, im.Path(n))
			}
		}
	}
	return b.String()
}

// lastingInfo removes from wimlib's info what differs between runs.
func lastingInfo(s string, made bool) string {
	leave := []string{"Path:", "GUID:", "Size:", "Creation Time:", "Last Modification Time:"}
	if made {
		leave = append(leave, "Directory Count:")
	}
	return withoutLines(s, leave)
}

// lastingFacts removes from wimlib's listing how blobs are stored, which may differ, and the numbers of link groups.
func lastingFacts(s string, made bool) string {
	leave := []string{"Compressed size", "Offset in WIM", "Solid resource", "Solid offset", "Part Number", "Reference Count", "Flags  ", "Link Group ID"}
	if made {
		leave = append(leave, "Creation Time", "Last Write Time", "Last Access Time")
	}
	return withoutLines(s, leave)
}

func withoutLines(s string, leave []string) string {
	lines := slices.DeleteFunc(strings.Split(s, "\n"), func(l string) bool {
		return slices.ContainsFunc(leave, func(key string) bool { return strings.HasPrefix(l, key) })
	})
	return strings.Join(lines, "\n")
}

func mustReadDir(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
