package wim

import (
	"slices"
	"sync"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
)

// linkData caches the reparse data of an image. Callers read links in the order of the tree, but their data are stored in another
// order: reading them one by one may alternate between two chunks that do not fit the cache together, and unpack one of them for
// every link. So once links have cost more than the cache holds, linkData reads all of them in the order of their data.
type linkData struct {
	mu       sync.Mutex
	unpacked int64                    // bytes of the chunks that were unpacked for links so far
	ordered  bool                     // readAll has run
	kept     map[format.Hash]linkBlob // set by readAll
}

type linkBlob struct {
	data []byte
	err  error
}

// The limit for an image's cached reparse data is several times the size of the archive: each blob takes more bytes there than the
// data of a usual link.
const (
	minLinkData = 64 << 20
	maxLinkData = 256 << 20
)

func (a *Archive) linkDataLimit() int64 { return min(max(minLinkData, 4*a.st.Size), maxLinkData) }

// read reads reparse data of im, whose cache l is. The errors are those of Store.ReadBlob.
func (l *linkData) read(im *Image, h format.Hash) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ordered {
		before := im.a.st.Unpacked.Load()
		b, err := im.a.st.ReadBlob(h, format.MaxReparseData)
		if l.unpacked += im.a.st.Unpacked.Load() - before; l.unpacked > 2*im.a.st.Opts.CacheSize {
			l.readAll(im)
		}
		return b, err
	}
	if x, ok := l.kept[h]; ok {
		return x.data, x.err
	}
	return im.a.st.ReadBlob(h, format.MaxReparseData) // the blob is missing, so this is cheap
}

// readAll reads the data of all links, unpacking each chunk once.
func (l *linkData) readAll(im *Image) {
	a := im.a
	l.ordered, l.kept = true, map[format.Hash]linkBlob{}
	var ids []int32
	for n := range Node(im.Len()) {
		if im.Attributes(n)&format.AttrReparsePoint != 0 {
			_, h := im.UnnamedStreams(n)
			if id, ok := a.st.BlobID(h); ok {
				ids = append(ids, id)
			}
		}
	}
	slices.SortFunc(ids, a.st.BlobPlace)
	ids = slices.Compact(ids)
	left := a.linkDataLimit()
	share := blobs.Overlaps{Left: blobs.FreeOverlap}
	run, end := int32(-1), int64(0)
	for _, id := range ids {
		b := &a.st.Records[id]
		x := linkBlob{}
		switch shared := b.Run >= 0 && b.Run == run && b.Off < end; {
		case b.Size > left:
			x.err = &format.TooLargeError{What: "reparse data of all links", Need: a.linkDataLimit() - left + b.Size, Limit: a.linkDataLimit()}
		case shared && !share.More(a.st.SolidChunkSize(b)):
			x.err = &format.Error{Record: "reparse data", Part: a.st.Parts[b.Src].Name, Off: b.Off, Err: blobs.ErrOverlap}
		default:
			x.data, x.err = a.st.ReadBlob(b.Hash, format.MaxReparseData)
			left -= int64(len(x.data))
			if b.Run != run {
				run, end = b.Run, 0
			}
			end = max(end, b.Off+b.Size)
		}
		l.kept[b.Hash] = x
	}
}
