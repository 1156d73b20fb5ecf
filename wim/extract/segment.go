package extract

import (
	"cmp"

	"wimscope/wim/shard"
)

// Segment is a shard's result, prepared for an Output.
type Segment struct {
	Data    []byte
	Entries SegmentEntries
	CRCs    []uint32 // of each piece of Entries
	Damaged []Entry  // entries whose blobs are damaged; those that are written nevertheless are Marked
	Taken   int      // entries, of this segment or earlier ones, that a Drop in this segment removes
}

// Each calls f for each piece of the segment with its bytes and their CRC-32, and checks that they match.
func (s *Segment) Each(f func(p *EntryPiece, data []byte, crc uint32) error) error {
	return cutSegment(s.Data, s.Entries, s.CRCs, f)
}

// SegmentMaker makes segments of results, which must come in the order of their shards. It handles damaged blobs: it leaves
// them out or, with Recover, includes what could be read and marks their entries. A blob that is split into pieces proves
// to be damaged only at its end; its last piece then has Drop set. The zero value leaves out damaged blobs.
type SegmentMaker struct {
	Recover bool

	damaged func(entries []Entry, why string) error // Options.Damaged; may be nil
	err     error                                   // its first error

	open    []Entry // entries of the blob whose pieces are coming in
	openBad string  // why it is damaged
	sha     cutHash
}

// Make makes a segment of a shard's bytes, result and entries. It changes the entries.
func (m *SegmentMaker) Make(data []byte, r *shard.Result, entries SegmentEntries) (*Segment, error) {
	out, cuts, err := m.sort(r, entries)
	if err != nil {
		return nil, err
	}
	out.Data = data
	for i := range entries {
		p := &entries[i]
		if p.Len < 0 || p.Len > int64(len(data)) {
			return nil, ErrSegment
		}
		if c := cuts[i]; c.Cut != nil {
			m.cut(out, p, c.Cut, data[:p.Len], c.bad)
		}
		data = data[p.Len:]
	}
	if len(data) != 0 {
		return nil, ErrSegment
	}
	return out, m.err
}

// MakePacked is Make for bytes that PackSegment laid out for an output in form, with the same entries. It reads only the
// bytes of blobs in pieces, and does not set Data.
func (m *SegmentMaker) MakePacked(form Form, b Packed, r *shard.Result, entries SegmentEntries) (*Segment, error) {
	out, cuts, err := m.sort(r, entries)
	if err != nil || len(cuts) == 0 {
		return out, err
	}
	at, _, err := bodies(packFormOf(form), entries)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		c := cuts[i]
		if c.Cut == nil {
			continue
		}
		p := &entries[i]
		if at[i] < 0 || p.Len < 0 || p.Len > b.Len() || at[i] > b.Len()-p.Len {
			return nil, ErrSegment
		}
		data, err := b.Bytes(at[i], p.Len)
		if err != nil {
			return nil, err
		}
		m.cut(out, p, c.Cut, data, c.bad)
	}
	return out, nil
}

// madeCut is a piece of a split blob, and why it is damaged.
type madeCut struct {
	*shard.Cut
	bad string
}

// sort assigns CRCs to the entries and handles damaged blobs that are in one piece. It returns the pieces of split blobs,
// by index in entries, for cut.
func (m *SegmentMaker) sort(r *shard.Result, entries SegmentEntries) (*Segment, map[int]madeCut, error) {
	out := &Segment{Entries: entries, CRCs: make([]uint32, len(entries))}
	bad := map[int32]string{}
	for i := range r.Bad {
		bad[r.Bad[i].Piece] = cmp.Or(r.Bad[i].Error, "damaged")
	}
	cuts := map[int32]*shard.Cut{}
	for i := range r.Cuts {
		cuts[r.Cuts[i].Piece] = &r.Cuts[i]
	}
	made := map[int]madeCut{}
	piece := int32(0)
	for i := range entries {
		e := &entries[i]
		if e.Len == 0 {
			continue // folders, links and empty files have no piece in the shard
		}
		if int(piece) >= len(r.CRCs) {
			return nil, nil, ErrSegment
		}
		out.CRCs[i] = r.CRCs[piece]
		switch cut := cuts[piece]; {
		case cut != nil:
			made[i] = madeCut{cut, bad[piece]}
		case bad[piece] != "":
			for j := range e.Entries {
				e.Entries[j].Marked = m.Recover
			}
			m.damage(out, e.Entries, bad[piece])
			if !m.Recover {
				e.Entries = nil
			}
		}
		piece++
	}
	if int(piece) != len(r.CRCs) {
		return nil, nil, ErrSegment
	}
	return out, made, nil
}

// damage records the entries of a damaged blob.
func (m *SegmentMaker) damage(out *Segment, entries []Entry, why string) {
	out.Damaged = append(out.Damaged, entries...)
	if m.damaged != nil && m.err == nil {
		m.err = m.damaged(entries, why)
	}
}

// cut hashes a split blob piece by piece, and handles damage at the last one.
func (m *SegmentMaker) cut(out *Segment, e *EntryPiece, c *shard.Cut, body []byte, bad string) {
	if c.From == 0 {
		m.open, m.openBad = e.Entries, ""
		m.sha.reset()
	}
	m.openBad = cmp.Or(m.openBad, bad)
	m.sha.write(body)
	if !e.Last {
		return
	}
	if m.openBad == "" && m.sha.sum() != c.Hash {
		m.openBad = "SHA-1 does not match"
	}
	if m.openBad != "" {
		for i := range m.open {
			m.open[i].Marked = m.Recover
		}
		m.damage(out, m.open, m.openBad)
		if !m.Recover {
			e.Drop = true
			out.Taken += len(m.open)
		}
	}
	m.open = nil
}
