package core

import (
	"slices"
	"sync"
)

// linkData keeps reparse data of an image, and sees to the order in which they are read. Links come in the order of the
// tree and their data lie in another one: who asks for all of them may need two chunks by turns that do not fit the cache
// together, and each would be unpacked for each link. So once links have cost more than the cache holds, all are read in
// the order in which they lie.
type linkData struct {
	mu       sync.Mutex
	unpacked int64 // bytes of chunks, for links so far
	ordered  bool
	kept     map[Hash]linkBlob // once ordered
}

type linkBlob struct {
	data []byte
	err  error
}

// Bounds of the data that an image's links have in all. It is the size of the archive, several times: each content takes
// more bytes there than a usual link.
const (
	minLinkData = 64 << 20
	maxLinkData = 256 << 20
)

func (a *Archive) linkDataLimit() int64 { return min(max(minLinkData, 4*a.size), maxLinkData) }

// readLink reads reparse data. The errors are those of ReadBlob.
func (im *Image) readLink(h Hash) ([]byte, error) {
	l := &im.linkData
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ordered {
		before := im.a.unpacked.Load()
		b, err := im.a.ReadBlob(h, maxReparseData)
		if l.unpacked += im.a.unpacked.Load() - before; l.unpacked > 2*im.a.opts.CacheSize {
			l.readAll(im)
		}
		return b, err
	}
	if x, ok := l.kept[h]; ok {
		return x.data, x.err
	}
	return im.a.ReadBlob(h, maxReparseData) // there is no such content, which costs nothing
}

// readAll reads the data of all links, so that each chunk is unpacked once.
func (l *linkData) readAll(im *Image) {
	a := im.a
	l.ordered, l.kept = true, map[Hash]linkBlob{}
	var ids []int32
	for n := range Node(im.Len()) {
		if im.isReparse(n) {
			_, h := im.unnamedStreams(n)
			if id, ok := a.blobID(h); ok {
				ids = append(ids, id)
			}
		}
	}
	slices.SortFunc(ids, a.blobPlace)
	ids = slices.Compact(ids)
	left := a.linkDataLimit()
	share := overlaps{left: freeOverlap}
	run, end := int32(-1), int64(0)
	for _, id := range ids {
		b := &a.blobs[id]
		x := linkBlob{}
		switch shared := b.run >= 0 && b.run == run && b.off < end; {
		case b.size > left:
			x.err = &TooLargeError{What: "reparse data of all links", Need: a.linkDataLimit() - left + b.size, Limit: a.linkDataLimit()}
		case shared && !share.more(a.solidChunkSize(b)):
			x.err = &FormatError{Record: "reparse data", Part: a.parts[b.src].Name, Off: b.off, Err: errOverlap}
		default:
			x.data, x.err = a.ReadBlob(b.hash, maxReparseData)
			left -= int64(len(x.data))
			if b.run != run {
				run, end = b.run, 0
			}
			end = max(end, b.off+b.size)
		}
		l.kept[b.hash] = x
	}
}

// solidChunkSize is how many bytes the chunks of a blob in a solid run have unpacked.
func (a *Archive) solidChunkSize(b *blobRec) int64 {
	chunks, err := a.runChunks(b.run)
	if err != nil || b.bad != faultNone || b.size == 0 {
		return 0
	}
	first, last := chunkAt(chunks, b.off), chunkAt(chunks, b.off+b.size-1)
	return chunks[last].start + chunks[last].size - chunks[first].start
}
