//go:build !js

package wimtest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestWriteAndSnap(t *testing.T) {
	for seed := range uint64(8) {
		tr := Random(seed, nil)
		a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
		for _, d := range []string{a, b} {
			if err := tr.Write(d); err != nil {
				t.Fatal(err)
			}
		}
		x, err := Snap(a)
		if err != nil {
			t.Fatal(err)
		}
		y, err := Snap(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := Diff(x, y, Unix|NoRoot); d != nil {
			t.Errorf("seed %d: %s", seed, strings.Join(d, "\n"))
		}
		if len(x) != len(tr.Entries)+1 {
			t.Errorf("seed %d: %d paths on disk, want %d", seed, len(x), len(tr.Entries)+1)
		}
		for _, e := range tr.Entries {
			f := x[e.Path]
			if f == nil {
				t.Fatalf("seed %d: %q is not on disk", seed, e.Path)
			}
			if e.Kind != Hard && (e.Kind != Symlink || runtime.GOOS == "linux") && !f.Time.Equal(e.Time) {
				t.Errorf("seed %d: %q has time %v, want %v", seed, e.Path, f.Time, e.Time)
			}
		}
	}
}

func TestDiffSeesEachDifference(t *testing.T) {
	tr := &Tree{Entries: []Entry{
		{Path: "d", Kind: Dir, Mode: 0o755, Time: time.Unix(1e9, 100)},
		{Path: "d/f", Kind: File, Data: []byte("hello"), Mode: 0o644, Time: time.Unix(1e9, 100)},
		{Path: "d/h", Kind: Hard, Target: "d/f", Time: time.Unix(1e9, 100)},
		{Path: "d/l", Kind: Symlink, Target: "f", Time: time.Unix(1e9, 100)},
	}}
	for _, c := range []struct {
		name   string
		change func(dir string) error
		want   string
	}{
		{"nothing", func(string) error { return nil }, ""},
		{"byte", func(d string) error {
			if err := os.WriteFile(d+"/d/f", []byte("hellO"), 0o644); err != nil {
				return err
			}
			return os.Chtimes(d+"/d/f", time.Unix(1e9, 100), time.Unix(1e9, 100))
		}, "bytes differ from byte 0x4"},
		{"time", func(d string) error { return os.Chtimes(d+"/d/f", time.Unix(1e9, 200), time.Unix(1e9, 200)) }, "modified"},
		{"mode", func(d string) error { return os.Chmod(d+"/d/f", 0o600) }, "mode"},
		{"extra", func(d string) error { return os.Mkdir(d+"/new", 0o755) }, "should not be there"},
		{"missing", func(d string) error { return os.Remove(d + "/d/l") }, "missing"},
		{"link", func(d string) error {
			if err := os.Remove(d + "/d/l"); err != nil {
				return err
			}
			return os.Symlink("g", d+"/d/l")
		}, "leads to"},
		{"group", func(d string) error {
			if err := os.Remove(d + "/d/h"); err != nil {
				return err
			}
			return os.WriteFile(d+"/d/h", []byte("hello"), 0o644)
		}, "shares its inode"},
		{"type", func(d string) error {
			if err := os.Remove(d + "/d/l"); err != nil {
				return err
			}
			return os.Mkdir(d+"/d/l", 0o755)
		}, "is a dir"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
			for _, d := range []string{a, b} {
				if err := tr.Write(d); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.change(b); err != nil {
				t.Fatal(err)
			}
			x, _ := Snap(a)
			y, _ := Snap(b)
			got := strings.Join(Diff(x, y, Unix|NoRoot), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want a text with %q", got, c.want)
			}
		})
	}
}

// TestVariantsAreWhatTheySay: each variant makes an archive of the form that it names, as wimlib sees it.
func TestVariantsAreWhatTheySay(t *testing.T) {
	Need(t, Wimlib, SevenZip)
	dir := t.TempDir()
	tree, base := filepath.Join(dir, "tree"), filepath.Join(dir, "base")
	tr := Random(0, &TreeOptions{Plain: true, Entries: 20})
	if err := tr.Write(tree); err != nil {
		t.Fatal(err)
	}
	if err := tr.Half().Write(base); err != nil {
		t.Fatal(err)
	}
	for _, v := range Variants() {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			if v.Chunk > 4<<20 && testing.Short() {
				t.Skip("large chunks take memory")
			}
			m, err := v.Make(t.TempDir(), tree, base)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"verify", m.First}
			if m.Ref != "" {
				args = append(args, "--ref="+m.Ref)
			}
			MustRun(t, dir, Wimlib, args...)
			head := string(MustRun(t, dir, Wimlib, "info", m.First, "--header"))
			for text, is := range map[string]bool{
				"WLPWM":                           strings.Contains(v.Name, "pipable"),
				"Image Count                 = 2": v.Images == 2,
			} {
				if strings.Contains(head, text) != is {
					t.Errorf("header has %q: %v, want %v", text, !is, is)
				}
			}
			blobs := string(MustRun(t, dir, Wimlib, "info", m.First, "--blobs"))
			if got, want := strings.Contains(blobs, "Solid resource"), strings.Contains(v.Name, "solid"); got != want {
				t.Errorf("solid: %v, want %v", got, want)
			}
		})
	}
}

func TestNTFS(t *testing.T) {
	Need(t, Wimlib, MkNTFS, NTFSCopy)
	dir := t.TempDir()
	v, err := NewNTFS(filepath.Join(dir, "n.img"), 6)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Fill(Random(0, &TreeOptions{Plain: true})); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "n.wim")
	if err := v.Capture(archive, "ntfs"); err != nil {
		t.Fatal(err)
	}
	out := string(MustRun(t, dir, Wimlib, "dir", archive, "--detailed"))
	for _, want := range []string{`Named data stream "Zone.Identifier"`, "Security Descriptor"} {
		if !strings.Contains(out, want) {
			t.Errorf("the captured volume has no %s", want)
		}
	}
}
