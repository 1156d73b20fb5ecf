package blobs

import (
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
)

// IntegrityError reports a block of a part that does not match the integrity table. Writing stops before changing the archive, because
// a new table would hide the damage.
type IntegrityError struct {
	Part     string
	Block    int   // from 0
	Off, End int64 // of the block, in the part
}

func (e *IntegrityError) Error() string {
	return fmt.Sprintf("wim: %s: the bytes from 0x%x to 0x%x do not match block %d of the integrity table", e.Part, e.Off, e.End, e.Block)
}

// Is makes an IntegrityError an ErrChecksum.
func (e *IntegrityError) Is(target error) bool { return target == format.ErrChecksum }

// readIntegrity reads a part's integrity table, if it has one.
func (a *Store) readIntegrity(p *OpenPart) error {
	h := p.Header.Integrity
	if h.PackedSize == 0 {
		return nil
	}
	const record = "integrity table"
	r, fault := p.Plain(h)
	if fault != FaultNone {
		return format.Errorf(record, p.Name, r.Off, "%v", fault)
	}
	b, err := a.ReadAll(&r, record, TableTimes)
	if err != nil {
		return err
	}
	t, err := format.ParseIntegrityTable(b)
	if err != nil {
		return format.InPart(p.Name, r.Off, err)
	}
	from, to := p.Covered()
	if want := (to - from + int64(t.ChunkSize) - 1) / int64(t.ChunkSize); want != int64(t.Count) {
		return &format.Error{Record: record, Part: p.Name, Off: r.Off,
			Err: fmt.Errorf("%d blocks of %d bytes do not match the range 0x%x to 0x%x", t.Count, t.ChunkSize, from, to)}
	}
	p.Integrity = &t
	return nil
}

// Covered returns the range that an integrity table covers: from the end of the header to the end of the blob table. It contains neither
// the header nor the XML document.
func (p *OpenPart) Covered() (from, to int64) {
	end, ok := ResourceEnd(p.Header.BlobTable)
	if !ok || end < format.HeaderSize {
		return format.HeaderSize, format.HeaderSize
	}
	return format.HeaderSize, end
}

// CompareBlocks hashes the blocks of a part from block first on and compares them with the integrity table. It returns an
// *IntegrityError for the first block that differs.
func (p *OpenPart) CompareBlocks(first int) error {
	t := p.Integrity
	from, to := p.Covered()
	size := int64(t.ChunkSize)
	b := make([]byte, min(size, 1<<20))
	sha := sha1.New()
	for i := first; i < len(t.Hashes); i++ {
		start := from + int64(i)*size
		end := min(start+size, to)
		sha.Reset()
		for off := start; off < end; {
			n := min(int64(len(b)), end-off)
			if _, err := ReadFull(p.R, b[:n], off); err != nil {
				return fmt.Errorf("wim: %s: at 0x%x: %w", p.Name, off, err)
			}
			sha.Write(b[:n])
			off += n
		}
		if sha.Sum() != t.Hashes[i] {
			return &IntegrityError{Part: p.Name, Block: i, Off: start, End: end}
		}
	}
	return nil
}
