package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wasm/fsa"
	"wimscope/wasm/wasmtest"
	"wimscope/wim/wimtest"
	"wimscope/worker/jsx"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

func TestMain(m *testing.M) { wasmtest.Main(m, main) }

func open(t *testing.T, p *pool.Pool, b []byte) *pool.Session {
	t.Helper()
	file := js.Global().Get("File").New([]any{jsx.Uint8Array(b)}, "a.wim")
	s, err := p.Open(t.Context(), pool.Files{Parts: []pool.File{{Name: "a.wim", Value: file}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// manyFiles returns an archive of n files in folders of 100, each with different data.
func manyFiles(n int) []byte {
	root := wimtest.Folder("")
	for i := 0; i < n; i += 100 {
		dir := wimtest.Folder(fmt.Sprint("dir ", i/100))
		for k := i; k < min(i+100, n); k++ {
			dir.Children = append(dir.Children, wimtest.TextFile(fmt.Sprint("file ", k), fmt.Sprintf("content %d\n%s", k, strings.Repeat("x", k%1000))))
		}
		root.Children = append(root.Children, dir)
	}
	return wimtest.One(root).Bytes()
}

func TestBrowse(t *testing.T) {
	p := wasmtest.NewPool(t)
	root, security := wimtest.WindowsTree()
	s := open(t, p, wimtest.One(root, security...).Bytes())
	list, err := s.List(t.Context(), protocol.ListRequest{Image: 1, Count: 100})
	if err != nil || list.Total != len(root.Children) {
		t.Fatalf("%+v, %v", list, err)
	}
	r, err := s.Find(t.Context(), protocol.FindRequest{Image: 1, Path: "/streams.bin"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Stat(t.Context(), protocol.StatRequest{Image: 1, Node: r.Node})
	if err != nil || d.Stored == nil || len(d.StreamList) != 2 || d.SDDL == "" {
		t.Errorf("%+v, %v", d, err)
	}
	_, data, err := s.Read(t.Context(), protocol.ReadRequest{Image: 1, Node: r.Node, Len: 100})
	if err != nil || string(data) != "main" {
		t.Errorf("%q, %v", data, err)
	}
	if m := p.Memory(t.Context()); m == 0 || m > 200<<20 {
		t.Errorf("%d bytes of memory", m)
	}
}

func TestErrors(t *testing.T) {
	p := wasmtest.NewPool(t)
	file := js.Global().Get("File").New([]any{"PK\x03\x04 and more"}, "a.wim")
	_, err := p.Open(t.Context(), pool.Files{Parts: []pool.File{{Name: "a.wim", Value: file}}})
	var pe *protocol.Error
	if !errors.As(err, &pe) || pe.Code != protocol.CodeNotWIM || pe.Guess != "zip" || !bytes.HasPrefix(pe.First, []byte("PK")) {
		t.Errorf("got %#v", err)
	}
}

func TestJobs(t *testing.T) {
	const files = 600
	p := wasmtest.NewPool(t)
	s := open(t, p, manyFiles(files))
	r, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Verify}, nil, nil)
	if err != nil || !r.Report.OK || r.Report.Blobs < files {
		t.Fatalf("verify: %+v, %v", r.Report, err)
	}
	r, err = p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.TAR}, &pool.OutTarget{Target: protocol.ToMemory}, nil)
	if err != nil || !r.Report.OK {
		t.Fatalf("TAR: %+v, %v", r.Report, err)
	}
	f, err := fsa.NewFile(r.File.(js.Value))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for all := tar.NewReader(io.NewSectionReader(f, 0, f.Size())); ; count++ {
		h, err := all.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		var k int
		if _, err := fmt.Sscanf(h.Name[strings.IndexByte(h.Name, '/')+1:], "file %d", &k); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(all)
		if want := fmt.Sprintf("content %d\n%s", k, strings.Repeat("x", k%1000)); err != nil || string(got) != want {
			t.Fatalf("%s in the TAR: %v", h.Name, err)
		}
	}
	if want := files + files/100; count != want {
		t.Errorf("%d entries in the TAR, want %d", count, want)
	}
	for _, target := range []protocol.Target{protocol.ToMemory, protocol.ToOPFS} {
		r, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.ZIP}, &pool.OutTarget{Target: target}, nil)
		if err != nil || !r.Report.OK {
			t.Fatalf("%s: %+v, %v", target, r.Report, err)
		}
		f, err := fsa.NewFile(r.File.(js.Value))
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(f, f.Size())
		if err != nil || len(z.File) != files+files/100 {
			t.Fatalf("%s: %d entries, %v", target, len(z.File), err)
		}
		for _, x := range z.File {
			if strings.HasSuffix(x.Name, "/") {
				continue
			}
			var k int
			if _, err := fmt.Sscanf(x.Name[strings.IndexByte(x.Name, '/')+1:], "file %d", &k); err != nil {
				t.Fatal(err)
			}
			rc, err := x.Open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(rc)
			if want := fmt.Sprintf("content %d\n%s", k, strings.Repeat("x", k%1000)); err != nil || string(got) != want {
				t.Fatalf("%s in %s: %v", x.Name, target, err)
			}
		}
	}
}

// A folder in the origin private file system stands in for a picked one: both have the same kind of handle.
func TestFolder(t *testing.T) {
	const files = 300
	p := wasmtest.NewPool(t)
	s := open(t, p, manyFiles(files))
	root, err := jsx.Call(js.Global().Get("navigator").Get("storage"), "getDirectory")
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprint("engine-test-", time.Now().UnixNano())
	dir, err := jsx.Call(root, "getDirectoryHandle", name, map[string]any{"create": true})
	if err != nil {
		t.Fatal(err)
	}
	defer fsa.NewFS(root).RemoveAll(name)
	req := protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.Folder, Platform: "opfs"}
	r, err := p.Run(t.Context(), s, req, &pool.OutTarget{Target: protocol.ToFolder, Handle: dir}, nil)
	if err != nil || !r.Report.OK || r.Report.Written != files {
		t.Fatalf("%+v, %v", r.Report, err)
	}
	fs := fsa.NewFS(dir)
	got, err := hackpadfs.ReadFile(fs, "dir 1/file 142")
	if err != nil || !strings.HasPrefix(string(got), "content 142\n") || len(got) != 12+142 {
		t.Errorf("%q, %v", got, err)
	}
	// A second extraction that is cancelled removes what it created.
	if err := fs.RemoveAll("dir 0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Run(ctx, s, req, &pool.OutTarget{Target: protocol.ToFolder, Handle: dir}, nil); !pool.IsCode(err, protocol.CodeCancelled) {
		t.Fatalf("got %v", err)
	}
	entries, err := fs.ReadDir(".")
	if err != nil || len(entries) != 2 {
		t.Errorf("%d folders, %v", len(entries), err)
	}
}

func TestSearchInWorker(t *testing.T) {
	p := wasmtest.NewPool(t)
	s := open(t, p, manyFiles(20000))
	began := time.Now()
	r, err := s.Search(t.Context(), protocol.SearchRequest{Query: "file 1999*", Count: 20}, nil)
	if err != nil || r.Hits != 11 {
		t.Errorf("%+v, %v", r, err)
	}
	t.Logf("search of 20,000 entries: %v", time.Since(began))
	began = time.Now()
	l, err := s.List(t.Context(), protocol.ListRequest{Image: 1, Count: 100})
	if err != nil || l.Total != 200 {
		t.Errorf("%+v, %v", l, err)
	}
	t.Logf("list: %v; memory %d MiB", time.Since(began), p.Memory(t.Context())>>20)
}
