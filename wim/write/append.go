package write

import (
	"fmt"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// PlanAppend plans to change, in its file, the archive that Of was called with. New resources are appended, then the tables
// and the XML document, and the header is written last, in a single write smaller than a disk sector. Until then the file is
// the old archive: its tables are not overwritten. What is no longer needed remains as unused bytes. If only the XML document
// changes, the blob table and the integrity table stay as well. Codec and chunk size are those of the archive; the options
// must leave them 0 or agree. The Archive must not be used after the plan was run.
//
// If the archive has an integrity table and the options ask for one, the blocks that get new hashes are first compared with
// the old ones. Running the plan then fails with *blobs.IntegrityError before it writes anything.
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
	p.unchanged = p.inv.onlyXML()
	p.setStages()
	return p, nil
}

// inPlace returns the options for changing an archive in place, or an error if that is not possible.
func (e *Builder) inPlace(o *Options) (*Options, error) {
	a := e.base
	if a == nil {
		return nil, &RefusedError{Key: RefusedNoFile, Text: "the archive was not opened from a file, so it cannot be changed in place"}
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
		key, why = RefusedPipable, "it is pipable; such an archive cannot be changed in place and has to be rewritten"
	case opts.Pipable:
		key, why = RefusedPipable, "it is not pipable; making it so requires rewriting it"
	case h.Flags&format.FlagReadOnly != 0:
		key, why = RefusedReadOnly, "it is marked read-only"
	case h.Flags&format.FlagWriteInProgress != 0:
		key, why = RefusedWriteInProgress, "its header is marked as unfinished"
	case opts.Codec != format.None && opts.Codec != p.Codec:
		key, why = RefusedCodec, fmt.Sprintf("it uses %v; its codec cannot be changed in place to %v", p.Codec, opts.Codec)
	case opts.ChunkSize != 0 && p.Codec != format.None && opts.ChunkSize != int64(h.ChunkSize):
		key, why = RefusedChunkSize, fmt.Sprintf("its chunk size is %d; it cannot be changed in place to %d", h.ChunkSize, opts.ChunkSize)
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

// startAppend sets the output to the end of the file.
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

// asOpened checks that the file to be changed in place still has the header that was read when it was opened. If another
// program has changed the archive since, a new header would discard its changes.
func (p *request) asOpened() error {
	part := p.base.Store().FirstPart()
	b := make([]byte, format.HeaderSize)
	if _, err := blobs.ReadFull(part.R, b, 0); err != nil {
		return fmt.Errorf("wim: %s: header: %w", part.Name, err)
	}
	if string(part.Header.Append(nil)) != string(b) {
		return fmt.Errorf("wim: %s: it was changed by another program: %w", part.Name, blobs.ErrChanged)
	}
	return nil
}

// keptBlocks returns how many hashes of the old integrity table the new table takes over: those of whole blocks before end.
// The old table must have the block size that is written here.
func (p *request) keptBlocks(end int64) int64 {
	t := p.base.Store().FirstPart().Integrity
	if t == nil || t.ChunkSize != integrityBlock {
		return 0
	}
	_, to := p.base.Store().FirstPart().Covered()
	return (min(to, end) - format.HeaderSize) / integrityBlock
}

// compareOld verifies the blocks of the old integrity table whose hashes prime does not take over. These bytes get new
// hashes, which would hide damage.
func (f *output) compareOld(end int64) error {
	if f.base.Store().FirstPart().Integrity == nil {
		return nil
	}
	return f.base.Store().FirstPart().CompareBlocks(int(f.keptBlocks(end)))
}

// prime fills the sums of a new integrity table up to end: it copies the hashes of whole blocks from the old table, and
// hashes the remaining bytes.
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

// read adds the bytes of a part from from to end.
func (s *blockSums) read(part *blobs.OpenPart, from, end int64) error {
	b := make([]byte, shard.YieldBytes)
	for from < end {
		n := min(shard.YieldBytes, end-from)
		if _, err := blobs.ReadFull(part.R, b[:n], from); err != nil {
			return fmt.Errorf("wim: %s: at 0x%x: %w", part.Name, from, err)
		}
		s.write(b[:n])
		from += n
	}
	return nil
}
