package write

import (
	"fmt"
	"math"
	"math/rand/v2"

	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// maxParts is the largest number of parts of a set.
const maxParts = 1<<16 - 1

// maxPart is the largest size of a part with one large content, the maximum file size of FAT32.
const maxPart = 1<<32 - 1

// PlanSplit plans a split set with parts of at most partSize bytes, headers and tables included. A resource is never divided
// between parts, and the first part holds all metadata. Resources packed as the options say are copied. Without options,
// those of the archive that Of was called with are used. The parts of a solid archive are not solid: without options it is
// repacked with LZX in chunks of 32 KiB.
//
// A content that does not fit into partSize gets a larger part, which Report.Large lists. If such a part would have 4 GiB or
// more, running the plan fails with a *TooLargePartError before anything is written, unless force is set. To find out, a
// content of that size is packed twice. Other errors are those of PlanWrite. A set has no boot image; a set of a single part
// is a complete archive.
func (e *Builder) PlanSplit(partSize int64, force bool, o *Options) (*Plan, error) {
	most := max(partSize, maxPart)
	if force {
		most = math.MaxInt64
	}
	return e.planSplit(partSize, most, o)
}

// planSplit is PlanSplit with the maximum size of a part that holds a content larger than partSize.
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
		return nil, &RefusedError{Key: RefusedSolid, Text: "a split set with solid resources is not supported, because few programs can read one"}
	}
	if partSize < 1 {
		return nil, &RefusedError{Key: RefusedSplit, Text: fmt.Sprintf("invalid part size: %d bytes", partSize)}
	}
	if opts.GUID == [16]byte{} || e.base != nil && opts.GUID == e.base.Store().FirstPart().Header.GUID {
		// The parts of a set share a GUID, which must differ from that of the whole archive.
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

// judge returns an error if a content does not even fit into a part of its own.
func (f *output) judge(id int32) error {
	c := &f.inv.contents[id]
	if n := f.need(f.inv.bound(c), 1); n > f.mostPart {
		return &TooLargePartError{Name: f.inv.name(id), Hash: c.hash, Need: n, Part: f.mostPart}
	}
	return nil
}

// metaNeed returns an upper bound for the size of the first part if it holds only metadata.
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

// measuring is the stage that finds out the packed size of contents that may be too large for a part. It packs them and keeps
// only the size.
type measuring struct {
	planner
	file *output
}

func (s *measuring) key() string { return "measure" }

// plan first finds duplicates, now that hashes are known.
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

// merge adds up the packed sizes of contents.
func (s *measuring) merge(_ *outline, items []item, r *shard.Result) error {
	for k, it := range items {
		c := &s.inv.contents[it.content]
		if it.from == 0 && it.n < c.size {
			c.needRare().most = ((c.size+s.o.ChunkSize-1)/s.o.ChunkSize - 1) * int64(format.ChunkEntrySize(uint64(c.size)))
		}
		c.needRare().most += r.Packed[k].Packed
	}
	return nil
}

// judgeAll returns an error if anything does not fit into parts.
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
