//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// locksFiles reports whether lockFile does something.
const locksFiles = true

// TestLockGivenBack closes locked files while they are open a second time, as they briefly are in a program that is just
// being started.
func TestLockGivenBack(t *testing.T) {
	dir := t.TempDir()
	prepareBrokenOff(t, dir)
	name := filepath.Join(dir, "a.wim")
	tl := &tool{ctx: t.Context(), console: console{stderr: t.Output()}}
	again := func(f *os.File) {
		t.Helper()
		fd, err := syscall.Dup(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(fd) })
	}
	free := func(what string) {
		t.Helper()
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if taken, err := lockFile(f.Fd()); taken || err != nil {
			t.Errorf("%s: taken %v, %v", what, taken, err)
		}
	}

	a, err := tl.openForChange(name, nil, &parsed{}, false)
	if err != nil {
		t.Fatal(err)
	}
	again(a.file)
	a.Close()
	free("after a change")

	at, err := tl.placeFor(name)
	if err != nil {
		t.Fatal(err)
	}
	n, err := tl.newFile(at)
	if err != nil {
		t.Fatal(err)
	}
	again(n.File)
	if err := n.keep(); err != nil {
		t.Fatal(err)
	}
	free("after a new file")
}
