package wim_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing/fstest"
	"time"

	"wimscope/wim"
)

// A folder is captured to a new archive, and another added in place.
func ExampleRunWrite() {
	dir, err := os.MkdirTemp("", "wim")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	f, err := os.Create(filepath.Join(dir, "a.wim"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	open := func() *wim.Archive {
		info, err := f.Stat()
		if err != nil {
			fmt.Println(err)
			return nil
		}
		a, err := wim.Open([]wim.Part{{Name: "a.wim", R: f, Size: info.Size()}}, nil)
		if err != nil {
			fmt.Println(err)
		}
		return a
	}
	capture := func(folder fstest.MapFS, name string, e *wim.Edit, plan func(*wim.WriteOptions) (*wim.WritePlan, error)) {
		draft, _, err := wim.Scan(nil, folder, ".", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := e.AddDraft(draft, &wim.DraftInfo{Name: name, Created: wim.FiletimeOf(time.Now())}); err != nil {
			fmt.Println(err)
			return
		}
		p, err := plan(&wim.WriteOptions{Codec: wim.LZX})
		if err != nil {
			fmt.Println(err)
			return
		}
		report, err := wim.RunWrite(context.Background(), p, p.FilesOf(folder), f, &wim.RunOptions{Workers: 2})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("contents written or kept:", report.Contents)
	}

	e := wim.NewEdit()
	capture(fstest.MapFS{"docs/read.me": {Data: []byte("first")}}, "one", e, e.PlanWrite)
	if e, err = open().Edit(); err != nil {
		fmt.Println(err)
		return
	}
	capture(fstest.MapFS{"read.me": {Data: []byte("first")}, "more.txt": {Data: []byte("second")}}, "two", e, e.PlanAppend)
	for _, i := range open().Images() {
		fmt.Println(i.Index, i.Name, i.Files)
	}
	// Output:
	// contents written or kept: 1
	// contents written or kept: 2
	// 1 one 1
	// 2 two 2
}

// An archive is split, here into memory, and said beforehand how much there will be.
func ExampleEdit_PlanSplit() {
	folder := fstest.MapFS{}
	for i := range 8 {
		data := make([]byte, 10_000)
		for k := range data {
			data[k] = byte(k * k * (i + 1) / 7)
		}
		folder[fmt.Sprintf("file%d", i)] = &fstest.MapFile{Data: data}
	}
	draft, _, err := wim.Scan(nil, folder, ".", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := wim.NewEdit()
	if _, err := e.AddDraft(draft, nil); err != nil {
		fmt.Println(err)
		return
	}
	p, err := e.PlanSplit(30_000, false, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var parts []*buffer
	report, err := wim.RunSplit(context.Background(), p, p.FilesOf(folder), func(int) (io.WriterAt, error) {
		parts = append(parts, &buffer{})
		return parts[len(parts)-1], nil
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(parts), "parts,", report.Contents, "contents")
	for _, n := range report.Parts {
		if n > 30_000 {
			fmt.Println("too large:", n)
		}
	}
	// Output:
	// 4 parts, 8 contents
}

// buffer is a file in memory.
type buffer struct{ b []byte }

func (f *buffer) WriteAt(p []byte, off int64) (int, error) {
	if n := int(off) + len(p); n > len(f.b) {
		f.b = append(f.b, make([]byte, n-len(f.b))...)
	}
	return copy(f.b[off:], p), nil
}
