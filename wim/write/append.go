package write

import (
	"fmt"

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
	p.unchanged = p.inv.onlyTold()
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

// startAppend places the end of what is there.
func (f *output) startAppend() error {
	a := f.base
	part := a.Store().FirstPart()
	f.out.off = part.Size
	f.out.prime = func(s *blockSums) error {
		if err := f.compareOld(part.Size); err != nil {
			return err
		}
		return f.prime(s, part.Size)
	}
	return nil
}

// asOpened sees that the file that is changed in place is still what was opened: another program may have changed it, in
// which case a new header would lose what that did.
func (p *request) asOpened() error {
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
func (p *request) keptBlocks(end int64) int64 {
	t := p.base.Store().FirstPart().Integrity
	if t == nil || t.ChunkSize != integrityBlock {
		return 0
	}
	_, to := p.base.Store().FirstPart().Covered()
	return (min(to, end) - format.HeaderSize) / integrityBlock
}

// compareOld compares the blocks of the old integrity table that prime does not take over with their bytes. Those bytes get
// new hashes, which would make damage look sound.
func (f *output) compareOld(end int64) error {
	if f.base.Store().FirstPart().Integrity == nil {
		return nil
	}
	return f.base.Store().FirstPart().CompareBlocks(int(f.keptBlocks(end)))
}

// prime fills the sums of a new integrity table up to end: it copies the hashes of whole blocks from the old table, and reads
// the rest.
func (f *output) prime(s *blockSums, end int64) error {
	a := f.base
	part := a.Store().FirstPart()
	from := int64(format.HeaderSize)
	if n := f.keptBlocks(end); n > 0 {
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
