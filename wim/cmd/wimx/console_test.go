//go:build !js

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"wimscope/wim/wimtest"
)

// writeLoud writes a tree with compressible contents, some of the same size, so that these are hashed first.
func writeLoud(t *testing.T, dir string) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 12 {
		var b strings.Builder
		for b.Len() < 50_000 {
			fmt.Fprintf(&b, "line %d of %d\n", r.IntN(1000), i)
		}
		p := filepath.Join(dir, "tree", fmt.Sprint(i%3), fmt.Sprint("f", i))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(b.String()[:50_000]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// everyVerb has command lines in an order in which each finds what it needs. "@" is a folder with tree and empty.
var everyVerb = []string{
	"capture @/tree @/a.wim name --check", "append @/empty @/a.wim second", "append @/tree/0 @/a.wim third", "verify @/a.wim", "apply @/a.wim 1 @/out", "apply @/a.wim all @/all --check",
	"extract @/a.wim 1 /0 --dest-dir=@/some", "export @/a.wim 1 @/b.wim", "export @/a.wim 3 @/b.wim", "export @/a.wim all @/c.wim --compress=XPRESS --check",
	"export @/a.wim 1 @/d.wim --solid", "optimize @/c.wim", "optimize @/b.wim --recompress --compress=none --check", "split @/b.wim @/s.swm 0.2 --check", "join @/j.wim @/s.swm @/s2.swm @/s3.swm",
	"delete @/c.wim 2", "info @/a.wim 1 another", "info @/a.wim 1 another", "info @/a.wim 1 --boot", "update @/a.wim 1 --command=add'@/tree/1''/new'",
	"update @/a.wim 1 --command=delete'--recursive''/new'", "update @/a.wim 1 --command=rename'/0''/zero'", "capture @/tree @/p.wim --pipable --compress=none", "verify @/p.wim --nocheck",
	"capture @/tree/2 @/q.wim --quiet", "capture @/empty @/e.wim", "apply @/e.wim @/none", "export @/e.wim 1 @/e2.wim", "optimize @/e.wim",
}

// verbArgs splits a line of everyVerb. An apostrophe stands for a space within an argument, two for one before a path.
func verbArgs(line, dir string) []string {
	args := strings.Fields(strings.ReplaceAll(line, "@", dir))
	for i := range args {
		args[i] = strings.TrimSuffix(strings.ReplaceAll(strings.ReplaceAll(args[i], "''", " "), "'", " "), " ")
	}
	return args
}

// plainWords removes from output what differs from run to run, or depends on how often progress is printed.
func plainWords(s, dir string) []string {
	s = strings.NewReplacer("\r", "\n", dir, "@").Replace(s)
	for _, x := range [][2]string{
		{`[0-9]+ (bytes|KiB|MiB)`, "N"}, {`[0-9]+%`, "N%"}, {`with [0-9]+ threads?`, "with N threads"}, {`[0-9]+ files, [0-9]+ directories\) *`, "N)"}, {`part [0-9]+ of [0-9]+`, "part N of N"},
		{`-?N$`, "N"},
	} {
		s = regexp.MustCompile("(?m)"+x[0]).ReplaceAllString(s, x[1])
	}
	lines := slices.DeleteFunc(strings.Split(s, "\n"), func(l string) bool { return l == "" })
	return slices.Compact(lines)
}

// TestWordsLikeWimlib compares standard output of both programs, verb by verb.
func TestWordsLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := memoryDir(t)
	ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	writeLoud(t, ours)
	writeLoud(t, theirs)
	for _, line := range everyVerb {
		cmd := exec.Command(wimtest.Wimlib, verbArgs(line, theirs)...)
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("wimlib-imagex %s: %v\n%s", line, err, &errs)
		}
		got, problems, code := wimx("", verbArgs(line, ours)...)
		if code != 0 {
			t.Fatalf("wimx %s: status %d\n%s", line, code, problems)
		}
		want, have := plainWords(string(out), theirs), plainWords(got, ours)
		if verb, _, _ := strings.Cut(line, " "); verb == "verify" || verb == "split" {
			// Integrity tables are compared after the contents, and made with the parts.
			slices.Sort(want)
			slices.Sort(have)
			want, have = slices.Compact(want), slices.Compact(have)
		}
		if !slices.Equal(want, have) {
			t.Errorf("%s:\n%s\nwant\n%s", line, strings.Join(have, "\n"), strings.Join(want, "\n"))
		}
	}
}

// progressLine matches progress as public programs do.
var progressLine = regexp.MustCompile(`^([A-Za-z].*): +[0-9]+ [A-Za-z]+ of [0-9]+ [A-Za-z]+ \((\d+)%\) (?:done|written, part \d+ of \d+)$`)

// checkProgress checks that progress lines overwrite each other, never decrease, and reach 100%. It returns the phases.
func checkProgress(t *testing.T, name, out string) (phases []string) {
	t.Helper()
	last, phase := -1, ""
	for line := range strings.Lines(out) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\r")
		for _, p := range parts[1:] {
			m := progressLine.FindStringSubmatch(p)
			if m == nil {
				if !strings.Contains(p, " scanned (") {
					t.Errorf("%s: %q overwrites a line", name, p)
				}
				continue
			}
			n, _ := strconv.Atoi(m[2])
			if m[1] != phase || last == 100 && n < 100 { // the same again, of the next part or image
				if phase != "" && last != 100 {
					t.Errorf("%s: %s ends at %d%%", name, phase, last)
				}
				phase, last = m[1], -1
				phases = append(phases, phase)
			}
			if n < last || n > 100 {
				t.Errorf("%s: %s: %d%% after %d%%", name, phase, n, last)
			}
			last = n
		}
	}
	if phase != "" && last != 100 {
		t.Errorf("%s: %s ends at %d%%", name, phase, last)
	}
	return phases
}

// TestProgressGrows checks every progress line of every verb.
func TestProgressGrows(t *testing.T) {
	dir := memoryDir(t)
	writeLoud(t, dir)
	seen := map[string]bool{}
	for _, line := range append(slices.Clone(everyVerb), "capture @/tree @/solid.wim --solid --solid-chunk-size=64K --threads=4", "capture @/tree @/piped.wim --pipable --threads=4",
		"delete @/d.wim 1 --unsafe-compact --force", "optimize @/a.wim --unsafe-compact --check") {
		out, errs, code := wimx("", verbArgs(line, dir)...)
		if code != 0 {
			t.Fatalf("%s: status %d\n%s", line, code, errs)
		}
		if strings.Contains(line, "--quiet") && out != "" {
			t.Errorf("%s prints %q", line, out)
		}
		for _, p := range checkProgress(t, line, out) {
			p, _, _ = strings.Cut(p, ` "`)
			seen[p] = true
		}
	}
	for _, p := range []string{"Archiving file data", "Extracting file data", "Verifying file data", "Splitting WIM", "Verifying integrity of", "Calculating integrity table for WIM"} {
		if !seen[p] {
			t.Errorf("no verb prints %q", p)
		}
	}
}

// eachWrite calls f for each write.
type eachWrite func(string)

func (f eachWrite) Write(b []byte) (int, error) {
	f(string(b))
	return len(b), nil
}

// TestProgressAsItHappens checks that progress is printed before the archive exists.
func TestProgressAsItHappens(t *testing.T) {
	dir := memoryDir(t)
	writeLoud(t, dir)
	before, after := 0, 0
	code := run(context.Background(), verbArgs("wimx capture @/tree @/a.wim", dir), strings.NewReader(""), eachWrite(func(s string) {
		if !strings.Contains(s, "%) done") {
			return
		}
		if _, err := os.Stat(dir + "/a.wim"); errors.Is(err, fs.ErrNotExist) {
			before++
		} else {
			after++
		}
	}), &bytes.Buffer{})
	if code != 0 || before < 3 || after > 0 {
		t.Errorf("status %d; %d lines came before the archive was there, and %d after", code, before, after)
	}
}

// TestMessagesAside checks that messages go to standard error if data go to standard output.
func TestMessagesAside(t *testing.T) {
	dir := memoryDir(t)
	writeLoud(t, dir)
	out, errs, code := wimx("", verbArgs("capture @/tree -", dir)...)
	if code != 0 || !strings.HasPrefix(out, "WLPWM") || !strings.Contains(errs, `Scanning "`) || len(checkProgress(t, "capture -", errs)) != 1 {
		t.Errorf("capture: status %d, %d bytes\n%s", code, len(out), errs)
	}
	if err := os.WriteFile(dir+"/a.wim", []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile(dir + "/tree/0/f0")
	out, errs, code = wimx("", verbArgs("extract @/a.wim 1 /0/f0 --to-stdout --check", dir)...)
	if code != 0 || out != string(want) {
		t.Errorf("extract: status %d, %d bytes\n%s", code, len(out), errs)
	}
	_, errs, code = wimx("", verbArgs("capture @/tree - --quiet", dir)...)
	if code != 0 || errs != "" {
		t.Errorf("capture --quiet: status %d\n%s", code, errs)
	}
	_, errs, code = wimx("", verbArgs("capture @/tree - --json", dir)...)
	if list := events(t, "capture - --json", errs); code != 0 || list[len(list)-1]["event"] != "done" {
		t.Errorf("capture --json: status %d\n%s", code, errs)
	}
}

// events parses JSON lines.
func events(t *testing.T, name, text string) (list []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		e := map[string]any{}
		if strings.HasPrefix(line, "[") { // the documents of dir, search and diff are arrays
			e["event"] = "document"
			var all []any
			if err := json.Unmarshal([]byte(line), &all); err != nil {
				t.Fatalf("%s: %q: %v", name, line, err)
			}
		} else if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %q: %v", name, line, err)
		}
		if e["event"] == nil {
			e["event"] = "document"
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		t.Fatalf("%s: no line of JSON", name)
	}
	return list
}

// TestJSONOfEveryVerb checks that each verb prints JSON lines with --json, the last being the result.
func TestJSONOfEveryVerb(t *testing.T) {
	dir := memoryDir(t)
	writeLoud(t, dir)
	tried := map[string]bool{}
	for _, line := range append(slices.Clone(everyVerb), "dir @/a.wim 1", "info @/a.wim", "search @/a.wim f1", "diff @/a.wim 1 @/a.wim 1", "reorder @/a.wim 2", "capture @/tree @/none.wim --dry-run") {
		args := append(verbArgs(line, dir), "--json")
		tried[args[0]] = true
		out, errs, code := wimx("", args...)
		if code != 0 {
			t.Fatalf("%s: status %d\n%s", line, code, errs)
		}
		list := events(t, line, out)
		want := "done"
		switch {
		case args[0] == "dir", args[0] == "search", args[0] == "diff", args[0] == "verify", line == "info @/a.wim":
			want = "document"
		}
		percent := map[any]float64{}
		for i, e := range list {
			if kind := e["event"]; (i == len(list)-1) != (kind == want) {
				t.Errorf("%s: line %d of %d is %v", line, i+1, len(list), e)
			}
			if n, ok := e["percent"].(float64); ok {
				if percent[e["phase"]] == 100 { // of the next part or image
					percent[e["phase"]] = 0
				}
				if n < percent[e["phase"]] || e["done"].(float64) > e["total"].(float64) {
					t.Errorf("%s: %v after %v%%", line, e, percent[e["phase"]])
				}
				percent[e["phase"]] = n
			}
		}
		for phase, n := range percent {
			if n != 100 {
				t.Errorf("%s: %v ends at %v%%", line, phase, n)
			}
		}
	}
	for _, v := range verbs() {
		if !tried[v.name] {
			t.Errorf("%s was not tried", v.name)
		}
	}
	for _, line := range []string{"capture @/missing @/x.wim", "info @/missing", "apply @/a.wim 99 @/x", "info", "info @/a.wim --nonsense", "split @/a.wim @/tree 1", "verify @/tree/0/f0"} {
		out, errs, code := wimx("", append(verbArgs(line, dir), "--json")...)
		list := events(t, line, out)
		e := list[len(list)-1]
		if code == 0 || e["event"] != "error" || e["status"] != float64(code) || !strings.Contains(errs, fmt.Sprint("ERROR: ", e["message"])) {
			t.Errorf("%s: status %d, %v\n%s", line, code, e, errs)
		}
	}
}

// TestVersion asks for the version in all ways that scripts use.
func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"--version"}, {"capture", "--version"}, {"info", "a", "b", "--version", "--nonsense"}} {
		out, errs, code := wimx("", args...)
		if code != 0 || errs != "" || !strings.HasPrefix(out, "wimx (Wimscope) ") || !strings.Contains(out, "commit ") || !strings.Contains(out, " go1.") {
			t.Errorf("%v: status %d\n%s%s", args, code, out, errs)
		}
	}
	if _, _, code := wimx("", "capture", "--", "--version"); code != exitUsage {
		t.Errorf("what stands behind -- is no option: status %d", code)
	}
	var out bytes.Buffer
	if code := run(context.Background(), []string{"/usr/bin/wiminfo", "--version"}, strings.NewReader(""), &out, &out); code != 0 || !strings.HasPrefix(out.String(), "wimx ") {
		t.Errorf("wiminfo --version: status %d, %s", code, &out)
	}
	b := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc123"}, {Key: "vcs.modified", Value: "true"}}}
	if s := versionLine(b); !strings.Contains(s, " v1.2.3, commit abc123 with changes, go") {
		t.Errorf("version: %s", s)
	}
}

// TestUnknownCommand checks that an unknown verb gives one line and a hint.
func TestUnknownCommand(t *testing.T) {
	for line, want := range map[string]string{
		"captur a b": `did you mean "capture"?`, "extrct": `did you mean "extract"?`, "frobnicate": `"wimx --help" lists the commands`, "capture": `"wimx capture --help" lists`,
		"info --nonsense a": `"wimx info --help" lists`, "mount a b": "extract and update",
	} {
		out, errs, code := wimx("", strings.Fields(line)...)
		if (code != exitCommand && code != exitUsage) || out != "" || strings.Count(errs, "\n") != 2 || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d\n%s%s", line, code, out, errs)
		}
	}
	if _, err := exec.LookPath(wimtest.Wimlib); err == nil {
		for _, line := range []string{"captur a b", "", "capture", "info --nonsense a"} {
			cmd := exec.Command(wimtest.Wimlib, strings.Fields(line)...)
			cmd.Run()
			if _, _, code := wimx("", strings.Fields(line)...); code != cmd.ProcessState.ExitCode() {
				t.Errorf("%q: status %d, want %d", line, code, cmd.ProcessState.ExitCode())
			}
		}
	}
}

// bareWords matches messages of the system.
var bareWords = regexp.MustCompile(`openat|mkdirat|no such file or directory|not a directory|file already closed|permission denied|no space left|: (open|mkdir|stat|lstat|read|write) /`)

// TestErrorWords checks that messages of the system become sentences, wherever they are in the text.
func TestErrorWords(t *testing.T) {
	at := func(op string, err error) error { return &fs.PathError{Op: op, Path: "d", Err: err} }
	for _, c := range []struct {
		err        error
		text, hint string
	}{
		{at("openat", syscall.ENOENT), `cannot open "d": no such file or folder`, ""},
		{coded(exitOpen, at("mkdirat", syscall.ENOTDIR)), `cannot create the folder "d": part of the path is a file, not a folder`, ""},
		{fmt.Errorf("wim: writing 4 bytes at 0x10: %w", at("write", syscall.ENOSPC)), `writing 4 bytes at 0x10: cannot write "d": the disk is full`, "free some space"},
		{fmt.Errorf("file x: %w; more", at("write", syscall.EFBIG)), `file x: cannot write "d": the file is larger than this file system or a limit allows; more`, "4 GiB - 1"},
		{at("open", syscall.EACCES), `cannot open "d": permission denied`, "permissions"},
		{at("open", syscall.EMFILE), `cannot open "d": too many files are open at once`, "ulimit -n"},
		{at("read", syscall.EIO), `cannot read "d": the disk reports an error`, "log"},
		{at("open", syscall.EROFS), `cannot open "d": the file system is mounted read-only`, "for writing"},
		{at("open", syscall.EISDIR), `cannot open "d": it is a folder`, "name a file"},
		{at("openat", fs.ErrClosed), `cannot open "d": it was closed too early, which is a bug in wimx`, "report"},
		{&os.LinkError{Op: "renameat", Old: "a", New: "b", Err: syscall.EXDEV}, `cannot rename "a" as "b": source and destination are on different file systems`, ""},
		{os.NewSyscallError("flock", syscall.EIO), "cannot lock: the disk reports an error", "log"},
		{codef(exitOpen, "cannot write %q: %w", "d", syscall.ENOENT), `cannot write "d": no such file or folder`, ""},
		{hinted{codef(1, "something"), "do this"}, "something", "do this"},
		{errors.New("words of ours: stay"), "words of ours: stay", ""},
	} {
		text, hint := explain(c.err)
		if text != c.text || !strings.Contains(hint, c.hint) || (c.hint == "") != (hint == "") {
			t.Errorf("%v:\n%s\n%s\nwant\n%s\n%s", c.err, text, hint, c.text, c.hint)
		}
	}
	dir := memoryDir(t)
	writeLoud(t, dir)
	mustWimx(t, "capture", dir+"/tree", dir+"/a.wim")
	for _, line := range []string{
		"capture @/missing @/x.wim", "capture @/tree @/missing/x.wim", "capture @/tree @/tree", "capture @/tree @/a.wim/x", "capture @/tree/0/f0 @/x.wim", "info @/missing", "info @/tree", "info @/a.wim/x",
		"apply @/missing @/out", "apply @/a.wim 1 @/tree/0/f0", "apply @/a.wim 1 @/tree/0/f0/x", "extract @/a.wim 1 @@/missing", "extract @/a.wim 1 /0 --dest-dir=@/a.wim", "export @/a.wim 1 @/missing/x.wim",
		"append @/tree @/missing", "append @/missing @/a.wim", "optimize @/missing", "split @/a.wim @/missing/x 1", "join @/missing/x @/a.wim", "join @/x.wim @/missing", "update @/missing --command=delete'/0",
		"verify @/a.wim --ref=@/missing", "capture @/tree @/x.wim --config=@/missing", "capture @/list @/x.wim --source-list", "info @/a.wim --extract-xml=@/missing/x", "capture @/tree @/x.wim --delta-from=@/missing",
	} {
		_, errs, code := wimx("", verbArgs(line, dir)...)
		if code == 0 || !strings.HasPrefix(errs, "ERROR: ") || bareWords.MatchString(errs) {
			t.Errorf("%s: status %d\n%s", line, code, errs)
		}
	}
}
