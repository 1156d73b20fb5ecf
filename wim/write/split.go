package write

import (
	"fmt"
	"math"
	"math/rand/v2"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// maxParts is how many parts a set can have.
const maxParts = 1<<16 - 1

// maxPart is the largest size of a part with one large content: what FAT32 can hold.
const maxPart = 1<<32 - 1

// PlanSplit makes the plan of a split set: parts of at most partSize bytes, all included. A content is never cut, and the
// first part holds all metadata. What is packed as the options say is copied; without options that is as the archive is
// that the Edit was made of. The parts of a solid archive are not solid: packed anew, with LZX in chunks of 32 KiB if there
// are no options.
//
// A content that does not fit into partSize gets a larger part, which Report.Large lists. Running the plan fails with a
// *TooLargePartError before anything is written if such a part would have 4 GiB or more, unless force is set; to find out, a
// content of that size is packed twice. Other errors are those of PlanWrite. A set has no boot image; a set of a single part
// is a complete archive.
func (e *Builder) PlanSplit(partSize int64, force bool, o *Options) (*Plan, error) {
	most := max(partSize, maxPart)
	if force {
		most = math.MaxInt64
	}
	return e.planSplit(partSize, most, o)
}

// planSplit is PlanSplit with the most bytes of a part with a content larger than partSize.
func (e *Builder) planSplit(partSize, most int64, o *Options) (*Plan, error) {
	opts := Options{}
	switch {
	case o != nil:
		opts = *o
	case e.base != nil:
		if opts = OptionsOf(e.base); opts.Solid {
			opts = Options{Codec: format.LZX, Integrity: opts.Integrity}
		}
	}
	if opts.Solid {
		return nil, &RefusedError{Key: RefusedSolid, Text: "a split set that most programs read has no solid resources"}
	}
	if partSize < 1 {
		return nil, &RefusedError{Key: RefusedSplit, Text: fmt.Sprintf("parts cannot have %d bytes", partSize)}
	}
	if opts.GUID == [16]byte{} || e.base != nil && opts.GUID == e.base.Store().FirstPart().Header.GUID {
		// Parts know each other by it, so it must not be that of the whole.
		le.PutUint64(opts.GUID[:], rand.Uint64())
		le.PutUint64(opts.GUID[8:], rand.Uint64())
	}
	p, err := e.planWrite(&opts, nil, false)
	if err != nil {
		return nil, err
	}
	p.front, p.partSize, p.mostPart = true, partSize, most
	p.setStages()
	for i := range p.contents {
		if c := &p.contents[i]; c.same == written && p.copied(c) {
			if err := p.judge(int32(i)); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// bound is how many bytes a resource takes at most.
func (p *Plan) bound(c *packContent) int64 {
	if most := c.most(); most > 0 {
		return min(most, c.size)
	}
	if c.a >= 0 && (p.copied(c) || c.meta && p.metaCopied(c)) {
		return p.copySize(c)
	}
	if p.step(c) == 0 || c.raw || p.o.Codec == format.None {
		return c.size
	}
	n := (c.size + p.o.ChunkSize - 1) / p.o.ChunkSize
	return c.size + n*(int64(format.ChunkEntrySize(uint64(c.size)))+blobs.PipablePrefix)
}

// need is how many bytes a part has in which n bytes of resources stand, that many of them.
func (p *Plan) need(n int64, resources int) int64 {
	off := format.HeaderSize + n + int64(resources)*format.PipableBlobHeaderSize*p.pipable()
	off += p.pipable() * (format.PipableBlobHeaderSize + p.mostXML())
	return off + p.tail(off, resources)
}

func (p *Plan) pipable() int64 {
	if p.o.Pipable {
		return 1
	}
	return 0
}

// tail is how many bytes follow the resources of a part that end at off, that many of them.
func (p *Plan) tail(off int64, resources int) int64 {
	n := int64(resources)*format.BlobEntrySize + p.pipable()*(2*format.PipableBlobHeaderSize+format.HeaderSize)
	if p.o.Integrity {
		n += 12 + (off+n-format.HeaderSize+integrityBlock-1)/integrityBlock*20
	}
	return n + p.mostXML()
}

// mostXML is how many bytes the XML document of a part has at most. What is said of drafts gets no longer if files are
// left out.
func (p *Plan) mostXML() int64 {
	if p.xmlBound == 0 {
		p.xmlBound = int64(len(p.xml(1 << 62)))
	}
	return p.xmlBound
}

// fits says that a resource of n bytes can stand at off in the part at hand.
func (p *Plan) fits(off, n int64) bool {
	if p.used == 0 {
		return true // then it can stand in no other
	}
	off += n + p.pipable()*format.PipableBlobHeaderSize
	return off+p.tail(off, p.used+1) <= p.partSize
}

// judge returns an error if a content does not fit into any part, not even a larger one.
func (p *Plan) judge(id int32) error {
	c := &p.contents[id]
	if n := p.need(p.bound(c), 1); n > p.mostPart {
		return &TooLargePartError{Name: p.Name(id), Hash: c.hash, Need: n, Part: p.mostPart}
	}
	return nil
}

// metaNeed is how many bytes the first part has at most, if it holds nothing but metadata.
func (p *Plan) metaNeed() int64 {
	n := int64(0)
	for _, id := range p.metas {
		n += p.bound(&p.contents[id])
	}
	return p.need(n, len(p.metas))
}

// limited reports whether a content may be too large for any part.
func (p *Plan) limited() bool { return p.partSize > 0 && p.mostPart < math.MaxInt64 }

// LargePart is a part of a split set that exceeds the requested size.
type LargePart struct {
	Part  int    // number, from 1
	Name  string // of the content that needs it; "metadata" for the images' metadata resources
	Bytes int64  // unpacked size of the content
	Size  int64  // of the part
}

// largeParts returns the parts that exceed the requested size, given the sizes of all.
func (p *Plan) largeParts(sizes []int64) []LargePart {
	var list []LargePart
	at := map[uint16]int{}
	for i, n := range sizes {
		if p.partSize > 0 && n > p.partSize {
			at[uint16(i+1)] = len(list)
			list = append(list, LargePart{Part: i + 1, Size: n})
		}
	}
	if len(list) == 0 {
		return nil
	}
	for i := range p.contents {
		c := &p.contents[i]
		k, ok := at[c.part]
		switch {
		case !ok || c.same != written:
		case c.meta:
			list[k].Name = "metadata"
			list[k].Bytes += c.size
		case list[k].Name != "metadata" && c.size > list[k].Bytes:
			list[k].Name, list[k].Bytes = p.Name(int32(i)), c.size
		}
	}
	return list
}

// planMeasure plans the packing of contents that may be too large for a part.
func (p *Plan) planMeasure() error {
	if !p.limited() {
		return nil
	}
	if err := p.makeMetadata(true); err != nil {
		return err
	}
	var ids []int32
	room := p.mostPart - p.need(0, 1)
	for i := range p.contents {
		if c := &p.contents[i]; c.same == written && !c.meta && !c.raw && !p.copied(c) && p.bound(c) > room && p.o.Codec != format.None {
			ids = append(ids, int32(i))
		}
	}
	if p.metaNeed() > p.mostPart && p.o.Codec != format.None {
		for _, id := range p.metas {
			if !p.metaCopied(&p.contents[id]) {
				ids = append(ids, id)
			}
		}
	}
	p.planAlone(ids, false)
	return nil
}

// mergeMeasure takes the packed sizes of contents.
func (p *Plan) mergeMeasure(items []packItem, r *shard.PackResult) {
	for k, it := range items {
		c := &p.contents[it.content]
		if it.from == 0 && it.n < c.size {
			c.needRare().most = ((c.size+p.o.ChunkSize-1)/p.o.ChunkSize - 1) * int64(format.ChunkEntrySize(uint64(c.size)))
		}
		c.needRare().most += r.Items[k].Packed
	}
}

// judgeAll sees that everything fits into parts, before anything is written.
func (p *Plan) judgeAll() error {
	if !p.limited() {
		return nil
	}
	if p.metaNeed() > p.mostPart {
		return &TooLargePartError{Name: "metadata", Need: p.metaNeed(), Part: p.mostPart}
	}
	room := p.mostPart - p.need(0, 1)
	for i := range p.contents {
		c := &p.contents[i]
		if c.most() >= c.size && c.most() > 0 && !p.o.Pipable {
			c.raw = true // packing makes it no shorter
		}
		if c.same == written && !c.meta && p.bound(c) > room {
			if err := p.judge(int32(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin begins to write.
func (p *Plan) begin() error {
	if p.sink == nil {
		return fmt.Errorf("wim: nothing says where to write: %w", format.ErrNotFound)
	}
	if err := p.judgeAll(); err != nil {
		return err
	}
	if p.base == nil {
		return p.startPart()
	}
	if err := p.asOpened(); err != nil {
		return err
	}
	if err := p.openPart(); err != nil {
		return err
	}
	if p.compact {
		return p.startCompact()
	}
	return p.startAppend()
}

// openPart opens the file of the part at hand.
func (p *Plan) openPart() error {
	w, err := p.sink(p.part)
	if err != nil {
		return err
	}
	p.out = writeOut{w: w, off: format.HeaderSize}
	if p.o.Integrity {
		p.out.sum = newBlockSums()
	}
	return nil
}

// startPart begins a new file.
func (p *Plan) startPart() error {
	if err := p.openPart(); err != nil {
		return err
	}
	p.used = 0
	h := p.header()
	if !p.o.Pipable {
		h.Flags |= format.FlagWriteInProgress
		h.ImageCount, h.BootIndex = 0, 0
		return p.out.put(h.Append(nil), 0)
	}
	if err := p.out.put(h.Append(nil), 0); err != nil {
		return err
	}
	_, err := p.piped(p.xml(-1))
	return err
}

// nextPart ends the part at hand, and begins the next.
func (p *Plan) nextPart() error {
	if err := p.endPart(); err != nil {
		return err
	}
	if p.part == maxParts {
		return &RefusedError{Key: RefusedSplit, Text: fmt.Sprintf("a set has at most %d parts", maxParts)}
	}
	p.part++
	return p.startPart()
}
