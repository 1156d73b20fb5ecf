//go:build !js

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"wimscope/wim/codec"
	"wimscope/wim/wimtest"
	"wimscope/wim/xmldoc"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// wimxInput runs the program in this process, with the given standard input.
func wimxInput(input string, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"wimx"}, args...), strings.NewReader(input), &out, &errs)
	return out.String(), errs.String(), code
}

// hooked runs the program with a function that is called before each write to an archive.
func hooked(ctx context.Context, hook func(off int64, n int) error, args ...string) (stderr string, code int) {
	var out, errs bytes.Buffer
	t := &tool{ctx: ctx, stdin: strings.NewReader(""), console: console{stdout: bufio.NewWriter(&out), stderr: &errs}, written: hook}
	code = t.report(t.dispatch(append([]string{"wimx"}, args...)))
	return errs.String(), code
}

// brokenOff are commands that change a.wim or write beside it, for tests that interrupt them.
func brokenOff(dir string) map[string][]string {
	at := func(name string) string { return filepath.Join(dir, name) }
	return map[string][]string{
		"capture":  {"capture", at("tree"), at("new.wim")},
		"over":     {"capture", at("tree"), at("a.wim")},
		"append":   {"append", at("tree"), at("a.wim"), "x"},
		"rebuild":  {"append", at("tree"), at("a.wim"), "x", "--rebuild"},
		"update":   {"update", at("a.wim"), "1", "--command=add " + at("tree") + " /x"},
		"delete":   {"delete", at("a.wim"), "1"},
		"soft":     {"delete", at("a.wim"), "1", "--soft"},
		"export":   {"export", at("b.wim"), "1", at("a.wim"), "x"},
		"optimize": {"optimize", at("a.wim"), "--recompress"},
		"split":    {"split", at("a.wim"), at("p.swm"), "0.5"},
		"join":     {"join", at("new.wim"), at("q.swm"), at("q2.swm")},
		"info":     {"info", at("a.wim"), "1", "other"},
		"reorder":  {"reorder", at("a.wim"), "2"},
	}
}

func prepareBrokenOff(t *testing.T, dir string) {
	t.Helper()
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	r := newRand(3)
	for i := range 4 {
		if err := os.WriteFile(filepath.Join(tree, fmt.Sprint(i)), wimtest.Noise.Make(r, 400<<10), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a, b := filepath.Join(dir, "a.wim"), filepath.Join(dir, "b.wim")
	if err := writeBig(a); err != nil {
		t.Fatal(err)
	}
	mustWimx(t, "capture", tree, b, "--compress=fast:20", "--quiet")
	mustWimx(t, "export", b, "1", a, "two", "--quiet", "--check")
	mustWimx(t, "split", b, filepath.Join(dir, "q.swm"), "0.9", "--quiet")
	if err := os.WriteFile(filepath.Join(tree, "new"), wimtest.Noise.Make(r, 300<<10), 0o644); err != nil {
		t.Fatal(err)
	}
}

// files reads all files of a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, e := range mustReadDir(t, dir) {
		if e.Type().IsRegular() {
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all[e.Name()] = string(b)
		}
	}
	return all
}

// TestCutOff stops commands before each of their writes in turn, by Ctrl-C and by a full disk. The old files must be
// unchanged, and no other files may exist.
func TestCutOff(t *testing.T) {
	dir := t.TempDir()
	prepareBrokenOff(t, dir)
	before := files(t, dir)
	check := func(what string) {
		t.Helper()
		after := files(t, dir)
		for name, want := range before {
			if got, ok := after[name]; !ok || got != want {
				t.Fatalf("%s: %s has %d bytes, and had %d", what, name, len(got), len(want))
			}
		}
		for name := range after {
			if _, ok := before[name]; !ok {
				t.Fatalf("%s: %s was left behind", what, name)
			}
		}
	}
	for name, args := range brokenOff(dir) {
		for at := 0; ; at += 1 + at/4 {
			n := 0
			errs, code := hooked(t.Context(), func(int64, int) error {
				if n++; n > at {
					return syscall.ENOSPC
				}
				return nil
			}, args...)
			if code == 0 {
				if at == 0 {
					t.Errorf("%s wrote nothing", name)
				}
				break
			}
			if code != exitWrite || !strings.Contains(errs, "disk is full") {
				t.Fatalf("%s, full at write %d: status %d, %s", name, at, code, errs)
			}
			check(fmt.Sprintf("%s, full at write %d", name, at))
		}
		restore(t, dir, before)
		for at := 0; ; at += 1 + at/4 {
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			_, code := hooked(ctx, func(int64, int) error {
				if n++; n > at {
					cancel()
				}
				return nil
			}, args...)
			cancel()
			if code == 0 { // too late
				break
			}
			if code != exitInterrupted {
				t.Fatalf("%s, interrupted at write %d: status %d", name, at, code)
			}
			check(fmt.Sprintf("%s, interrupted at write %d", name, at))
		}
		restore(t, dir, before)
	}
}

// TestSignals stops a running program with the signals that request it, and checks that it cleans up.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals")
	}
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, "large"), wimtest.Mixed.Make(newRand(9), 60<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	hangup := syscall.Signal(1)
	// If this test runs under nohup, the programs started here would ignore the signal too; a caught signal is not inherited
	// as ignored.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, hangup)
	defer signal.Stop(caught)
	for _, c := range []struct {
		s     os.Signal
		nohup bool // SIGHUP is sent first, and is ignored
	}{{os.Interrupt, false}, {syscall.SIGTERM, false}, {hangup, false}, {syscall.SIGTERM, true}} {
		s := c.s
		args := []string{"wimx", "capture", tree, filepath.Join(dir, "a.wim"), "--compress=LZMS:100", "--threads=1"}
		if c.nohup {
			args = append([]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh"}, args...)
		}
		cmd := exec.Command(args[0], args[1:]...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for writing := false; !writing; time.Sleep(time.Millisecond) {
			for _, e := range mustReadDir(t, dir) {
				writing = writing || strings.Contains(e.Name(), tempMark)
			}
		}
		if c.nohup {
			if err := cmd.Process.Signal(hangup); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond)
			if list := mustReadDir(t, dir); len(list) != 2 {
				t.Errorf("SIGHUP is not ignored: %v", list)
			}
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		var ee *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &ee) || ee.ExitCode() != exitInterrupted || !strings.Contains(errs.String(), "interrupted") {
			t.Errorf("%v: %v, %s", s, err, &errs)
		}
		if list := mustReadDir(t, dir); len(list) != 1 {
			t.Errorf("%v: %v are left", s, list)
		}
	}
}

// TestVerifyAfter damages the output before it is verified: a new file is not kept, and an archive changed in place is
// reported, also if it lacked blobs before.
func TestVerifyAfter(t *testing.T) {
	dir := t.TempDir()
	prepareBrokenOff(t, dir)
	at := func(name string) string { return filepath.Join(dir, name) }
	mustWimx(t, "capture", at("tree"), at("delta.wim"), "--delta-from="+at("b.wim"), "--compress=none")
	for _, c := range []struct {
		args  []string
		file  string // pattern of the output
		words string
	}{
		{[]string{"capture", at("tree"), at("new.wim")}, "new.wim" + tempMark + "*", "was not kept"},
		{[]string{"split", at("a.wim"), at("new.swm"), "9"}, "new.swm" + tempMark + "*", "was not kept"},
		{[]string{"info", at("delta.wim"), "1", "name"}, "delta.wim", "was written"},
	} {
		errs, code := hooked(t.Context(), func(off int64, _ int) error {
			if off != 0 { // the header is written last
				return nil
			}
			names, err := filepath.Glob(at(c.file))
			if err != nil || len(names) != 1 {
				return fmt.Errorf("%v, %v", names, err)
			}
			f, err := os.OpenFile(names[0], os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			b := make([]byte, 1)
			if _, err := f.ReadAt(b, 1000); err != nil {
				return nil // nothing is written yet
			}
			_, err = f.WriteAt([]byte{b[0] + 1}, 1000)
			return err
		}, append(c.args, "--verify-after")...)
		if code != exitHash || !strings.Contains(errs, c.words) || !strings.Contains(errs, "Damaged: 1") {
			t.Errorf("%s: status %d: %s", c.args, code, errs)
		}
	}
	if names, err := filepath.Glob(at("new*")); err != nil || names != nil {
		t.Errorf("%v are left, %v", names, err)
	}
}

// fullWriter is standard output on a full disk.
type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestOutputFull writes to standard output on a full disk, both more and less than its buffer holds.
func TestOutputFull(t *testing.T) {
	dir := t.TempDir()
	prepareBrokenOff(t, dir)
	small := filepath.Join(dir, "small")
	if err := os.Mkdir(small, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"capture", small, "-"}, {"capture", filepath.Join(dir, "tree"), "-"}, {"dir", filepath.Join(dir, "b.wim")},
		{"extract", filepath.Join(dir, "b.wim"), "1", "/0", "--to-stdout"},
	} {
		var errs bytes.Buffer
		code := run(t.Context(), append([]string{"wimx"}, args...), strings.NewReader(""), fullWriter{}, &errs)
		if code != exitWrite || !strings.Contains(errs.String(), "the disk is full") {
			t.Errorf("%s: status %d, want %d: %s", args, code, exitWrite, &errs)
		}
	}
}

// TestUpdateCommandsUTF16 reads commands as editors on Windows write them.
func TestUpdateCommandsUTF16(t *testing.T) {
	dir := t.TempDir()
	prepareBrokenOff(t, dir)
	text := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune("rename /0 \"/ä b\"\r\ndelete /1\r\n")) {
		text = binary.LittleEndian.AppendUint16(text, u)
	}
	if _, errs, code := wimxInput(string(text), "update", filepath.Join(dir, "b.wim")); code != 0 {
		t.Fatalf("status %d: %s", code, errs)
	}
	if list := mustWimx(t, "dir", filepath.Join(dir, "b.wim")); list != "/\n/2\n/3\n/ä b\n" {
		t.Errorf("the image has %q", list)
	}
}

// TestBadNames captures a name that cannot be converted to UTF-16.
func TestBadNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("names are any bytes on Linux only")
	}
	dir := t.TempDir()
	tree, file := filepath.Join(dir, "tree"), filepath.Join(dir, "a.wim")
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"good", "bad\xff", "half\xed\xa0\x80"} {
		if err := os.WriteFile(filepath.Join(tree, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, errs, code := wimx("", "capture", tree, file); code != exitName || !strings.Contains(errs, `bad\xff`) {
		t.Errorf("status %d, want %d: %s", code, exitName, errs)
	}
	if _, errs, code := wimx("", "capture", tree, file, "--skip-errors"); code != exitLeftOut || !strings.Contains(errs, `bad\xff`) {
		t.Errorf("status %d: %s", code, errs)
	}
	if list := mustWimx(t, "dir", file); list != "/\n/good\n/half\xed\xa0\x80\n" {
		t.Errorf("the image has %q", list)
	}
	mustWimx(t, "apply", file, "1", filepath.Join(dir, "out"))
	if b, err := os.ReadFile(filepath.Join(dir, "out", "half\xed\xa0\x80")); err != nil || string(b) != "half\xed\xa0\x80" {
		t.Errorf("%q, %v", b, err)
	}
}

// restore restores the files of a folder.
func restore(t *testing.T, dir string, before map[string]string) {
	t.Helper()
	for name := range files(t, dir) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range before {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSourceChanges shortens a file after the scan and before it is read.
func TestSourceChanges(t *testing.T) {
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"capture", "append"} {
		for _, skip := range []bool{false, true} {
			for i := range 3 {
				if err := os.WriteFile(filepath.Join(tree, fmt.Sprint(i)), bytes.Repeat([]byte{byte(i)}, 1000+i), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			file := filepath.Join(dir, verb+".wim")
			if verb == "append" {
				mustWimx(t, "capture", filepath.Join(dir, "tree"), file, "old", "--quiet")
				if err := os.WriteFile(filepath.Join(tree, "1"), bytes.Repeat([]byte{8}, 2000), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			args := []string{verb, tree, file, "name"}
			if skip {
				args = append(args, "--skip-errors")
			}
			shortened := false
			ctx := scanEnds{t.Context(), func() {
				if !shortened {
					shortened = true
					if err := os.Truncate(filepath.Join(tree, "1"), 10); err != nil {
						t.Error(err)
					}
				}
			}}
			errs, code := hooked(ctx, nil, args...)
			switch {
			case skip && (code != exitLeftOut || !strings.Contains(errs, "left out one item;")):
				t.Errorf("%s ends with %d, want %d: %s", verb, code, exitLeftOut, errs)
			case !skip && code != exitChanged:
				t.Errorf("%s ends with %d, want %d: %s", verb, code, exitChanged, errs)
			}
			if !strings.Contains(errs, filepath.Join(tree, "1")+": ") || !strings.Contains(errs, "changed") {
				t.Errorf("%s does not name the file: %s", verb, errs)
			}
			if skip {
				mustWimx(t, "verify", file)
				list := mustWimx(t, "dir", file, "name")
				if list != "/\n/0\n/2\n" {
					t.Errorf("%s has %q", verb, list)
				}
			}
			if err := os.Remove(file); err != nil && (skip || verb == "append") {
				t.Fatal(err)
			}
		}
	}
}

// scanEnds calls a function when it is first asked for an error, which is at the end of a scan.
type scanEnds struct {
	context.Context
	then func()
}

func (s scanEnds) Err() error {
	s.then()
	return s.Context.Err()
}

// TestLocked checks that an archive that another program, such as wimlib, has locked is not changed.
func TestLocked(t *testing.T) {
	if !locksFiles {
		t.Skip("files are not locked here")
	}
	dir := t.TempDir()
	prepareBrokenOff(t, dir)
	name := filepath.Join(dir, "a.wim")
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if taken, err := lockFile(f.Fd()); taken || err != nil {
		t.Fatal(taken, err)
	}
	before := files(t, dir)["a.wim"]
	for what, args := range brokenOff(dir) {
		if args[1] != name && args[2] != name || what == "over" || what == "split" {
			continue // a command that writes a new file needs no lock
		}
		if _, errs, code := wimx(dir, args...); code != exitOther || !strings.Contains(errs, "locked") {
			t.Errorf("%s ends with %d: %s", what, code, errs)
		}
	}
	if files(t, dir)["a.wim"] != before {
		t.Error("the archive is another one now")
	}
	if _, err := wimtest.Run(dir, wimtest.Wimlib, "info", name, "1", "--boot"); err == nil {
		t.Error("wimlib does not see the lock")
	}
}

// TestKeepsPermissions replaces archives, also through a link, and checks their permissions.
func TestKeepsPermissions(t *testing.T) {
	dir := t.TempDir()
	prepareBrokenOff(t, dir)
	link := filepath.Join(dir, "link.wim")
	if err := os.Symlink("a.wim", link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "a.wim"), 0o640); err != nil {
		t.Fatal(err)
	}
	mustWimx(t, "optimize", link)
	mustWimx(t, "capture", filepath.Join(dir, "tree"), link)
	fi, err := os.Lstat(link)
	if err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", fi, err)
	}
	if fi, err := os.Stat(link); err != nil || fi.Mode().Perm() != 0o640 {
		t.Errorf("permissions are %v, %v", fi.Mode(), err)
	}
}

// TestEngineLevel checks how wimlib's three named levels are converted.
func TestEngineLevel(t *testing.T) {
	for n, want := range map[uint64]int{1: codec.LevelFast, 20: codec.LevelFast, 50: codec.LevelNormal, 100: codec.LevelMaximum, 1000: codec.LevelMaximum} {
		if got := engineLevel(n); got != want {
			t.Errorf("level %d is %d, want %d", n, got, want)
		}
	}
}

// TestSetProperty sets elements by paths with numbers.
func TestSetProperty(t *testing.T) {
	doc, err := xmldoc.Parse([]byte(`<IMAGE><WINDOWS><LANGUAGES><LANGUAGE>a</LANGUAGE><LANGUAGE>b</LANGUAGE></LANGUAGES></WINDOWS></IMAGE>`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ property, want string }{
		{"WINDOWS/LANGUAGES/LANGUAGE[2]=c", "<IMAGE><WINDOWS><LANGUAGES><LANGUAGE>a</LANGUAGE><LANGUAGE>c</LANGUAGE></LANGUAGES></WINDOWS></IMAGE>"},
		{"WINDOWS/LANGUAGES/LANGUAGE[3]=d", "<IMAGE><WINDOWS><LANGUAGES><LANGUAGE>a</LANGUAGE><LANGUAGE>c</LANGUAGE><LANGUAGE>d</LANGUAGE></LANGUAGES></WINDOWS></IMAGE>"},
		{"WINDOWS/LANGUAGES/LANGUAGE[2]=", "<IMAGE><WINDOWS><LANGUAGES><LANGUAGE>a</LANGUAGE><LANGUAGE>d</LANGUAGE></LANGUAGES></WINDOWS></IMAGE>"},
		{"WINDOWS/LANGUAGES/LANGUAGE[9]=", "<IMAGE><WINDOWS><LANGUAGES><LANGUAGE>a</LANGUAGE><LANGUAGE>d</LANGUAGE></LANGUAGES></WINDOWS></IMAGE>"},
		{"WINDOWS/LANGUAGES=", "<IMAGE><WINDOWS/></IMAGE>"},
		{"WINDOWS[2]/X[1]=<&", "<IMAGE><WINDOWS/><WINDOWS><X>&lt;&amp;</X></WINDOWS></IMAGE>"},
	} {
		o := &parsed{values: map[string][]string{"image-property": {c.property}}, given: []string{"image-property"}}
		list, err := o.properties()
		if err != nil {
			t.Fatal(err)
		}
		if err := list[0].set(doc.Root()); err != nil {
			t.Errorf("%s: %v", c.property, err)
		}
		if got := doc.String(); got != c.want {
			t.Errorf("%s gives %s, want %s", c.property, got, c.want)
		}
	}
	for _, bad := range []string{"A[0]=x", "A[=x", "A[1=x", "A[99999999]=x", "=x", "1A=x", "A//B=x", "A<=x"} {
		o := &parsed{values: map[string][]string{"image-property": {bad}}, given: []string{"image-property"}}
		if _, err := o.properties(); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
