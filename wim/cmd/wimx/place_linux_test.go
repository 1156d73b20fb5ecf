package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// archiveAndTree creates a folder with a tree and a capture of it: tree and a.wim.
func archiveAndTree(t *testing.T) string {
	t.Helper()
	dir := memoryDir(t)
	if err := os.Mkdir(filepath.Join(dir, "tree"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"f": []byte("text"), "g": bytes.Repeat([]byte("more text, "), 30_000)} {
		if err := os.WriteFile(filepath.Join(dir, "tree", name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mustWimx(t, "capture", dir+"/tree", dir+"/a.wim", "n")
	return dir
}

func lmode(t *testing.T, name string) fs.FileMode {
	t.Helper()
	fi, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Mode()
}

// TestOutputThroughLinks gives each option that names an output a link: the link stays, and its target is replaced and keeps its mode
// and, for root, its owner.
func TestOutputThroughLinks(t *testing.T) {
	dir := archiveAndTree(t)
	mustWimx(t, "split", dir+"/a.wim", dir+"/part.swm", "1")
	root := os.Getuid() == 0
	for name, line := range map[string]string{
		"info --extract-xml": "info #/a.wim --extract-xml=@", "capture": "capture #/tree @ --compress=none", "export": "export #/a.wim 1 @ new", "append": "append #/tree @ again",
		"join": "join @ #/part.swm", "split": "split #/a.wim @ 1", "optimize": "optimize @ --compress=none", "delete": "delete @ 1 --force", "info": "info @ 1 renamed --check",
		"capture --group": "capture #/tree #/meta.wim --group=@",
	} {
		for _, kind := range []string{"link", "chain", "dangling"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				side := filepath.Join(dir, strings.ReplaceAll(name+kind, " ", ""))
				if err := os.MkdirAll(filepath.Join(side, "deep"), 0o755); err != nil {
					t.Fatal(err)
				}
				real, link := filepath.Join(side, "deep", "real.swm"), filepath.Join(side, "x.swm")
				had, _ := os.ReadFile(dir + "/a.wim")
				fails := kind == "dangling" && strings.Contains("append optimize delete info", name)
				if name == "capture --group" {
					os.Remove(dir + "/meta.wim")
					had = nil
				}
				if kind != "dangling" && had != nil {
					if err := os.WriteFile(real, had, 0o600); err != nil {
						t.Fatal(err)
					}
					if root {
						os.Chown(real, 12, 34)
					}
					os.Chmod(real, 0o664) // not possible with the usual umask
				}
				target := "deep/real.swm"
				if kind == "chain" {
					if err := os.Symlink("../deep/real.swm", filepath.Join(side, "deep", "middle")); err != nil {
						t.Fatal(err)
					}
					target = "deep/middle"
				}
				if err := os.Symlink(target, link); err != nil {
					t.Fatal(err)
				}
				args := strings.Fields(strings.NewReplacer("#", dir, "@", link).Replace(line))
				_, errs, code := wimx("", args...)
				if (code != 0) != fails {
					t.Fatalf("%v: status %d\n%s", args, code, errs)
				}
				if m := lmode(t, link); m&fs.ModeSymlink == 0 {
					t.Errorf("the link is %v now", m)
				}
				if fails {
					return
				}
				got, err := os.ReadFile(real)
				if err != nil || bytes.Equal(got, had) {
					t.Errorf("what the link leads to was not written: %v", err)
				}
				if kind == "dangling" || had == nil {
					return
				}
				fi, _ := os.Stat(real)
				if fi.Mode() != 0o664 {
					t.Errorf("its mode is %v", fi.Mode())
				}
				if st := fi.Sys().(*syscall.Stat_t); root && (st.Uid != 12 || st.Gid != 34) {
					t.Errorf("its owner is %d:%d", st.Uid, st.Gid)
				}
			})
		}
	}
	for _, n := range []string{"l1", "l2"} {
		if err := os.Symlink(map[string]string{"l1": "l2", "l2": "l1"}[n], filepath.Join(dir, n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{"info #/a.wim --extract-xml=#/l1", "capture #/tree #/l1", "export #/a.wim 1 #/l1"} {
		_, errs, code := wimx("", strings.Fields(strings.ReplaceAll(line, "#", dir))...)
		if code != exitOpen || !strings.Contains(errs, "too many levels of symbolic links") {
			t.Errorf("%s: status %d\n%s", line, code, errs)
		}
	}
}

// TestOutputThroughPipes writes outputs to pipes and devices, which must not be replaced. Outputs that are written
// sequentially succeed, and everything else is refused before anything is read.
func TestOutputThroughPipes(t *testing.T) {
	dir := archiveAndTree(t)
	xml := dir + "/want.xml"
	mustWimx(t, "info", dir+"/a.wim", "--extract-xml="+xml)
	want, err := os.ReadFile(xml)
	if err != nil {
		t.Fatal(err)
	}
	pipe := dir + "/pipe"
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	// through runs a command and returns what came out of the pipe.
	through := func(line string) ([]byte, string, int) {
		t.Helper()
		got := make(chan []byte, 1)
		go func() {
			b, _ := os.ReadFile(pipe)
			got <- b
		}()
		out, errs, code := wimx("", strings.Fields(strings.ReplaceAll(line, "#", dir))...)
		if code != 0 { // nothing opened it: the reader waits
			f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err == nil {
				f.Close()
			}
		}
		if lmode(t, pipe)&fs.ModeNamedPipe == 0 {
			t.Fatalf("%s: the pipe is %v now", line, lmode(t, pipe))
		}
		return <-got, out + errs, code
	}
	if got, text, code := through("info #/a.wim --extract-xml=#/pipe"); code != 0 || !bytes.Equal(got, want) {
		t.Errorf("--extract-xml: status %d, %d bytes, want %d\n%s", code, len(got), len(want), text)
	}
	for _, line := range []string{"capture #/tree #/pipe --pipable", "export #/a.wim 1 #/pipe --pipable"} {
		got, text, code := through(line)
		if err := os.WriteFile(dir+"/got.wim", got, 0o644); err != nil {
			t.Fatal(err)
		}
		if code != 0 {
			t.Errorf("%s: status %d\n%s", line, code, text)
			continue
		}
		mustWimx(t, "verify", dir+"/got.wim")
		if out := mustWimx(t, "diff", dir+"/a.wim", "1", dir+"/got.wim", "1"); out != "" {
			t.Errorf("%s: it is another image\n%s", line, out)
		}
	}
	refused := map[string]int{
		"capture #/tree #/pipe": exitWrite, "export #/a.wim 1 #/pipe": exitWrite, "export #/a.wim 1 #/pipe --pipable --verify-after": exitParameter,
		"append #/tree #/pipe": exitOpen, "optimize #/pipe": exitOpen, "split #/a.wim #/pipe 1": exitOpen, "capture #/tree #/x.wim --group=#/pipe": exitOpen,
		"capture #/tree #/tree": exitOpen, "info #/a.wim --extract-xml=#/tree": exitOpen, "capture #/tree #/a.wim/x": exitOpen,
	}
	if err := syscall.Mknod(dir+"/disk", syscall.S_IFBLK|0o600, 7<<8|250); err == nil {
		refused["capture #/tree #/disk"], refused["info #/a.wim --extract-xml=#/disk"], refused["export #/a.wim 1 #/disk"] = exitOpen, exitOpen, exitOpen
	}
	for line, want := range refused {
		before, _ := os.ReadDir(dir)
		out, errs, code := wimx("", strings.Fields(strings.ReplaceAll(line, "#", dir))...)
		after, _ := os.ReadDir(dir)
		if code != want || strings.Contains(out, "scanned") || strings.Count(errs, "ERROR") != 1 {
			t.Errorf("%s: status %d, want %d\n%s%s", line, code, want, out, errs)
		}
		if len(after) != len(before) {
			t.Errorf("%s: left %v", line, after)
		}
	}
	if lmode(t, pipe)&fs.ModeNamedPipe == 0 {
		t.Error("the pipe was replaced")
	}
	if err := syscall.Mknod(dir+"/null", syscall.S_IFCHR|0o666, 1<<8|3); err != nil {
		t.Logf("no device: %v", err)
		return
	}
	for _, line := range []string{"info #/a.wim --extract-xml=#/null", "capture #/tree #/null", "export #/a.wim 1 #/null", "capture #/tree #/null --pipable --check"} {
		if _, errs, code := wimx("", strings.Fields(strings.ReplaceAll(line, "#", dir))...); code != 0 {
			t.Errorf("%s: status %d\n%s", line, code, errs)
		}
		if lmode(t, dir+"/null")&fs.ModeCharDevice == 0 {
			t.Fatalf("%s: the device is %v now", line, lmode(t, dir+"/null"))
		}
	}
}

// TestOutputIsStandardOutput names standard output by a link, like /dev/stdout: data go there, messages elsewhere.
func TestOutputIsStandardOutput(t *testing.T) {
	dir := archiveAndTree(t)
	mustWimx(t, "info", dir+"/a.wim", "--extract-xml="+dir+"/want.xml")
	want, err := os.ReadFile(dir + "/want.xml")
	if err != nil {
		t.Fatal(err)
	}
	// to runs a command with out as its standard output, which # names.
	to := func(out *os.File, args ...string) (stderr string, code int) {
		link := fmt.Sprintf("%s/out%d", dir, out.Fd())
		if err := os.Symlink(fmt.Sprintf("/proc/self/fd/%d", out.Fd()), link); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "#", link)
		}
		var errs bytes.Buffer
		code = run(context.Background(), append([]string{"wimx"}, args...), strings.NewReader(""), out, &errs)
		if lmode(t, link)&fs.ModeSymlink == 0 {
			t.Fatalf("%v: the link was replaced", args)
		}
		return errs.String(), code
	}
	piped := func(args ...string) (got []byte, stderr string, code int) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		all := make(chan []byte, 1)
		go func() {
			b, _ := io.ReadAll(r)
			all <- b
		}()
		stderr, code = to(w, args...)
		w.Close()
		return <-all, stderr, code
	}
	if got, errs, code := piped("info", dir+"/a.wim", "--extract-xml=#"); code != 0 || !bytes.Equal(got, want) {
		t.Errorf("info: status %d, %d bytes, want %d\n%s", code, len(got), len(want), errs)
	}
	got, errs, code := piped("capture", dir+"/tree", "#", "--pipable")
	if code != 0 || !strings.Contains(errs, "Archiving file data: ") {
		t.Errorf("capture: status %d\n%s", code, errs)
	}
	if err := os.WriteFile(dir+"/got.wim", got, 0o644); err != nil {
		t.Fatal(err)
	}
	mustWimx(t, "verify", dir+"/got.wim")
	if got, errs, code := piped("capture", dir+"/tree", "#"); code != exitWrite || len(got) > 0 || !strings.Contains(errs, "--pipable") {
		t.Errorf("capture of an archive that is no pipable one: status %d, %d bytes\n%s", code, len(got), errs)
	}
	// A file that others write to, before and after, is not replaced.
	f, err := os.Create(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("before\n")
	if errs, code := to(f, "info", dir+"/a.wim", "--extract-xml=#"); code != 0 {
		t.Errorf("info: status %d\n%s", code, errs)
	}
	f.WriteString("after\n")
	f.Close()
	if got, _ := os.ReadFile(dir + "/log"); string(got) != "before\n"+string(want)+"after\n" {
		t.Errorf("the file holds %q", got)
	}
	// Nor is one that has no name any more.
	if f, err = os.Create(dir + "/gone"); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	os.Remove(f.Name())
	if _, errs, code := wimx("", "info", dir+"/a.wim", fmt.Sprintf("--extract-xml=/proc/self/fd/%d", f.Fd())); code != 0 {
		t.Errorf("a file without a name: status %d\n%s", code, errs)
	}
	if got, _ := io.ReadAll(f); !bytes.Equal(got, want) {
		t.Errorf("the file without a name holds %d bytes", len(got))
	}
}

// TestFullDeviceHint checks that the hint for a full disk does not promise to remove output to a device or standard output.
func TestFullDeviceHint(t *testing.T) {
	dir := archiveAndTree(t)
	fullDevice := dir + "/full" // a node of our own: a bug would replace the system's
	if err := syscall.Mknod(fullDevice, syscall.S_IFCHR|0o666, 1<<8|7); err != nil {
		t.Skip("device nodes can be made by root only: ", err)
	}
	if f, err := os.OpenFile(fullDevice, os.O_WRONLY, 0); err != nil {
		t.Skip("nodes do not work there: ", err)
	} else {
		f.Close()
	}
	for _, line := range [][]string{
		{"capture", dir + "/tree", fullDevice}, {"capture", dir + "/tree", fullDevice, "--pipable"}, {"export", dir + "/a.wim", "1", fullDevice}, {"info", dir + "/a.wim", "--extract-xml=" + fullDevice},
		{"extract", dir + "/a.wim", "1", "/g", "--to-stdout"}, {"capture", dir + "/tree", "-"},
	} {
		full, err := os.OpenFile(fullDevice, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var errs bytes.Buffer
		code := run(context.Background(), append([]string{"wimx"}, line...), strings.NewReader(""), full, &errs)
		full.Close()
		if s := errs.String(); code != exitWrite || !strings.Contains(s, "the disk is full") || !strings.Contains(s, roomHint) || strings.Contains(s, "removed") {
			t.Errorf("%q: status %d: %s", line, code, s)
		}
	}
}
