package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wasm/fsa"
	"wimscope/wasm/wasmtest"
	"wimscope/worker/jsx"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

func TestMain(m *testing.M) { wasmtest.Main(m, main) }

// scratch makes a folder in the origin private file system. It stands in for a picked folder: both have the same kind
// of handle.
func scratch(t *testing.T) (js.Value, *fsa.FS) {
	t.Helper()
	root, err := jsx.Call(js.Global().Get("navigator").Get("storage"), "getDirectory")
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprint("build-test-", time.Now().UnixNano())
	dir, err := jsx.Call(root, "getDirectoryHandle", name, map[string]any{"create": true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fsa.NewFS(root).RemoveAll(name); err != nil {
			t.Error(err)
		}
	})
	return dir, fsa.NewFS(dir)
}

// fillFolder writes files of many sizes, some of them identical.
func fillFolder(t *testing.T, to *fsa.FS) map[string]string {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	want := map[string]string{}
	for i := range 150 {
		n := []int{0, 1, 50, 3000, 40_000, 100_000}[i%6]
		var text strings.Builder
		for text.Len() < n {
			fmt.Fprintf(&text, "%d words of file %d, ", r.IntN(1000), i)
		}
		content := text.String()[:n]
		if i%10 == 9 {
			content = want["dir 3/sub/file 3"]
		}
		want[fmt.Sprintf("dir %d/sub/file %d", i%7, i)] = content
	}
	big := make([]byte, 3<<20)
	for i := range big {
		big[i] = byte(r.Uint32N(16))
	}
	want["big"] = string(big)
	for p, content := range want {
		if err := to.MkdirAll(path.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := hackpadfs.WriteFullFile(to, p, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return want
}

// holds opens an archive and checks every file of an image.
func holds(t *testing.T, p *pool.Pool, file any, image int, want map[string]string) {
	t.Helper()
	s, err := p.Open(t.Context(), pool.Files{Parts: []pool.File{{Name: "a.wim", Value: file}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Verify}, nil, nil)
	if err != nil || !r.Report.OK {
		t.Fatalf("verify: %s, %v", r.Report.Text, err)
	}
	if n := s.Archive().Images[image-1].Files; n != int64(len(want)) {
		t.Errorf("%d files, want %d", n, len(want))
	}
	for p, content := range want {
		row, err := s.Find(t.Context(), protocol.FindRequest{Image: image, Path: "/" + p})
		if err != nil {
			t.Error(err)
			continue
		}
		_, got, err := s.Read(t.Context(), protocol.ReadRequest{Image: image, Node: row.Node, Len: 4 << 20})
		if err != nil || string(got) != content {
			t.Errorf("%s: %d bytes, %v, want %d", p, len(got), err, len(content))
		}
		if row.Modified == 0 {
			t.Errorf("%s has no time", p)
		}
	}
}

// draftOf makes a draft of a folder.
func draftOf(t *testing.T, b *pool.Build, f pool.FolderInput) protocol.DraftReply {
	t.Helper()
	n, err := b.AddFolder(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	d, err := b.Draft(t.Context(), protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: n, Target: "/"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newBuild(t *testing.T, p *pool.Pool) *pool.Build {
	t.Helper()
	b, err := p.NewBuild()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// A folder becomes an archive, in OPFS and in memory; another folder is appended in place, through the archive's
// handle.
func TestBuild(t *testing.T) {
	p := wasmtest.NewPool(t)
	dir, in := scratch(t)
	want := fillFolder(t, in)
	b := newBuild(t, p)
	d := draftOf(t, b, pool.FolderInput{Name: "in", Handle: dir})
	if d.Files != len(want) || d.Dirs != 14 || d.SkippedN > 0 {
		t.Errorf("draft %+v", d)
	}
	req := protocol.BuildRequest{
		Images:  []protocol.BuildImage{{Draft: d.Draft, Properties: []protocol.Pair{{Name: "NAME", Value: "in"}}}},
		Options: protocol.BuildOptions{Codec: "LZX", Level: 1, Integrity: true},
	}
	var file any
	for _, target := range []protocol.Target{protocol.ToMemory, protocol.ToOPFS} {
		var phases []pool.Phase
		r, err := b.Start(pool.BuildSpec{Request: req, Out: pool.OutTarget{Target: target}, OnFigures: func(f pool.Figures) {
			if n := len(phases); n == 0 || phases[n-1] != f.Phase {
				phases = append(phases, f.Phase)
			}
		}}).Wait()
		if err != nil || !r.Report.OK || r.File == nil || r.Report.WrittenLen != r.Output.Bytes {
			t.Fatalf("%s: %+v, %v", target, r, err)
		}
		if phases[len(phases)-1] != pool.Done {
			t.Errorf("phases %v", phases)
		}
		file = r.File
		holds(t, p, file, 1, want)
	}

	// The archive is copied into a folder and changed there.
	f, err := fsa.NewFile(file.(js.Value))
	if err != nil {
		t.Fatal(err)
	}
	old := make([]byte, f.Size())
	if _, err := f.ReadAt(old, 0); err != nil {
		t.Fatal(err)
	}
	out, outFS := scratch(t)
	if err := hackpadfs.WriteFullFile(outFS, "a.wim", old, 0o666); err != nil {
		t.Fatal(err)
	}
	handle, err := jsx.Call(out, "getFileHandle", "a.wim")
	if err != nil {
		t.Fatal(err)
	}
	now := func() js.Value {
		v, err := jsx.Call(handle, "getFile")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	b = newBuild(t, p)
	n, err := b.AddArchive(t.Context(), pool.Files{Parts: []pool.File{{Name: "a.wim", Value: now()}}})
	if err != nil {
		t.Fatal(err)
	}
	// Files without a directory handle.
	files := pool.FolderInput{Name: "files", Paths: []string{"one", "empty/", "two/three"}, Files: []any{
		js.Global().Get("File").New([]any{"first"}, "one"), js.Global().Get("File").New([]any{"second"}, "three"),
	}}
	d = draftOf(t, b, files)
	req = protocol.BuildRequest{Base: n, InPlace: true, Images: []protocol.BuildImage{{Archive: n, Image: 1}, {Draft: d.Draft}}}
	r, err := b.Start(pool.BuildSpec{Request: req, Out: pool.OutTarget{Target: protocol.ToFile, Handle: handle}}).Wait()
	if err != nil || !r.Report.OK {
		t.Fatalf("%+v, %v", r, err)
	}
	holds(t, p, now(), 1, want)
	holds(t, p, now(), 2, map[string]string{"one": "first", "two/three": "second"})
	if left, err := fs.ReadDir(outFS, "."); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

// A cancelled build leaves no new file, and an archive to change as it was.
func TestBuildCancelled(t *testing.T) {
	p := wasmtest.NewPool(t)
	dir, in := scratch(t)
	fillFolder(t, in)
	b := newBuild(t, p)
	d := draftOf(t, b, pool.FolderInput{Name: "in", Handle: dir})
	out, outFS := scratch(t)
	handle, err := jsx.Call(out, "getFileHandle", "a.wim", map[string]any{"create": true})
	if err != nil {
		t.Fatal(err)
	}
	spec := pool.BuildSpec{
		Request: protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: d.Draft}}, Options: protocol.BuildOptions{Codec: "LZMS", Level: 3}},
		Out:     pool.OutTarget{Target: protocol.ToHandle, Handle: handle},
	}
	written := make(chan bool, 1)
	spec.OnFigures = func(f pool.Figures) {
		if f.Phase == pool.Packing && f.Bytes > 0 {
			select {
			case written <- true:
			default:
			}
		}
	}
	j := b.Start(spec)
	<-written
	j.Cancel()
	if _, err := j.Wait(); !pool.IsCode(err, protocol.CodeCancelled) {
		t.Errorf("got %v", err)
	}
	if left, err := fs.ReadDir(outFS, "."); err != nil || len(left) > 0 {
		t.Errorf("%v were left behind, %v", left, err)
	}
}
