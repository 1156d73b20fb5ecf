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

// inventory holds the contents that the archive is to have: where they come from, which of them are the same, and where they
// were written.
type inventory struct {
	*request
	contents  []content
	contentMu sync.RWMutex // guards what Content reads: files are opened while results are merged
	byHash    contentIndex
	names     map[int32]string         // of contents in solid resources, for their order
	uses      map[format.Hash]firstUse // see findUses
	usesOnce  sync.Once
	lacking   map[format.Hash]bool // see lacks; nil until first needed
	losses    []wim.Loss           // see Losses
	lost      int
	keepAll   bool // in place: lost entries of an image that stays may use any content
	solids    []outSolid
	metas     []int32 // the metadata resource of each image in shown, as a content; -1 until it is made
}

// content is a content that the archive is to hold, or a metadata resource. There is one for each of perhaps a million files,
// so fields that few need are in rareFields.
type content struct {
	hash    format.Hash
	refs    uint32
	a       int32 // index of the archive that holds it, -1 if none
	blob    int32 // its blob ID there
	image   int32 // index of the image whose draft has it, -1 if none
	id      draft.ContentID
	same    int32 // the content that is written in its place, or one of written and leftOut
	solid   int32 // index into solids, -1 if it has a resource of its own
	size    int64
	off     int64       // where it was written; if solid, in the unpacked bytes of the resource
	packed  int64       // bytes that were written
	rare    *rareFields // nil: all of them are zero
	part    uint16      // part of the set in which it was written; 0: not yet written
	known   bool        // hash is known
	stored  bool        // it was written uncompressed
	meta    bool        // it is a metadata resource
	raw     bool        // it must not be packed
	stays   bool        // it stays where it is in the archive that is changed in place
	skipped bool        // it could not be read, see Plan.Skip
}

// rareFields holds fields that few contents need.
type rareFields struct {
	inline []byte // the bytes themselves
	states []byte // see shard.PackedItem.States
	zeros  []byte // see shard.PackedItem.Zeros
	most   int64  // its packed size, if that was measured
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

// needRare returns the rare fields for writing.
func (c *content) needRare() *rareFields {
	if c.rare == nil {
		c.rare = &rareFields{}
	}
	return c.rare
}

// outSolid is a solid resource of the archive that is written.
type outSolid struct {
	off, packed, size int64
	a, from           int32 // if copied or kept in place: the archive, and the index of the solid resource in it; otherwise a is -1
}

// content implements Plan.Content.
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

// name implements Plan.Name.
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
	name := "blob " + c.hash.String()
	inv.usesOnce.Do(inv.findUses)
	if at, ok := inv.uses[c.hash]; ok && c.a >= 0 && !c.meta {
		return fmt.Sprintf("%s (image %d, %s)", strings.TrimPrefix(at.im.Path(at.n), "/"), at.im.Index(), name)
	}
	return name
}

// firstUse is the first dentry that uses a content.
type firstUse struct {
	im *wim.Image
	n  wim.Node
}

// findUses records the first use of each content in the images that are copied from archives.
func (inv *inventory) findUses() {
	inv.uses = map[format.Hash]firstUse{}
	for i := range inv.images {
		if inv.images[i].draft != nil {
			continue
		}
		im, err := inv.images[i].a.Image(inv.images[i].index)
		if err != nil {
			continue // its contents remain without names
		}
		im.EachStream(0, wim.Node(im.Len()), func(n wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
			if _, ok := inv.uses[h]; !ok {
				inv.uses[h] = firstUse{im, n}
			}
			return true
		})
	}
}

// maxWritten bounds the bytes of contents that a plan writes. Only a corrupt archive claims more. The bound limits the memory
// of a plan, which has an outline for every few megabytes.
const maxWritten = 1 << 45 // 32 TiB

// bounded returns an error if there is more to write than maxWritten.
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
			return &format.TooLargeError{What: "a plan for this many bytes", Need: sum + max(n, 0), Limit: maxWritten}
		}
		sum += n
	}
	if len(inv.contents) > math.MaxInt32/2 {
		return fmt.Errorf("wim: %d contents: %w", len(inv.contents), format.ErrTooLarge)
	}
	return nil
}

// copied reports whether a content is copied packed.
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

// resource returns the resource in an archive that holds only this content. ok is false if it has none.
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

// copySize returns the packed size of a content that is copied.
func (inv *inventory) copySize(c *content) int64 {
	res, _ := inv.resource(c)
	return packedFor(&res, &inv.o)
}

// sourceChunk returns a number for the solid chunk of an archive in which a content begins, or -1 if it is in none.
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

// metaCopied reports whether a metadata resource is copied packed. Unlike other resources, it also is in a solid archive.
func (inv *inventory) metaCopied(c *content) bool {
	if c.a < 0 || inv.o.Recompress {
		return false
	}
	res, _ := inv.resource(c)
	return packedAs(inv.archives[c.a].Store(), &res, &inv.o)
}

// bound returns the most bytes that the resource of a content takes.
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

// makeMetadata adds the metadata resources of the images to the contents. Those of drafts are only added if drafts is set;
// all hashes must be known then.
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

// openContent is a content, or a solid resource, that is being written in pieces.
type openContent struct {
	id    int32
	off   int64 // where it starts
	table int64 // bytes reserved for its chunk table, and for its header if solid
	sizes []uint32
	total int64 // packed bytes of all chunks
}
