package write

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
)

// inventory is the contents that an archive is to hold: where they come from, which of them are the same, and where they were written.
type inventory struct {
	*request
	contents  []content
	contentMu sync.RWMutex // held to change what Content tells: files are opened while results are merged
	byHash    contentIndex
	names     map[int32]string         // of solid contents
	uses      map[format.Hash]firstUse // see findUses
	usesOnce  sync.Once
	lacking   map[format.Hash]bool // see lacks; nil until it is asked for
	losses    []wim.Loss           // see Losses
	lost      int
	keepAll   bool // in place: lost entries of an image that stays may use any content
	solids    []outSolid
	metas     []int32 // of each of these the metadata resource, a content; -1 as long as it is not made
}

// content is a content that the archive is to hold, or a metadata resource. There is one for each of perhaps a million
// files.
type content struct {
	hash    format.Hash
	refs    uint32
	a       int32 // index of the archive that has it, -1 if none
	blob    int32 // its number there
	image   int32 // index of the image whose draft has it, -1 if none
	id      draft.ContentID
	same    int32 // the content that is written in its place, or written or leftOut
	solid   int32 // index into solids, -1 if it has a resource of its own
	size    int64
	off     int64       // where it was written; in the solid resource's unpacked bytes
	packed  int64       // bytes that were written
	rare    *rareFields // nil: all of it is zero
	part    uint16      // of the set, in which it was written; 0: it was not yet
	known   bool
	stored  bool // it was written as it is
	meta    bool // it is a metadata resource
	raw     bool // it is not to be packed
	stays   bool // where it is, in the archive that is changed in place
	skipped bool // it could not be had, see Plan.Skip
}

// rareFields is what few contents have.
type rareFields struct {
	inline []byte // the bytes themselves
	states []byte // see PackedItem
	zeros  []byte // the same
	most   int64  // bytes that it takes packed, if that was measured
}

func (c *content) inline() []byte {
	if c.rare == nil {
		return nil
	}
	return c.rare.inline
}

func (c *content) states() []byte {
	if c.rare == nil {
		return nil
	}
	return c.rare.states
}

func (c *content) most() int64 {
	if c.rare == nil {
		return 0
	}
	return c.rare.most
}

// needRare gives the rare fields, to be changed.
func (c *content) needRare() *rareFields {
	if c.rare == nil {
		c.rare = &rareFields{}
	}
	return c.rare
}

// outSolid is a solid resource of the archive to be.
type outSolid struct {
	off, packed, size int64
	a, from           int32 // copied, or in place: the archive, and which of its solid resources; a is -1 otherwise
}

// content is Plan.Content.
func (inv *inventory) content(id int32) (image int, c draft.Content, ok bool) {
	if id < 0 || int(id) >= len(inv.contents) {
		return 0, draft.Content{}, false
	}
	inv.contentMu.RLock()
	defer inv.contentMu.RUnlock()
	x := &inv.contents[id]
	if x.image < 0 {
		return 0, draft.Content{}, false
	}
	return int(x.image) + 1, inv.images[x.image].draft.Content(x.id), true
}

// name is Plan.Name.
func (inv *inventory) name(id int32) string {
	if _, c, ok := inv.content(id); ok && c.Path != "" {
		if c.Stream != "" {
			return c.Path + ":" + c.Stream
		}
		return c.Path
	}
	if id < 0 || int(id) >= len(inv.contents) || !inv.contents[id].known {
		return ""
	}
	c := &inv.contents[id]
	name := "content " + c.hash.String()
	inv.usesOnce.Do(inv.findUses)
	if at, ok := inv.uses[c.hash]; ok && c.a >= 0 && !c.meta {
		return fmt.Sprintf("%s (image %d, %s)", strings.TrimPrefix(at.im.Path(at.n), "/"), at.im.Index(), name)
	}
	return name
}

// firstUse is the first entry that names a content.
type firstUse struct {
	im *wim.Image
	n  wim.Node
}

// findUses finds entries of the images that are taken from archives as they are.
func (inv *inventory) findUses() {
	inv.uses = map[format.Hash]firstUse{}
	for i := range inv.images {
		if inv.images[i].draft != nil {
			continue
		}
		im, err := inv.images[i].a.Image(inv.images[i].index)
		if err != nil {
			continue // then its contents go without names
		}
		im.EachContent(func(n wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
			if _, ok := inv.uses[h]; !ok {
				inv.uses[h] = firstUse{im, n}
			}
			return true
		})
	}
}

// maxWritten is how many bytes of contents an archive can be written with. What is beyond that is claimed by a file that
// cannot hold it: a plan has a note for every few megabytes.
const maxWritten = 1 << 45

func (inv *inventory) bounded() error {
	sum := int64(0)
	for i := range inv.contents {
		c := &inv.contents[i]
		if c.same != written || c.stays {
			continue
		}
		n := c.size
		if inv.copied(c) {
			n = inv.copySize(c)
		}
		if n < 0 || n > maxWritten-sum {
			return &format.TooLargeError{What: "a plan of so many contents", Need: sum + max(n, 0), Limit: maxWritten}
		}
		sum += n
	}
	if len(inv.contents) > math.MaxInt32/2 {
		return fmt.Errorf("wim: %d contents: %w", len(inv.contents), format.ErrTooLarge)
	}
	return nil
}

// copied says that a content is copied as it is packed.
func (inv *inventory) copied(c *content) bool {
	if c.solid >= 0 || c.stays {
		return true
	}
	if c.a < 0 || inv.o.Recompress || inv.o.Solid && !inv.o.KeepAlone {
		return false
	}
	res, ok := inv.resource(c)
	return ok && packedAs(inv.archives[c.a].Store(), &res, &inv.o)
}

// resource gives the resource in an archive that holds a content alone.
func (inv *inventory) resource(c *content) (blobs.Resource, bool) {
	a := inv.archives[c.a]
	if c.blob >= a.Store().MetaID(0) {
		return a.Store().Metas[c.blob-a.Store().MetaID(0)].Resource, true
	}
	b := &a.Store().Records[c.blob]
	if b.Run >= 0 || b.Fault != blobs.FaultNone {
		return blobs.Resource{}, false
	}
	return a.Store().ResourceOf(b), true
}

// copySize is how many bytes a content takes that is copied.
func (inv *inventory) copySize(c *content) int64 {
	res, _ := inv.resource(c)
	return packedFor(&res, &inv.o)
}

// sourceChunk numbers the chunk of a solid resource that a content begins in, -1 if it is in none.
func (inv *inventory) sourceChunk(c *content) int64 {
	if c.a < 0 {
		return -1
	}
	a := inv.archives[c.a]
	if c.blob >= a.Store().MetaID(0) || a.Store().Records[c.blob].Run < 0 {
		return -1
	}
	b := &a.Store().Records[c.blob]
	chunks, err := a.Store().RunChunks(b.Run)
	if err != nil || len(chunks) == 0 {
		return -1
	}
	return int64(b.Run)<<32 | int64(blobs.ChunkAt(chunks, b.Off))
}

// metaCopied says that a metadata resource is copied as it is packed, in a solid archive too.
func (inv *inventory) metaCopied(c *content) bool {
	if c.a < 0 || inv.o.Recompress {
		return false
	}
	res, _ := inv.resource(c)
	return packedAs(inv.archives[c.a].Store(), &res, &inv.o)
}

// bound is how many bytes a resource takes at most.
func (inv *inventory) bound(c *content) int64 {
	if most := c.most(); most > 0 {
		return min(most, c.size)
	}
	if c.a >= 0 && (inv.copied(c) || c.meta && inv.metaCopied(c)) {
		return inv.copySize(c)
	}
	if inv.step(c) == 0 || c.raw || inv.o.Codec == format.None {
		return c.size
	}
	n := (c.size + inv.o.ChunkSize - 1) / inv.o.ChunkSize
	return c.size + n*(int64(format.ChunkEntrySize(uint64(c.size)))+blobs.PipablePrefix)
}

// makeMetadata makes contents of the images' metadata resources, those of drafts only if all hashes are known.
func (inv *inventory) makeMetadata(drafts bool) error {
	for k, i := range inv.shown {
		im := &inv.images[i]
		if inv.metas[k] >= 0 || im.draft != nil && !drafts {
			continue
		}
		c := content{known: true, meta: true, a: -1, image: -1, same: written, solid: -1, refs: 1}
		if im.draft != nil {
			b, err := im.draft.Metadata()
			if err != nil {
				return fmt.Errorf("wim: image %d: %w", k+1, err)
			}
			c.needRare().inline, c.size, c.hash = b, int64(len(b)), sha1.Sum(b)
		} else {
			m := &im.a.Store().Metas[im.index-1]
			if m.Problem != "" {
				return format.Errorf(blobs.MetadataOf(im.index), im.a.Store().Parts[m.Src].Name, m.Off, "%s", m.Problem)
			}
			c.a = int32(slices.Index(inv.archives, im.a))
			c.blob, c.size, c.hash = im.a.Store().MetaID(im.index-1), m.Size, m.Hash
			if im.a == inv.base {
				c.stays, c.off, c.packed, c.stored, c.part = true, m.Off, m.Packed, m.Form == blobs.FormStored, 1
			}
		}
		inv.metas[k] = int32(len(inv.contents))
		inv.contents = append(inv.contents, c)
	}
	return nil
}

// openContent is a content, or a solid resource, that comes in pieces.
type openContent struct {
	id    int32
	off   int64 // where it starts
	table int64 // bytes reserved for its chunk table, and header if solid
	sizes []uint32
	total int64 // packed bytes of all chunks
}
