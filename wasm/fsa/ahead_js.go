package fsa

import (
	"slices"
	"syscall/js"

	"wimscope/worker/jsx"
)

// maxAhead limits the pending reads: those of the shard that runs and of the one that waits.
const maxAhead = 3

// ahead is an asynchronous read: the browser reads while the program computes. FileReaderSync cannot do that.
type ahead struct {
	off, end int64
	done     chan struct{}
	bytes    js.Value // Uint8Array, once done is closed
	err      error
}

// ReadAhead starts to read n bytes at off, at most 8 MiB, and returns at once.
func (f *File) ReadAhead(off, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end := min(off+min(n, sliceMax), f.size)
	for _, a := range f.ahead {
		if a.off <= off && off < a.end {
			off = a.end
		}
	}
	if off < 0 || off >= end {
		return
	}
	blob, err := jsx.CallNow(f.blob, "slice", float64(off), float64(end))
	if err != nil {
		return // ReadAt will report it
	}
	promise, err := jsx.CallNow(blob, "arrayBuffer")
	if err != nil {
		return
	}
	a := &ahead{off: off, end: end, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		var buffer js.Value
		if buffer, a.err = jsx.Await(promise); a.err == nil {
			a.bytes = js.Global().Get("Uint8Array").New(buffer)
		}
	}()
	if len(f.ahead) == maxAhead {
		f.ahead = slices.Delete(f.ahead, 0, 1)
	}
	f.ahead = append(f.ahead, a)
}

// fromAhead copies bytes that were read ahead at off to p. It returns 0 if there are none or if that read failed:
// reading again then reports the error.
func (f *File) fromAhead(p []byte, off int64) int {
	i := slices.IndexFunc(f.ahead, func(a *ahead) bool { return a.off <= off && off < a.end })
	if i < 0 {
		return 0
	}
	a := f.ahead[i]
	<-a.done
	n := 0
	if a.err == nil && int64(a.bytes.Length()) == a.end-a.off {
		from := off - a.off
		n = js.CopyBytesToGo(p, a.bytes.Call("subarray", from, min(from+int64(len(p)), a.end-a.off)))
	}
	if n == 0 || off+int64(n) == a.end {
		f.ahead = slices.Delete(f.ahead, i, i+1)
	}
	return n
}
