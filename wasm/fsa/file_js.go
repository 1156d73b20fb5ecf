package fsa

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall/js"
	"time"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

const (
	blockSize  = 256 << 10 // of the cache: a slice costs the same time for 4 KiB as for this
	blockCount = 16        // 4 MiB a file
	aheadCount = 4         // blocks that are read at once when reads go forward
	sliceMax   = 8 << 20   // the most that is asked of the browser at once
	directMax  = 32 << 20  // the same of ReadAt: each request costs the browser milliseconds
)

// File reads a File or Blob. It is safe for concurrent use; it keeps at most 4 MiB of what was read.
type File struct {
	blob js.Value
	name string
	size int64

	mu     sync.Mutex
	reader js.Value // FileReaderSync: it needs no promise, and only dedicated workers have it
	blocks map[int64]*block
	clock  int64
	next   int64 // the block after the last one that was fetched
	ahead  []*ahead
}

type block struct {
	data []byte
	used int64
}

// NewFile reads v, a File or a Blob.
func NewFile(v js.Value) (*File, error) {
	if !jsx.Is(v, "Blob") {
		return nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: "not a File"}
	}
	reader, err := jsx.New("FileReaderSync")
	if err != nil {
		return nil, reading("", err)
	}
	f := &File{blob: v, size: int64(v.Get("size").Float()), reader: reader, blocks: make(map[int64]*block), next: -1}
	if n := v.Get("name"); n.Type() == js.TypeString {
		f.name = n.String()
	}
	return f, nil
}

// Range is bytes of a *File, or of what Source.Kept gives.
type Range struct {
	In      any
	From, N int64
}

// Join makes one Blob of ranges, one after another: reading it costs the browser a fraction of what reading each of the
// files does. If one of them has changed, no read that touches it succeeds.
func Join(ranges []Range) (blob js.Value, err error) {
	list := js.Global().Get("Array").New(len(ranges))
	for i, r := range ranges {
		var v js.Value
		switch f := r.In.(type) {
		case *File:
			v = f.blob
		case *batch:
			v = f.blob
		}
		if r.From > 0 || r.N != int64(v.Get("size").Float()) {
			if v, err = jsx.CallNow(v, "slice", float64(r.From), float64(r.From+r.N)); err != nil {
				return blob, err
			}
		}
		list.SetIndex(i, v)
	}
	return jsx.New("Blob", list)
}

// Size is the file's size when it was picked, bytes.
func (f *File) Size() int64 { return f.size }

// Name is the file's name, "" for a Blob.
func (f *File) Name() string { return f.name }

// ModTime is when the file was changed last, zero for a Blob.
func (f *File) ModTime() time.Time {
	v := f.blob.Get("lastModified")
	if v.Type() != js.TypeNumber {
		return time.Time{}
	}
	return time.UnixMilli(int64(v.Float()))
}

// JSValue is the File itself.
func (f *File) JSValue() js.Value { return f.blob }

// ReadAt implements io.ReaderAt. Reads of a block and more go straight to the file.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("fsa: %s: negative offset", f.name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= f.size {
			return n, io.EOF
		}
		if k := f.fromAhead(p[n:], at); k > 0 {
			n += k
			continue
		}
		var k int
		var err error
		if want := len(p) - n; want >= blockSize {
			k, err = f.direct(p[n:n+min(want, directMax)], at)
		} else {
			k, err = f.cached(p[n:], at)
		}
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// direct reads from the browser into p, as much as there is.
func (f *File) direct(p []byte, off int64) (int, error) {
	end := min(off+int64(len(p)), f.size)
	a, err := f.slice(off, end)
	if err != nil {
		return 0, err
	}
	return js.CopyBytesToGo(p, a), nil
}

func (f *File) slice(off, end int64) (js.Value, error) {
	a, err := f.read(off, end)
	if err != nil {
		return a, f.explain(reading(f.name, err))
	}
	if got := int64(a.Length()); got != end-off {
		return a, f.explain(&protocol.Error{Code: protocol.CodeChanged, Name: f.name, Off: off, Message: fmt.Sprintf("fsa: %s: %d bytes at %d where %d were expected", f.name, got, off, end-off)})
	}
	return a, nil
}

func (f *File) read(off, end int64) (js.Value, error) {
	b, err := jsx.CallNow(f.blob, "slice", float64(off), float64(end))
	if err == nil {
		b, err = jsx.CallNow(f.reader, "readAsArrayBuffer", b)
	}
	if err != nil {
		return b, err
	}
	return js.Global().Get("Uint8Array").New(b), nil
}

// explain adds to the error for a changed file what became of it. It reads the first and the last byte to find out.
func (f *File) explain(err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) || e.Code != protocol.CodeChanged || e.Record != "" || f.size == 0 {
		return err
	}
	first, err1 := f.read(0, 1)
	last, err2 := f.read(f.size-1, f.size)
	for _, err := range []error{err1, err2} {
		var x *jsx.Error
		if errors.As(err, &x) && isGone(x.Name) {
			e.Record = protocol.FileGone
			return e
		}
	}
	has := func(a js.Value, err error) bool { return err == nil && a.Length() == 1 }
	if has(first, err1) && !has(last, err2) || err1 == nil && first.Length() == 0 {
		e.Record = protocol.FileCut
	}
	return e
}

// cached reads from the block that holds off.
func (f *File) cached(p []byte, off int64) (int, error) {
	i := off / blockSize
	b := f.blocks[i]
	if b == nil {
		if err := f.fetch(i); err != nil {
			return 0, err
		}
		b = f.blocks[i]
	}
	f.clock++
	b.used = f.clock
	return copy(p, b.data[off-i*blockSize:]), nil
}

// fetch reads block i, and some of those after it if the last fetch ended there.
func (f *File) fetch(i int64) error {
	n := int64(1)
	if i == f.next {
		n = aheadCount
	}
	start := i * blockSize
	a, err := f.slice(start, min(start+n*blockSize, f.size))
	if err != nil {
		return err
	}
	data := make([]byte, a.Get("length").Int())
	js.CopyBytesToGo(data, a)
	for at := i; len(data) > 0; at++ {
		k := min(len(data), blockSize)
		f.evict()
		f.clock++
		// Each block has memory of its own, or the one that lives longest would keep all.
		f.blocks[at] = &block{data: append([]byte(nil), data[:k]...), used: f.clock}
		data = data[k:]
		f.next = at + 1
	}
	return nil
}

// evict makes room for one block.
func (f *File) evict() {
	if len(f.blocks) < blockCount {
		return
	}
	oldest, used := int64(-1), f.clock+1
	for i, b := range f.blocks {
		if b.used < used {
			oldest, used = i, b.used
		}
	}
	delete(f.blocks, oldest)
}
