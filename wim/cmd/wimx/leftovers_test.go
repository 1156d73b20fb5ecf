//go:build !js

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLeftovers checks that a run reports leftovers of killed runs, and removes those that are certainly dead.
func TestLeftovers(t *testing.T) {
	if !locksFiles {
		t.Skip("files are not locked here")
	}
	const header = "MSWIM\x00\x00\x00 and more"
	for _, c := range []struct {
		name, text     string
		locked, link   bool
		gone, reported bool
	}{
		{name: "new.wim.wimx-12345678.tmp", text: header, gone: true, reported: true},
		{name: "new.wim.wimx-00000000.tmp", gone: true, reported: true},
		{name: "part2.swm.wimx-0a1b2c3d.tmp", text: "\x00\x00\x00\x00\x00\x00\x00\x00", gone: true, reported: true},
		{name: "pipe.wim.wimx-0a1b2c3e.tmp", text: "WLPWM\x00\x00\x00", gone: true, reported: true},
		{name: "new.wim.wimx-12345679.tmp", text: header, locked: true},
		{name: "new.wim.wimx-1234567a.tmp", text: "notes of mine", reported: true},
		{name: "new.wim.wimx-1234567b.tmp", text: header, link: true, reported: true},
		{name: "new.wim.wimx-1234567g.tmp", text: header},
		{name: "new.wim.wimx-12345678.tmp.bak", text: header},
		{name: ".wimx-12345678.tmp", text: header},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			tree := t.TempDir()
			left := at(c.name)
			if err := os.WriteFile(left, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if c.locked {
				f, err := os.Open(left)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if taken, err := lockFile(f.Fd()); taken || err != nil {
					t.Fatal(taken, err)
				}
			}
			if c.link {
				if err := os.Link(left, at("kept")); err != nil {
					t.Fatal(err)
				}
			}
			_, errs, code := wimx("", "capture", tree, at("new.wim"), "--compress=none")
			if code != 0 || strings.Contains(errs, left) != c.reported {
				t.Errorf("status %d: %s", code, errs)
			}
			if _, err := os.Lstat(left); os.IsNotExist(err) != c.gone {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestLeftoversInTarget applies to a folder with leftovers of a killed apply.
func TestLeftoversInTarget(t *testing.T) {
	if !locksFiles {
		t.Skip("files are not locked here")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"in/folder", "out/folder", "out/other"} {
		if err := os.MkdirAll(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"in/folder/file": "new", "out/folder/file": "old", "out/.wimx-7-1.tmp": "x", "out/folder/.wimx-77-12.tmp": "", "out/folder/.wimx-8-1.tmp": "alive",
		"out/folder/.wimx-8.tmp": "x", "out/folder/a.wimx-8-1.tmp": "x", "out/other/.wimx-7-3.tmp": "not in the image's folders",
	} {
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mustWimx(t, "capture", at("in"), at("a.wim"))
	alive, err := os.Open(at("out/folder/.wimx-8-1.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	if taken, err := lockFile(alive.Fd()); taken || err != nil {
		t.Fatal(taken, err)
	}
	_, errs, code := wimx("", "apply", at("a.wim"), "1", at("out"))
	if code != 0 || strings.Count(errs, "Removed ") != 2 || strings.Count(errs, "left over") != 2 {
		t.Errorf("status %d: %s", code, errs)
	}
	var got []string
	for _, name := range []string{"out", "out/folder", "out/other"} {
		for _, e := range mustReadDir(t, at(name)) {
			if !e.IsDir() {
				got = append(got, name+"/"+e.Name())
			}
		}
	}
	want := "out/folder/.wimx-8-1.tmp out/folder/.wimx-8.tmp out/folder/a.wimx-8-1.tmp out/folder/file out/other/.wimx-7-3.tmp"
	if strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if b, err := os.ReadFile(at("out/folder/file")); string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
}
