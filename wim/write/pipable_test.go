package write

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/jobtest"
)

// sequential is a sink that accepts only writes in order, like a pipe.
type sequential struct {
	bytes.Buffer
	t testing.TB
}

func (s *sequential) WriteAt(b []byte, off int64) (int, error) {
	if off != int64(s.Len()) {
		s.t.Errorf("%d bytes are written at %d, and not at %d", len(b), off, s.Len())
	}
	return s.Write(b)
}

// TestPipable checks that pipable archives are written from front to end, and that wimlib reads them from a pipe.
func TestPipable(t *testing.T) {
	trees := plainTrees(60, 61)
	for _, o := range []Options{
		{}, {Codec: format.XPRESS, Level: 1, Integrity: true}, {Codec: format.LZX, Level: 1}, {Codec: format.LZMS, ChunkSize: 32 << 10, Level: 1, Integrity: true},
	} {
		t.Run(fmt.Sprint(o.Codec), func(t *testing.T) {
			o.Pipable = true
			files := map[string][]byte{}
			e := builderOf(t, files, trees...)
			e.Boot = 2
			p, err := e.PlanWrite(&o)
			if err != nil {
				t.Fatal(err)
			}
			s := &sequential{t: t}
			r := run(t, p, files, s, &shard.Options{Workers: 2})
			b := s.Bytes()
			if r.Size != int64(len(b)) {
				t.Errorf("%d bytes are reported, %d were written", r.Size, len(b))
			}
			a := jobtest.Sound(t, b, o.Integrity)
			if i := a.Info(); !i.Pipable || i.BootIndex != 2 {
				t.Errorf("pipable %v, boot index %d", i.Pipable, i.BootIndex)
			}
			for k, tree := range trees {
				sameAsTree(t, a, k+1, tree)
			}
			for _, r := range a.Store().Regions() {
				if r.Kind == blobs.RegionUnused {
					t.Errorf("0x%x: %d bytes are unused", r.Off, r.Len)
				}
			}
			// Copied unchanged; converted to the other form and back.
			again, _ := write(t, editing(t, b), &o, nil, 1)
			if !bytes.Equal(again, b) {
				t.Errorf("a copy has %d bytes, not %d, or others", len(again), len(b))
			}
			plain := o
			plain.Pipable = false
			flat, _ := write(t, editing(t, b), &plain, nil, 1)
			jobtest.Sound(t, flat, o.Integrity)
			back, _ := write(t, editing(t, flat), &o, nil, 1)
			sameAsTree(t, jobtest.Sound(t, back, o.Integrity), 2, trees[1])
			for name, x := range map[string]struct {
				from []byte
				to   Options
				want []byte
			}{"to be read as others": {b, plain, flat}, "to be piped": {flat, o, back}, "as it is": {b, o, again}} {
				p, err := editing(t, x.from).PlanWrite(&x.to)
				if err != nil {
					t.Fatal(err)
				}
				if e, err := p.Estimate(context.Background(), nil, 0); err != nil || !e.Exact || e.Pack != 0 || e.Size != int64(len(x.want)) {
					t.Errorf("%s: nothing is to be packed, but %+v, %v; it was %d bytes", name, e, err, len(x.want))
				}
			}
			if !bytes.Equal(back, b) {
				t.Errorf("there and back: %d bytes, not %d, or others", len(back), len(b))
			}

			wimtest.Need(t, wimtest.Wimlib)
			dir := t.TempDir()
			for name, b := range map[string][]byte{"a.wim": b, "copy.wim": again, "back.wim": back, "flat.wim": flat} {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
					t.Fatal(err)
				}
				wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", name)
			}
			cmd := exec.Command(wimtest.Wimlib, "apply", "-", "2", "out")
			cmd.Dir, cmd.Stdin = dir, bytes.NewReader(b)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("apply from a pipe: %v\n%s", err, out)
			}
			sameFiles(t, filepath.Join(dir, "out"), trees[1])
			// wimlib's pipable archive is copied without repacking.
			wimtest.MustRun(t, dir, wimtest.Wimlib, "export", "flat.wim", "all", "w.wim", "--pipable")
			w, err := os.ReadFile(filepath.Join(dir, "w.wim"))
			if err != nil {
				t.Fatal(err)
			}
			theirs, _ := write(t, editing(t, w), &o, nil, 1)
			sameAsTree(t, jobtest.Sound(t, theirs, o.Integrity), 1, trees[0])
		})
	}
	if _, err := New().PlanWrite(&Options{Pipable: true, Solid: true}); !errors.Is(err, format.ErrRefused) {
		t.Errorf("pipable and solid: %v", err)
	}
}

// TestPipableLarge checks that contents in pieces are also written from front to end, whether they shrink or not.
func TestPipableLarge(t *testing.T) {
	const n = largeContent + 1<<20 + 77
	files := map[string][]byte{"/a": wimtest.BigContent(n, func(c int) bool { return c%2 == 0 })}
	if !wimtest.Fewer() {
		files["/b"] = wimtest.BigContent(n+1, func(int) bool { return false })
	}
	p, err := fileBuilder(t, files).PlanWrite(&Options{Codec: format.XPRESS, Level: 1, Pipable: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &sequential{t: t}
	run(t, p, files, s, nil)
	sameAsFiles(t, jobtest.Sound(t, s.Bytes(), false), files)
}
