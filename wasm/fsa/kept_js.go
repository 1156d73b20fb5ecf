package fsa

import (
	"io/fs"
	"path"
	"slices"
	"sync"
	"syscall/js"
	"time"

	"wimscope/worker/jsx"
)

// kept holds files as they were when they were scanned. Many are joined to one Blob: it takes less of the browser's
// memory than the single files, and joining ranges of it again for a shard is faster. The methods are safe for
// concurrent use.
type kept struct {
	mu      sync.Mutex
	files   map[string]keptFile // by path
	pending []*pendingFile      // not joined yet
}

const (
	joinedAtOnce = 2048
	filesKept    = 1 << 17 // Chromium takes about 5 KB for each, with its handle
)

// keptFile is where the data of a file is, with its size and time.
type keptFile struct {
	in         *batch
	from, size int64
	modified   int64 // milliseconds since 1970
}

// batch is a Blob of joined files.
type batch struct{ blob js.Value }

type pendingFile struct {
	path string
	file js.Value
	info info
}

// keep adds a scanned file.
func (k *kept) keep(name string, file js.Value, known info) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.files)+len(k.pending) >= filesKept {
		return
	}
	k.pending = append(k.pending, &pendingFile{name, file, known})
	if len(k.pending) >= joinedAtOnce {
		k.join()
	}
}

// join joins the pending files. Files of a folder stay together, since they are packed together.
func (k *kept) join() {
	slices.SortFunc(k.pending, func(a, b *pendingFile) int { return comparePaths(a.path, b.path) })
	list := js.Global().Get("Array").New(len(k.pending))
	for i, f := range k.pending {
		list.SetIndex(i, f.file)
	}
	if k.files == nil {
		k.files = make(map[string]keptFile)
	}
	blob, err := jsx.New("Blob", list)
	in, from := &batch{blob}, int64(0)
	for _, f := range k.pending {
		if err != nil { // it will be opened again when needed
			delete(k.files, f.path)
			continue
		}
		k.files[f.path] = keptFile{in, from, f.info.size, f.info.modified.UnixMilli()}
		from += f.info.size
	}
	clear(k.pending)
	k.pending = k.pending[:0]
}

// find returns where the data of a file is, nil if the file is not kept.
func (k *kept) find(name string) (in *batch, from int64, known fs.FileInfo) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.pending) > 0 {
		k.join()
	}
	f, ok := k.files[name]
	if !ok {
		return nil, 0, nil
	}
	return f.in, f.from, info{name: path.Base(name), size: f.size, modified: time.UnixMilli(f.modified)}
}

// comparePaths orders paths like the entries of an image: folder by folder, names ignoring case.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := rank(a[i]), rank(b[i]); x != y {
			return x - y
		}
	}
	return len(a) - len(b)
}

func rank(c byte) int {
	switch {
	case c == '/':
		return 0
	case 'a' <= c && c <= 'z':
		c -= 'a' - 'A'
	}
	return int(c)
}
