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

// kept is files as they were when they were looked at, many joined to one Blob: joined files take a browser a part of the
// memory of single ones, and to join them again, for a shard, takes a part of the time. Its methods may be called by several
// goroutines at a time.
type kept struct {
	mu    sync.Mutex
	files map[string]keptFile // by path
	apart []*apartFile        // that are not joined yet
}

const (
	joinedAtOnce = 2048
	filesKept    = 1 << 17 // Chromium takes about 5 KB for each, with its handle
)

// keptFile is where the bytes of a file are, and what it told of itself.
type keptFile struct {
	in         *batch
	from, size int64
	modified   int64 // milliseconds since 1970
}

// batch is files that were joined.
type batch struct{ blob js.Value }

type apartFile struct {
	path string
	file js.Value
	info info
}

// keep takes a file that was looked at.
func (k *kept) keep(name string, file js.Value, known info) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.files)+len(k.apart) >= filesKept {
		return
	}
	k.apart = append(k.apart, &apartFile{name, file, known})
	if len(k.apart) >= joinedAtOnce {
		k.join()
	}
}

// join joins the files that are not yet. Those of a folder come together, as they will be packed.
func (k *kept) join() {
	slices.SortFunc(k.apart, func(a, b *apartFile) int { return comparePaths(a.path, b.path) })
	list := js.Global().Get("Array").New(len(k.apart))
	for i, f := range k.apart {
		list.SetIndex(i, f.file)
	}
	if k.files == nil {
		k.files = make(map[string]keptFile)
	}
	blob, err := jsx.New("Blob", list)
	in, from := &batch{blob}, int64(0)
	for _, f := range k.apart {
		if err != nil { // it is looked for again
			delete(k.files, f.path)
			continue
		}
		k.files[f.path] = keptFile{in, from, f.info.size, f.info.modified.UnixMilli()}
		from += f.info.size
	}
	clear(k.apart)
	k.apart = k.apart[:0]
}

// find gives where the bytes of a file are, nil if it is not kept.
func (k *kept) find(name string) (in *batch, from int64, known fs.FileInfo) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.apart) > 0 {
		k.join()
	}
	f, ok := k.files[name]
	if !ok {
		return nil, 0, nil
	}
	return f.in, f.from, info{name: path.Base(name), size: f.size, modified: time.UnixMilli(f.modified)}
}

// comparePaths orders paths as the entries of an image are: by folders, and names without regard to case.
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
