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
	blockSize  = 256 << 10 // of the cache: slicing 4 KiB takes as long as slicing this
	blockCount = 16        // 4 MiB per file
	aheadCount = 4         // blocks read at once by sequential reads
	sliceMax   = 8 << 20   // size limit of one request to the browser
	directMax  = 32 << 20  // the same in ReadAt: each request costs the browser milliseconds
)

// File reads a File or Blob. It is safe for concurrent use. It caches at most 4 MiB of the data read.
type File struct {
	blob js.Value
	name string
	size int64

	mu     sync.Mutex
	reader js.Value // FileReaderSync: it is synchronous, and only dedicated workers have it
	blocks map[int64]*block
	clock  int64
	next   int64 // the block after the last one fetched
	ahead  []*ahead
}

type block struct {
	data []byte
	used int64
}

// NewFile returns a File for v, a JavaScript File or Blob.
func NewFile(v js.Value) (*File, error) {
	if !jsx.Is(v, "Blob") {
		return nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: "not a File"}
	}
	reader, err := jsx.New("FileReaderSync")
	if err != nil {
		return nil, readError("", err)
	}
	f := &File{blob: v, size: int64(v.Get("size").Float()), reader: reader, blocks: make(map[int64]*block), next: -1}
	if n := v.Get("name"); n.Type() == js.TypeString {
		f.name = n.String()
	}
	return f, nil
}

// Range is a range of bytes of a *File, or of a value that Source.Kept returned.
type Range struct {
	In      any
	From, N int64
}

// Join concatenates ranges to one Blob: reading it costs the browser a fraction of reading each of the files. If one
// of the files has changed, every read that includes it fails.
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

// Size returns the file's size in bytes, as it was when the file was picked.
func (f *File) Size() int64 { return f.size }

// Name returns the file's name, "" for a Blob.
func (f *File) Name() string { return f.name }

// ModTime returns the time of the last change, zero for a Blob.
func (f *File) ModTime() time.Time {
	v := f.blob.Get("lastModified")
	if v.Type() != js.TypeNumber {
		return time.Time{}
	}
	return time.UnixMilli(int64(v.Float()))
}

// JSValue returns the JavaScript File.
func (f *File) JSValue() js.Value { return f.blob }

// ReadAt implements io.ReaderAt. Reads of at least a block bypass the cache.
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

// direct reads from the browser into p, up to the end of the file.
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
		return a, f.explain(readError(f.name, err))
	}
	if got := int64(a.Length()); got != end-off {
		return a, f.explain(&protocol.Error{Code: protocol.CodeChanged, Name: f.name, Off: off, Message: fmt.Sprintf("fsa: %s: got %d bytes at %d, want %d", f.name, got, off, end-off)})
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

// explain adds to the error for a changed file what happened to it. It reads the first and the last byte to find out.
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

// cached copies from the block that contains off.
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

// fetch reads block i, and the next ones too if the last fetch ended there.
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
		// Each block gets memory of its own; otherwise the block kept longest would retain all of data.
		f.blocks[at] = &block{data: append([]byte(nil), data[:k]...), used: f.clock}
		data = data[k:]
		f.next = at + 1
	}
	return nil
}

// evict removes the least recently used block if the cache is full.
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
