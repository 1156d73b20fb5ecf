package core

import (
	"fmt"

	"wimscope/wim/internal/format"
)

// readIntegrity reads a part's integrity table, nil if it has none.
func (a *Archive) readIntegrity(src int) (*format.IntegrityTable, error) {
	p := &a.parts[src]
	h := p.hdr.Integrity
	if h.PackedSize == 0 {
		return nil, nil
	}
	const record = "integrity table"
	r, fault := p.plain(int32(src), h)
	if fault != faultNone {
		return nil, formatErrorf(record, p.Name, r.off, "%v", fault)
	}
	b, err := a.readAll(&r, record, tableTimes)
	if err != nil {
		return nil, err
	}
	t, err := format.ParseIntegrityTable(b)
	if err != nil {
		return nil, wrapFormat(p.Name, r.off, err)
	}
	from, to := p.covered()
	if want := (to - from + int64(t.ChunkSize) - 1) / int64(t.ChunkSize); want != int64(t.Count) {
		return nil, &FormatError{Record: record, Part: p.Name, Off: r.off,
			Err: fmt.Errorf("%d blocks of %d bytes are not what lies between 0x%x and 0x%x", t.Count, t.ChunkSize, from, to)}
	}
	return &t, nil
}

// covered is what an integrity table covers: from the end of the header to the end of the blob table. Neither XML
// document nor header are in it.
func (p *part) covered() (from, to int64) {
	end, ok := resourceEnd(p.hdr.BlobTable)
	if !ok || end < format.HeaderSize {
		return format.HeaderSize, format.HeaderSize
	}
	return format.HeaderSize, end
}
