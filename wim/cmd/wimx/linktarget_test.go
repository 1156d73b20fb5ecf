//go:build !js

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

const volume = `\??\Volume{01234567-89ab-cdef-0123-456789abcdef}`

// linkTargets lists targets as stored in archives and as applied to disk. BASE stands for the target folder.
var linkTargets = []struct {
	stored string
	fixed  string // of a fixed link
	plain  string // of a link that is not fixed, or with --norpfix
	own    bool   // wimlib keeps the prefix \\?\ or a bare drive in the path, and adds BASE before it
}{
	{`\??\C:`, "BASE", "/", false},
	{`\??\C:\`, "BASE/", "/", false},
	{`\??\C:\a\b`, "BASE/a/b", "/a/b", false},
	{`\??\C:a`, "BASE", "/", false},
	{`\??\UNC\server\share`, "BASE/server/share", "/server/share", false},
	{volume, "BASE", "/", false},
	{volume + `\`, "BASE/", "/", false},
	{volume + `\dir`, "BASE/dir", "/dir", false},
	{`\??\GLOBALROOT\Device\x`, "BASE/Device/x", "/Device/x", false},
	{`\Device\HarddiskVolume1\a`, "BASE/a", "/a", false},
	{`\DosDevices\C:\x`, "BASE/x", "/x", false},
	{`\??\`, "BASE", "/", false},
	{`\\server\share`, "BASE//server/share", "//server/share", false},
	{`\\?\C:\a`, "BASE/a", "/a", true},
	{`C:\a`, "BASE/a", "/a", true},
	{`C:`, "BASE", "/", true},
	{`a/b\c`, `a\b/c`, `a\b/c`, true},
}

// TestLinkTargets applies links with all kinds of targets, also with wimlib-imagex if it is available.
func TestLinkTargets(t *testing.T) {
	if onWindows {
		t.Skip("the targets are those of Unix")
	}
	dir := t.TempDir()
	root := wimtest.Folder("")
	for i, x := range linkTargets {
		for _, notFixed := range []bool{false, true} {
			root.Children = append(root.Children,
				&wimtest.HandEntry{Name: fmt.Sprint("link", i, notFixed), Attrs: 0x400, Tag: format.TagSymlink, NotFixed: notFixed, Data: wimtest.SymlinkData(x.stored, x.stored, false)},
				&wimtest.HandEntry{Name: fmt.Sprint("junction", i, notFixed), Attrs: 0x410, Tag: format.TagMountPoint, NotFixed: notFixed, Data: wimtest.JunctionData(x.stored, x.stored)})
		}
	}
	h := wimtest.One(root)
	h.Flags |= format.FlagReparseFixup
	archive := filepath.Join(dir, "links.wim")
	if err := os.WriteFile(archive, h.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	check := func(who, base string, norpfix bool) {
		for i, x := range linkTargets {
			for _, kind := range []string{"link", "junction"} {
				for _, notFixed := range []bool{false, true} {
					want := x.fixed
					if notFixed || norpfix {
						want = x.plain
					}
					want = strings.Replace(want, "BASE", base, 1)
					got, err := os.Readlink(filepath.Join(base, fmt.Sprint(kind, i, notFixed)))
					if who == wimtest.Wimlib && x.own {
						continue
					}
					if err != nil || got != want {
						t.Errorf("%s: %s to %s, not fixed %v, --norpfix %v: leads to %q, %v; want %q", who, kind, x.stored, notFixed, norpfix, got, err, want)
					}
				}
			}
		}
	}
	for _, more := range [][]string{nil, {"--norpfix"}} {
		base := filepath.Join(dir, "ours"+strings.Join(more, ""))
		if _, errs, code := wimx(dir, append([]string{"apply", archive, "1", base}, more...)...); code != 0 {
			t.Fatalf("status %d: %s", code, errs)
		}
		check("wimx", base, more != nil)
	}
	wimtest.Need(t, wimtest.Wimlib)
	for _, more := range [][]string{nil, {"--norpfix"}} {
		base := filepath.Join(dir, "theirs"+strings.Join(more, ""))
		wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{"apply", archive, "1", base}, more...)...)
		check(wimtest.Wimlib, base, more != nil)
	}
}

// TestLinksSurvive captures links of all kinds, with and without fixing, applies them, and captures them again: they must
// be the same, and equal those of wimlib-imagex.
func TestLinksSurvive(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.MkdirAll(filepath.Join(in, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, target := range []string{
		in, in + "/", in + "//", in + "/sub/", in + "/gone", in + "/.", in + "/../in", "/", "/etc/x", ".", "..", "sub/../sub", `a\b`, `C:\x`, "/C:/x",
		"//server/share", "/??/C:/a", `\??\C:`, volume + `\`, "/??/UNC/server/share", "/é\xed\xa0\x80",
	} {
		if err := os.Symlink(target, filepath.Join(in, fmt.Sprintf("link%02d", i))); err != nil {
			t.Fatal(err)
		}
	}
	links := func(base string) string {
		var b strings.Builder
		names, _ := filepath.Glob(filepath.Join(base, "link*"))
		for _, name := range names {
			target, err := os.Readlink(name)
			if rest, ok := strings.CutPrefix(target, base); ok {
				target = "BASE" + rest
			}
			fmt.Fprintf(&b, "%s -> %s %v\n", filepath.Base(name), target, err)
		}
		return b.String()
	}
	programs := map[string]func(args ...string){
		"wimx": func(args ...string) {
			if _, errs, code := wimx(dir, args...); code != 0 {
				t.Fatalf("wimx %q: status %d: %s", args, code, errs)
			}
		},
		"wimlib": func(args ...string) { wimtest.MustRun(t, dir, wimtest.Wimlib, args...) },
	}
	for _, fix := range []string{"--rpfix", "--norpfix"} {
		data := map[string]string{} // links as archives hold them
		out := map[string]string{}
		for by, capture := range programs {
			archive := filepath.Join(dir, by+fix+".wim")
			capture("capture", in, archive, fix)
			data[by] = mustWimx(t, "dir", archive, "--detailed")
			for to, apply := range programs {
				base := filepath.Join(dir, by+fix+to)
				apply("apply", archive, "1", base)
				out[by+" and "+to] = links(base)
				again := base + ".wim"
				capture("capture", base, again, fix)
				apply("apply", again, "1", base+" again")
				out[by+" and "+to+" again"] = strings.ReplaceAll(links(base+" again"), base, "BASE")
			}
			plain := filepath.Join(dir, by+fix+" plain")
			for _, apply := range programs {
				os.RemoveAll(plain)
				apply("apply", archive, "1", plain, "--norpfix")
				if first := out["plain"]; first != "" && first != links(plain) {
					t.Errorf("%s, --norpfix:\n%s", fix, firstLine(first, links(plain)))
				}
				out["plain"] = links(plain)
			}
		}
		delete(out, "plain")
		want := links(in)
		if fix == "--norpfix" {
			want = strings.ReplaceAll(want, "BASE", in)
		}
		for who, got := range out {
			if got != want {
				t.Errorf("%s %s:\n%s", who, fix, firstLine(want, got))
			}
		}
	}
}

func TestWindowsTarget(t *testing.T) {
	for stored, want := range map[string]string{
		`\??\C:`: `C:\`, `\??\C:\`: `C:\`, `\??\C:\a`: `C:\a`, `\??\UNC\server\share`: `\\server\share`, volume + `\`: `\\?\` + volume[4:] + `\`,
		`..\a`: `..\a`, `\a`: `\a`, `C:\a`: `C:\a`, `\??\GLOBALROOT\Device\x`: `\\?\GLOBALROOT\Device\x`,
	} {
		if got := nativeName(windowsTarget(units(stored))); got != want {
			t.Errorf("%s is %s, want %s", stored, got, want)
		}
	}
}

// TestBadLinks applies, extracts and lists links with damaged, missing, malformed or too long data: nothing is written in their place
// unless recovery is requested, and the status is not 0.
func TestBadLinks(t *testing.T) {
	good := wimtest.SymlinkData(`a\b`, `a\b`, true)
	for name, x := range map[string]struct {
		data    []byte
		hash    [20]byte
		missing bool
		status  int
		recover string // target with --recover-data; "" if recovery does not help
	}{
		"damaged":       {data: good, hash: [20]byte{1}, status: exitHash, recover: "a/b"},
		"missing":       {data: good, missing: true, status: exitMissingContent},
		"short":         {data: good[:9], status: exitReparse, recover: "file"},
		"past the end":  {data: append([]byte{255, 255}, good[2:]...), status: exitReparse, recover: "file"},
		"with a NUL":    {data: wimtest.SymlinkData("a\x00b", "a", true), status: exitReparse, recover: "file"},
		"of half units": {data: append([]byte{0, 0, 5}, good[3:]...), status: exitReparse, recover: "file"},
		"too long":      {data: append(good[:len(good):len(good)], make([]byte, 20000)...), status: exitReparseData},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			link := &wimtest.HandEntry{Name: "l", Attrs: 0x400, Tag: format.TagSymlink, Data: x.data, Hash: x.hash}
			h := wimtest.One(wimtest.Folder("", wimtest.TextFile("f", "x"), link))
			if x.missing {
				h.Blobs = h.Blobs[:1]
			}
			archive := filepath.Join(dir, "a.wim")
			if err := os.WriteFile(archive, h.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			for i, line := range [][]string{{"apply", archive, "1", "OUT"}, {"extract", archive, "1", "--dest-dir=OUT"}, {"extract", archive, "1", "/l", "--dest-dir=OUT"}} {
				for _, rescue := range []bool{false, true} {
					out := filepath.Join(dir, fmt.Sprint("out", i, rescue))
					args := strings.Split(strings.ReplaceAll(strings.Join(line, "\n"), "OUT", out), "\n")
					if rescue {
						args = append(args, "--recover-data")
					}
					_, errs, code := wimx(dir, args...)
					target, err := os.Readlink(filepath.Join(out, "l"))
					if _, there := os.Lstat(filepath.Join(out, "l")); err != nil && there == nil {
						target = "file"
					}
					status, want := x.status, ""
					if rescue && x.recover != "" {
						status, want = 0, x.recover
					}
					if code != status || target != want || !strings.Contains(errs, "/l") {
						t.Errorf("%q: status %d, %q there; want %d, %q: %s", args, code, target, status, want, errs)
					}
				}
			}
			list, errs, code := wimx(dir, "dir", archive, "--json")
			if x.status == exitReparse {
				return // the data are valid, but contain no path
			}
			want := exitHash
			if x.missing {
				want = 0
			}
			if code != want || strings.Contains(list, "TargetOf") || !strings.Contains(list, `"linkError"`) {
				t.Errorf("dir: status %d: %s%s", code, errs, list)
			}
		})
	}
}
