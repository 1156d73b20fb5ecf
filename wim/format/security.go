package format

import "fmt"

// SecurityData is the start of a metadata resource: all security descriptors of an image, to which dentries refer by index.
type SecurityData struct {
	TotalLength uint32   // of this record with its padding; 0 means 8; may be larger than necessary
	Count       uint32   // +0x04
	Descriptors [][]byte // +0x08: their sizes, eight bytes each; then the descriptors, without padding between them
	Rest        []byte   // bytes within TotalLength after the last descriptor: usually padding
}

// ParseSecurityData reads the record from the front of a metadata resource.
func ParseSecurityData(b []byte) (SecurityData, error) {
	const record = "security data"
	if len(b) < 8 {
		return SecurityData{}, tooShort(record, len(b), 8)
	}
	s := SecurityData{TotalLength: le.Uint32(b), Count: le.Uint32(b[4:])}
	total := uint64(s.TotalLength)
	if total == 0 {
		total = 8
	}
	if total < 8 || total > uint64(len(b)) {
		return s, errorf(record, 0, "total length is %d, and %d bytes are there", s.TotalLength, len(b))
	}
	if uint64(s.Count)*8 > total-8 {
		return s, errorf(record, 4, "%d descriptors do not fit %d bytes", s.Count, total)
	}
	at := 8 + uint64(s.Count)*8
	if s.Count > 0 {
		s.Descriptors = make([][]byte, s.Count)
	}
	for i := range s.Descriptors {
		size := le.Uint64(b[8+8*i:])
		if size > total-at {
			return s, errorf(record, int64(8+8*i), "descriptor %d of %d bytes passes the end", i, size)
		}
		s.Descriptors[i] = b[at : at+size : at+size]
		at += size
	}
	s.Rest = b[at:total:total]
	return s, nil
}

// RootOff returns the offset of the root dentry from the start of the metadata resource.
func (s SecurityData) RootOff() uint64 {
	if s.TotalLength == 0 {
		return 8
	}
	return Align8(uint64(s.TotalLength))
}

// Append appends TotalLength, Count, Descriptors and Rest unchanged, without the padding up to RootOff.
func (s SecurityData) Append(b []byte) []byte {
	b = le.AppendUint32(b, s.TotalLength)
	b = le.AppendUint32(b, s.Count)
	for _, d := range s.Descriptors {
		b = le.AppendUint64(b, uint64(len(d)))
	}
	for _, d := range s.Descriptors {
		b = append(b, d...)
	}
	return append(b, s.Rest...)
}

// NewSecurityData returns the record for these descriptors, with the padding that other writers add.
func NewSecurityData(descriptors [][]byte) SecurityData {
	n := uint64(8 + 8*len(descriptors))
	for _, d := range descriptors {
		n += uint64(len(d))
	}
	return SecurityData{
		TotalLength: uint32(Align8(n)),
		Count:       uint32(len(descriptors)),
		Descriptors: descriptors,
		Rest:        make([]byte, Align8(n)-n),
	}
}

// Fields describes the record.
func (s SecurityData) Fields() []Field {
	var f fields
	f.dec(4, "TotalLength", s.TotalLength, "bytes of this record; 0 means 8")
	f.dec(4, "Count", s.Count, "descriptors")
	for i, d := range s.Descriptors {
		f.dec(8, fmt.Sprintf("Sizes[%d]", i), len(d), "bytes of the descriptor")
	}
	for i, d := range s.Descriptors {
		f.bytes(fmt.Sprintf("Descriptors[%d]", i), d, "a self-relative security descriptor")
	}
	f.skip(len(s.Rest), "Padding", "up to a multiple of eight")
	return f.list
}
