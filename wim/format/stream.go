package format

// StreamFixedSize is the size of an extra stream entry before its name.
const StreamFixedSize = 38

// StreamView is an extra stream entry in its metadata resource, like DentryView.
type StreamView []byte

// ViewStream returns the extra stream entry at off in a metadata resource. The next one is at off plus Size.
func ViewStream(meta []byte, off uint64) (StreamView, error) {
	const record = "stream entry"
	if off > uint64(len(meta)) || uint64(len(meta))-off < StreamFixedSize {
		return nil, errorf(record, int64(off), "passes the end of the metadata resource, which has %d bytes", len(meta))
	}
	have := uint64(len(meta)) - off
	length := le.Uint64(meta[off:])
	if length < StreamFixedSize || length > have {
		return nil, errorf(record, int64(off), "length is %d; %d bytes are left", length, have)
	}
	v := StreamView(meta[off : off+min(Align8(length), have)])
	if n := v.nameBytes(); StreamFixedSize+n > int(length) || n&1 != 0 {
		return nil, errorf(record, int64(off), "a name of %d bytes does not fit its length of %d", n, length)
	}
	return v, nil
}

// Size returns the distance to the next record.
func (v StreamView) Size() uint64 { return Align8(v.Length()) }

// Length returns the stored length, including the field itself; not always a multiple of eight.
func (v StreamView) Length() uint64   { return le.Uint64(v) }
func (v StreamView) Reserved() uint64 { return le.Uint64(v[8:]) }
func (v StreamView) Hash() *[20]byte  { return (*[20]byte)(v[16:]) }
func (v StreamView) nameBytes() int   { return int(le.Uint16(v[36:])) }

// Name returns the name in UTF-16LE, without its terminator; empty for the unnamed data stream and for reparse data.
func (v StreamView) Name() []byte {
	n := StreamFixedSize + v.nameBytes()
	return v[StreamFixedSize:n:n]
}

// StreamIter iterates over the extra stream entries of a dentry. It ends at a malformed one. Call Next before reading Name and Hash.
type StreamIter struct {
	Off  uint64 // of the next entry
	Name []byte // UTF-16LE
	Hash Hash

	meta []byte
	left int
}

// Streams returns an iterator over the entries after the dentry v, which is at off in a metadata resource.
func Streams(meta []byte, off uint64, v DentryView) StreamIter {
	return StreamIter{meta: meta, Off: off + v.Size(), left: v.NumStreams()}
}

// Next advances to the next entry. It returns false at the end.
func (s *StreamIter) Next() bool {
	if s.left == 0 {
		return false
	}
	s.left--
	v, err := ViewStream(s.meta, s.Off)
	if err != nil {
		s.left = 0
		return false
	}
	s.Off += v.Size()
	s.Name, s.Hash = v.Name(), ReadHash(v.Hash())
	return true
}

// StreamEntry is an extra stream entry with all its fields. An inode that has any lists all its streams in them, in the
// order reparse data, unnamed data, named streams.
type StreamEntry struct {
	Length   uint64   // including this field; Append computes it if it is 0
	Reserved uint64   // +0x08
	Hash     [20]byte // +0x10
	// +0x24: size of the name in bytes
	Name []byte // UTF-16LE, followed by a NUL unless it is empty
}

// ParseStreamEntry reads an entry from the front of b. It does not keep padding.
func ParseStreamEntry(b []byte) (StreamEntry, error) {
	v, err := ViewStream(b, 0)
	if err != nil {
		return StreamEntry{}, err
	}
	return StreamEntry{Length: v.Length(), Reserved: v.Reserved(), Hash: *v.Hash(), Name: v.Name()}, nil
}

// Append appends the entry and pads it to a multiple of eight. It replaces Length 0 by the length that the name requires.
func (s StreamEntry) Append(b []byte) []byte {
	start := len(b)
	if s.Length == 0 {
		s.Length = Align8(uint64(StreamFixedSize + terminated(len(s.Name))))
	}
	b = le.AppendUint64(b, s.Length)
	b = le.AppendUint64(b, s.Reserved)
	b = append(b, s.Hash[:]...)
	b = le.AppendUint16(b, uint16(len(s.Name)))
	b = appendName(b, s.Name)
	const most = 1 << 20
	if n := Align8(s.Length); n > uint64(len(b)-start) && n < most {
		b = append(b, make([]byte, n-uint64(len(b)-start))...)
	}
	return pad8(b, start)
}

// Fields describes the entry.
func (s StreamEntry) Fields() []Field {
	var f fields
	f.dec(8, "Length", s.Length, "bytes of this entry")
	f.hex(8, "Reserved", s.Reserved, "0")
	f.bytes("Hash", s.Hash[:], "SHA-1 of the stream; zero if it is empty")
	f.dec(2, "NameBytes", len(s.Name), "bytes of the name; 0: reparse data or the unnamed stream")
	if len(s.Name) > 0 {
		f.add(len(s.Name), "Name", nameText(s.Name), "UTF-16LE")
		f.skip(2, "NameEnd", "NUL")
	}
	if end := int(min(Align8(s.Length), 1<<20)); end > f.off {
		f.skip(end-f.off, "Padding", "up to a multiple of eight")
	}
	return f.list
}
