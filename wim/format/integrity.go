package format

import "fmt"

// IntegrityTable contains the SHA-1 of every ChunkSize bytes of a part, from the end of its header to the end of its blob
// table. The header, the XML document and the table itself are not covered.
type IntegrityTable struct {
	Size      uint32     // +0x00: of this table
	Count     uint32     // +0x04
	ChunkSize uint32     // +0x08: normally 10 MiB; the last block is shorter
	Hashes    [][20]byte // +0x0c
}

// ParseIntegrityTable reads a table. Its size field must match its count.
func ParseIntegrityTable(b []byte) (IntegrityTable, error) {
	const record = "integrity table"
	if len(b) < 12 {
		return IntegrityTable{}, tooShort(record, len(b), 12)
	}
	t := IntegrityTable{Size: le.Uint32(b), Count: le.Uint32(b[4:]), ChunkSize: le.Uint32(b[8:])}
	if uint64(t.Count)*20+12 != uint64(t.Size) {
		return t, errorf(record, 0, "size is %d, which does not fit %d hashes", t.Size, t.Count)
	}
	if uint64(t.Size) > uint64(len(b)) {
		return t, tooShort(record, len(b), int(t.Size))
	}
	if t.ChunkSize == 0 {
		return t, errorf(record, 8, "chunk size is 0")
	}
	t.Hashes = make([][20]byte, t.Count)
	for i := range t.Hashes {
		t.Hashes[i] = [20]byte(b[12+20*i:])
	}
	return t, nil
}

// Append appends the table.
func (t IntegrityTable) Append(b []byte) []byte {
	b = le.AppendUint32(b, t.Size)
	b = le.AppendUint32(b, t.Count)
	b = le.AppendUint32(b, t.ChunkSize)
	for i := range t.Hashes {
		b = append(b, t.Hashes[i][:]...)
	}
	return b
}

// Fields describes the table.
func (t IntegrityTable) Fields() []Field {
	var f fields
	f.dec(4, "Size", t.Size, "bytes of this table")
	f.dec(4, "Count", t.Count, "blocks")
	f.dec(4, "ChunkSize", t.ChunkSize, "bytes per block; the last is shorter")
	for i := range t.Hashes {
		f.bytes(fmt.Sprintf("Hashes[%d]", i), t.Hashes[i][:], "SHA-1 of a block as it lies in the file")
	}
	return f.list
}
