package write

import (
	"fmt"
	"math"
	"math/rand/v2"

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
	for i := range p.inv.contents {
		if c := &p.inv.contents[i]; c.same == written && p.inv.copied(c) {
			if err := p.file.judge(int32(i)); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// judge returns an error if a content does not fit into any part, not even a larger one.
func (f *output) judge(id int32) error {
	c := &f.inv.contents[id]
	if n := f.need(f.inv.bound(c), 1); n > f.mostPart {
		return &TooLargePartError{Name: f.inv.name(id), Hash: c.hash, Need: n, Part: f.mostPart}
	}
	return nil
}

// metaNeed is how many bytes the first part has at most, if it holds nothing but metadata.
func (f *output) metaNeed() int64 {
	n := int64(0)
	for _, id := range f.inv.metas {
		n += f.inv.bound(&f.inv.contents[id])
	}
	return f.need(n, len(f.inv.metas))
}

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
	for i := range p.inv.contents {
		c := &p.inv.contents[i]
		k, ok := at[c.part]
		switch {
		case !ok || c.same != written:
		case c.meta:
			list[k].Name = "metadata"
			list[k].Bytes += c.size
		case list[k].Name != "metadata" && c.size > list[k].Bytes:
			list[k].Name, list[k].Bytes = p.inv.name(int32(i)), c.size
		}
	}
	return list
}

// measuring is the stage that packs contents which may be too large for a part for nothing but their size.
type measuring struct {
	planner
	file *output
}

func (s *measuring) key() string { return "measure" }

// plan first finds the contents that are the same, now that their hashes are known.
func (s *measuring) plan() error {
	if err := s.inv.single(); err != nil {
		return err
	}
	if !s.limited() {
		return nil
	}
	if err := s.inv.makeMetadata(true); err != nil {
		return err
	}
	var ids []int32
	room := s.mostPart - s.file.need(0, 1)
	for i := range s.inv.contents {
		if c := &s.inv.contents[i]; c.same == written && !c.meta && !c.raw && !s.inv.copied(c) && s.inv.bound(c) > room && s.o.Codec != format.None {
			ids = append(ids, int32(i))
		}
	}
	if s.file.metaNeed() > s.mostPart && s.o.Codec != format.None {
		for _, id := range s.inv.metas {
			if !s.inv.metaCopied(&s.inv.contents[id]) {
				ids = append(ids, id)
			}
		}
	}
	s.planAlone(ids, false)
	return nil
}

// merge takes the packed sizes of contents.
func (s *measuring) merge(_ *outline, items []item, r *shard.PackResult) error {
	for k, it := range items {
		c := &s.inv.contents[it.content]
		if it.from == 0 && it.n < c.size {
			c.needRare().most = ((c.size+s.o.ChunkSize-1)/s.o.ChunkSize - 1) * int64(format.ChunkEntrySize(uint64(c.size)))
		}
		c.needRare().most += r.Items[k].Packed
	}
	return nil
}

// judgeAll sees that everything fits into parts, before anything is written.
func (f *output) judgeAll() error {
	if !f.limited() {
		return nil
	}
	if f.metaNeed() > f.mostPart {
		return &TooLargePartError{Name: "metadata", Need: f.metaNeed(), Part: f.mostPart}
	}
	room := f.mostPart - f.need(0, 1)
	for i := range f.inv.contents {
		c := &f.inv.contents[i]
		if c.most() >= c.size && c.most() > 0 && !f.o.Pipable {
			c.raw = true // packing makes it no shorter
		}
		if c.same == written && !c.meta && f.inv.bound(c) > room {
			if err := f.judge(int32(i)); err != nil {
				return err
			}
		}
	}
	return nil
}
