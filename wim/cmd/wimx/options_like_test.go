//go:build !js

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// TestOptionsLikeWimlib gives each verb every option of every verb of both programs: both accept it with the same output, or both refuse
// it with the same status. Options that only wimx has are listed here.
func TestOptionsLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := memoryDir(t)
	for name, text := range map[string]string{"tree/a": "a", "tree/sub/b": "b", "one.ini": "[ExclusionList]\n*.tmp\n", "list": "'" + dir + "/tree' /\n"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{"capture #/tree @/a.wim one", "append #/tree @/a.wim two", "capture #/tree @/one.wim one", "split @/a.wim @/s.swm 1"} {
		peerRun(t, dir, dir, line, false)
	}
	archives := map[string][]byte{}
	for _, name := range []string{"a.wim", "one.wim", "s.swm"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		archives[name] = b
	}
	run := func(line string, ours bool) (code int, out, errs string) {
		t.Helper()
		side := filepath.Join(dir, "side")
		if err := os.RemoveAll(side); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(side, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, b := range archives {
			if err := os.WriteFile(filepath.Join(side, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		args := strings.Fields(strings.NewReplacer("@", side, "#", dir).Replace(line))
		const input = "delete /a\n"
		if ours {
			out, errs, code = wimxInput(input, args...)
			return code, steadyOutput(out), errs
		}
		cmd := exec.Command(wimtest.Wimlib, args...)
		cmd.Stdin = strings.NewReader(input)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), steadyOutput(stdout.String()), stderr.String()
	}
	both := func(line string) {
		t.Helper()
		got, out, errs := run(line, true)
		want, wantOut, theirs := run(line, false)
		if got != want {
			t.Errorf("%s: status %d, want %d\n%s\n%s", line, got, want, errs, theirs)
		} else if d := firstLine(wantOut, out); d != "" && got != exitUsage { // where wimlib-imagex shows its usage there
			t.Errorf("%s: %s", line, d)
		}
	}

	lines := map[string]string{
		"append": "append #/tree @/a.wim three", "apply": "apply @/a.wim 1 @/out", "capture": "capture #/tree @/x.wim", "delete": "delete @/a.wim 1",
		"dir": "dir @/a.wim 1", "export": "export @/a.wim 1 @/x.wim", "extract": "extract @/a.wim 1 /a --dest-dir=@/out", "info": "info @/a.wim 1",
		"join": "join @/x.wim @/s.swm", "optimize": "optimize @/a.wim", "split": "split @/a.wim @/x.swm 1", "update": "update @/a.wim 1", "verify": "verify @/a.wim",
	}
	values := map[string]string{
		"command": "delete/a", "compact": "lzx", "compress": "LZX", "chunk-size": "32K", "config": "#/one.ini", "delta-from": "@/one.wim", "dest-dir": "@/other",
		"extract-xml": "@/xml", "flags": "Core", "image-property": "A=b", "path": "/sub", "ref": "@/one.wim", "solid-chunk-size": "1M", "solid-compress": "LZX",
		"threads": "1", "update-of": "@/one.wim:1", "wimboot-config": "#/one.ini",
	}
	// For all verbs that have the option, or for these.
	own := map[string]string{
		"dry-run": "", "verify-after": "", "skip-errors": "", "json": "", "no-integrity": "", "group": "", "windows": "", "repair-windows": "", "zip": "", "tar": "",
		"ref": "delete info optimize split update", "force": "delete split", "rebuild": "optimize", "nocheck": "apply delete extract join split update",
		"no-check": "apply delete extract join split update", "threads": "apply delete extract info join split verify", "check": "verify",
		"compress": "split", "chunk-size": "split", "solid": "split", "solid-compress": "split", "solid-chunk-size": "split", "pipable": "split", "not-pipable": "split",
		"no-solid-sort": "split",
	}
	options := []string{ // options of mounting, prefixes of other options, and some of wimx
		"allow-other", "commit", "debug", "lazy", "new-image", "staging-dir=x", "streams-interface=none", "metadata", "solid-c=LZX", "unsafe",
		"no-check", "no-solid-sort", "verbose", "json",
	}
	for _, v := range verbs() {
		for _, o := range v.opts {
			text := o.name
			if o.value {
				text += "=" + values[o.name]
			}
			if !slices.Contains(options, text) {
				options = append(options, text)
			}
		}
	}
	for verb, line := range lines {
		for _, text := range options {
			name, _, _ := strings.Cut(text, "=")
			line := line + " --" + text
			if verb == "info" && name == "include-integrity" { // wimx adds the table, where wimlib-imagex only shows the image
				continue
			}
			if of, ok := own[name]; ok && (of == "" || slices.Contains(strings.Fields(of), verb)) {
				if code, _, errs := run(line, false); code != exitUsage {
					t.Errorf("%s: wimlib-imagex gives status %d for an option that is ours\n%s", line, code, errs)
				}
				continue
			}
			both(line)
		}
	}

	for _, line := range []string{
		"capture #/list @/x.wim --source-list", "append #/tree @/a.wim --create", "append #/tree @/none.wim --create",
		"capture #/tree @/x.wim --compress=max", "capture #/tree @/x.wim --compress=fast:20", "capture #/tree @/x.wim --compress=recovery", "capture #/tree @/x.wim --compress=NONE",
		"capture #/tree @/x.wim --chunk-size=32k", "capture #/tree @/x.wim --compress=LZMS --chunk-size=1m", "capture #/tree @/x.wim --solid --no-solid-sort",
		"capture #/tree @/x.wim --chunk-size=32kib", "capture #/tree @/x.wim --chunk-size=32Kib", "capture #/tree @/x.wim --chunk-size=32K1",
		"optimize @/a.wim --recompress --no-check", "update @/a.wim 1 --verbose",
		"info @/one.wim all name", "info @/one.wim all name words", "info @/one.wim ALL --boot", "info @/one.wim * --image-property=A=b", "info @/one.wim 0 --boot",
		"info @/a.wim -h", "info @/a.wim -he", "info @/a.wim --b", "info @/a.wim 1 x --no", "info @/a.wim 1 x --no-", "info @/a.wim -ext=@/xml", "info @/a.wim -ext @/xml",
		"info @/a.wim 1 --boo -im=A=b", "capture #/tree @/x.wim -v", "capture #/tree @/x.wim --ver", "capture #/tree @/x.wim --comp none -boo", "append #/tree @/a.wim three -v",
		"extract @/a.wim 1 /a -t", "extract @/a.wim 1 /a -de=@/out", "extract @/a.wim 1 /a --no", "apply @/a.wim 1 @/out --no-at --n", "optimize @/a.wim -r", "optimize @/a.wim --re",
		"split @/a.wim @/x.swm 1 -c", "split @/a.wim @/x.swm 1 -i", "join @/x.wim @/s.swm -c", "verify @/a.wim -r=@/one.wim", "verify @/a.wim -n", "dir @/a.wim 1 -d", "dir @/a.wim -o -p /a",
		"update @/a.wim 1 -d", "update @/a.wim 1 -s", "update @/a.wim 1 -v", "update @/a.wim 1 -comm=delete/a", "export @/a.wim 1 @/x.wim -reb", "export @/a.wim 1 @/x.wim -re", "delete @/a.wim 1 -s",
		"info @/one.wim 0 name", "info @/one.wim 0 --boot --image-property=A=b", "info @/a.wim all name", "info @/a.wim all --boot", "update @/one.wim all",
	} {
		both(line)
	}
}

// memoryDir creates a folder in memory, if possible, where syncing a file takes no time.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "wimx-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
