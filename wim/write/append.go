package write

import (
	"fmt"
	"slices"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// PlanAppend makes the plan of changing the archive that the Edit was made of, in its file: what is new goes behind what
// is there, then what describes the archive, and the header last. Until then the file is the archive that it was: its
// tables are not written over. What nobody needs any more stays as unused bytes. If only what is said of the images
// changes, blob table and integrity table stay too. Codec and chunk size are those of the archive: 0 in the options, or
// the same. The Archive must not be used after the plan was run.
//
// The header is written as one, of less than a disk's sector.
//
// If both the archive and the options have an integrity table, the blocks that get new hashes are first compared with the old
// ones. Running the plan then fails with *IntegrityError before it writes anything.
//
// Errors: *RefusedError, and those of PlanWrite.
func (e *Builder) PlanAppend(o *Options) (*Plan, error) {
	opts, err := e.inPlace(o)
	if err != nil {
		return nil, err
	}
	p, err := e.planWrite(opts, e.base, false)
	if err != nil {
		return nil, err
	}
	p.unchanged = p.onlyTold()
	p.setStages()
	return p, nil
}

// inPlace gives the options for changing an archive in place, if that may be.
func (e *Builder) inPlace(o *Options) (*Options, error) {
	a := e.base
	if a == nil {
		return nil, &RefusedError{Key: RefusedNoFile, Text: "this archive is in no file that could be changed"}
	}
	opts := Options{}
	if o != nil {
		opts = *o
	}
	p := a.Store().FirstPart()
	key, why := "", ""
	switch h := &p.Header; {
	case a.Store().Total > 1 || h.Flags&format.FlagSpanned != 0:
		key, why = RefusedSplit, "it is split"
	case h.Pipable():
		key, why = RefusedPipable, "it is pipable, and has to be written anew"
	case opts.Pipable:
		key, why = RefusedPipable, "it is not pipable, and has to be written anew"
	case h.Flags&format.FlagReadOnly != 0:
		key, why = RefusedReadOnly, "it is marked read-only"
	case h.Flags&format.FlagWriteInProgress != 0:
		key, why = RefusedWriteInProgress, "its header says that writing was not finished"
	case opts.Codec != format.None && opts.Codec != p.Codec:
		key, why = RefusedCodec, fmt.Sprintf("its codec is %v, and cannot be %v too", p.Codec, opts.Codec)
	case opts.ChunkSize != 0 && p.Codec != format.None && opts.ChunkSize != int64(h.ChunkSize):
		key, why = RefusedChunkSize, fmt.Sprintf("its chunks have %d bytes, and cannot have %d too", h.ChunkSize, opts.ChunkSize)
	}
	if key != "" {
		return nil, &RefusedError{Name: p.Name, Key: key, Text: why}
	}
	opts.Codec, opts.ChunkSize, opts.GUID, opts.Recompress = p.Codec, 0, p.Header.GUID, false
	if p.Codec != format.None {
		opts.ChunkSize = int64(p.Header.ChunkSize)
	}
	return &opts, nil
}

// onlyTold says that images and contents of the archive in place stay, all of them and no others.
func (p *Plan) onlyTold() bool {
	a := p.base
	if len(p.shown) != len(a.Store().Metas) || len(p.images) != len(a.Store().Metas) || a.Store().FirstPart().Header.BlobTable.IsZero() {
		return false
	}
	for i := range p.images {
		if im := &p.images[i]; !im.of(a) || im.index != i+1 {
			return false
		}
	}
	return !slices.ContainsFunc(p.contents, func(c packContent) bool { return c.same == written && !c.stays })
}

// keep leaves in place what the archive that is changed holds: contents that images use, and contents that no image ever
// used, since other archives may need them. Contents of deleted images go, unless an image that stays is incomplete.
func (p *Plan) keep() error {
	a := p.base
	used := map[int32]bool{}
	for i := range a.Store().Metas {
		if slices.ContainsFunc(p.images, func(im editImage) bool { return im.of(a) && im.index == i+1 }) {
			continue // gathered
		}
		im, err := a.Image(i + 1)
		if err != nil {
			return err
		}
		im.EachContent(func(_ wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
			if id, ok := a.Store().BlobID(h); ok {
				used[id] = true
			}
			return true
		})
	}
	for i := range a.Store().Own() {
		b := &a.Store().Records[i]
		if p.compact && !a.Store().ResourceOnly() {
			break
		}
		if _, ok := p.withHash(&b.Hash); ok || used[int32(i)] && !p.keepAll || b.Fault != blobs.FaultNone {
			continue
		}
		if id, ok := p.find(b.Hash, a); ok {
			p.contents[id].refs = max(b.Refs, 1)
		}
	}
	ai := int32(slices.Index(p.archives, a))
	for i := range a.Store().Solids {
		s := &a.Store().Solids[i]
		p.solids = append(p.solids, outSolid{off: s.Off, packed: s.Packed, size: s.Size, a: ai, from: int32(i)})
	}
	for i := range p.contents {
		c := &p.contents[i]
		if c.a != ai || c.same != written || int(c.blob) >= a.Store().NBlobs {
			continue
		}
		b := &a.Store().Records[c.blob]
		c.stays, c.part = true, 1
		if b.Run < 0 {
			c.off, c.packed, c.stored = b.Off, b.Packed, b.Form == blobs.FormStored
			continue
		}
		run := &a.Store().Runs[b.Run]
		m := run.Member(b.Off)
		c.solid, c.off, c.packed = run.Members[m].Solid, b.Off-run.Members[m].Start, b.Size
	}
	return nil
}

// startAppend places the end of what is there.
func (p *Plan) startAppend() error {
	a := p.base
	part := a.Store().FirstPart()
	p.out.off = part.Size
	p.out.prime = func(s *blockSums) error {
		if err := p.compareOld(part.Size); err != nil {
			return err
		}
		return p.prime(s, part.Size)
	}
	return nil
}

// asOpened sees that the file that is changed in place is still what was opened: another program may have changed it, in
// which case a new header would lose what that did.
func (p *Plan) asOpened() error {
	part := p.base.Store().FirstPart()
	b := make([]byte, format.HeaderSize)
	if _, err := blobs.ReadFull(part.R, b, 0); err != nil {
		return fmt.Errorf("wim: %s: header: %w", part.Name, err)
	}
	if string(part.Header.Append(nil)) != string(b) {
		return fmt.Errorf("wim: %s: another program wrote to it: %w", part.Name, blobs.ErrChanged)
	}
	return nil
}

// keptBlocks counts the blocks of the old integrity table whose hashes the new table takes over: those that lie before end,
// in full. The old table must have blocks of the size that is written.
func (p *Plan) keptBlocks(end int64) int64 {
	t := p.base.Store().FirstPart().Integrity
	if t == nil || t.ChunkSize != integrityBlock {
		return 0
	}
	_, to := p.base.Store().FirstPart().Covered()
	return (min(to, end) - format.HeaderSize) / integrityBlock
}

// compareOld compares the blocks of the old integrity table that prime does not take over with their bytes. Those bytes get
// new hashes, which would make damage look sound.
func (p *Plan) compareOld(end int64) error {
	if p.base.Store().FirstPart().Integrity == nil {
		return nil
	}
	return p.base.Store().FirstPart().CompareBlocks(int(p.keptBlocks(end)))
}

// prime fills the sums of a new integrity table up to end: it copies the hashes of whole blocks from the old table, and reads
// the rest.
func (p *Plan) prime(s *blockSums, end int64) error {
	a := p.base
	part := a.Store().FirstPart()
	from := int64(format.HeaderSize)
	if n := p.keptBlocks(end); n > 0 {
		s.hashes = append(s.hashes, a.Store().FirstPart().Integrity.Hashes[:n]...)
		from += n * integrityBlock
	}
	return s.read(part, from, end)
}

// read takes bytes of a part, from from to end.
func (s *blockSums) read(part *blobs.OpenPart, from, end int64) error {
	b := make([]byte, shard.RestBytes)
	for from < end {
		n := min(shard.RestBytes, end-from)
		if _, err := blobs.ReadFull(part.R, b[:n], from); err != nil {
			return fmt.Errorf("wim: %s: at 0x%x: %w", part.Name, from, err)
		}
		s.write(b[:n])
		from += n
	}
	return nil
}
