package core

import (
	"slices"
	"sync"

	"wimscope/wim/format"
)

// linkData caches the reparse data of an image. Links are asked for in the order of the tree, but their data lie in another order:
// reading them one by one may need two chunks in turn that do not fit the cache together, and unpack one of them for every
// link. So once links have cost more than the cache holds, linkData reads all of them in the order of their data.
type linkData struct {
	mu       sync.Mutex
	unpacked int64 // chunk bytes that links have cost so far
	ordered  bool
	kept     map[format.Hash]linkBlob // set once all are read
}

type linkBlob struct {
	data []byte
	err  error
}

// The reparse data of an image may have several times the size of the archive: each content takes more bytes there than a usual
// link has.
const (
	minLinkData = 64 << 20
	maxLinkData = 256 << 20
)

func (a *Archive) linkDataLimit() int64 { return min(max(minLinkData, 4*a.st.size), maxLinkData) }

// readLink reads reparse data. The errors are those of ReadBlob.
func (im *Image) readLink(h format.Hash) ([]byte, error) {
	l := &im.linkData
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ordered {
		before := im.a.st.unpacked.Load()
		b, err := im.a.st.ReadBlob(h, format.MaxReparseData)
		if l.unpacked += im.a.st.unpacked.Load() - before; l.unpacked > 2*im.a.st.opts.CacheSize {
			l.readAll(im)
		}
		return b, err
	}
	if x, ok := l.kept[h]; ok {
		return x.data, x.err
	}
	return im.a.st.ReadBlob(h, format.MaxReparseData) // the content is missing, so this costs nothing
}

// readAll reads the data of all links, unpacking each chunk once.
func (l *linkData) readAll(im *Image) {
	a := im.a
	l.ordered, l.kept = true, map[format.Hash]linkBlob{}
	var ids []int32
	for n := range Node(im.Len()) {
		if im.isReparse(n) {
			_, h := im.unnamedStreams(n)
			if id, ok := a.st.blobID(h); ok {
				ids = append(ids, id)
			}
		}
	}
	slices.SortFunc(ids, a.st.blobPlace)
	ids = slices.Compact(ids)
	left := a.linkDataLimit()
	share := overlaps{left: freeOverlap}
	run, end := int32(-1), int64(0)
	for _, id := range ids {
		b := &a.st.blobs[id]
		x := linkBlob{}
		switch shared := b.run >= 0 && b.run == run && b.off < end; {
		case b.size > left:
			x.err = &format.TooLargeError{What: "reparse data of all links", Need: a.linkDataLimit() - left + b.size, Limit: a.linkDataLimit()}
		case shared && !share.more(a.st.solidChunkSize(b)):
			x.err = &format.Error{Record: "reparse data", Part: a.st.parts[b.src].Name, Off: b.off, Err: errOverlap}
		default:
			x.data, x.err = a.st.ReadBlob(b.hash, format.MaxReparseData)
			left -= int64(len(x.data))
			if b.run != run {
				run, end = b.run, 0
			}
			end = max(end, b.off+b.size)
		}
		l.kept[b.hash] = x
	}
}
