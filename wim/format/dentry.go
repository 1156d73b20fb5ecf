package format

import "fmt"

// DentryFixedSize is the size of a dentry before its names.
const DentryFixedSize = 102

// DentryView is a dentry in its metadata resource: the bytes from its start to the end of its length, rounded up to eight
// (or to the end of the metadata resource). ViewDentry checks that its names are within these; every method is safe, copies
// nothing and allocates nothing. The extra stream entries follow the view in the metadata resource.
type DentryView []byte

// ViewDentry returns the dentry at off in a metadata resource. A nil view without error is the end of a directory.
func ViewDentry(meta []byte, off uint64) (DentryView, error) {
	const record = "dentry"
	if off > uint64(len(meta)) || uint64(len(meta))-off < 8 {
		return nil, errorf(record, int64(off), "starts past the end of the metadata resource, which has %d bytes", len(meta))
	}
	have := uint64(len(meta)) - off
	length := le.Uint64(meta[off:])
	if length <= 8 {
		return nil, nil
	}
	if length < DentryFixedSize {
		return nil, errorf(record, int64(off), "length is %d; the least is %d", length, DentryFixedSize)
	}
	if length > have {
		return nil, errorf(record, int64(off), "length is %d, and %d bytes are left", length, have)
	}
	v := DentryView(meta[off : off+min(Align8(length), have)])
	if v.namesEnd() > int(length) {
		return nil, errorf(record, int64(off), "names of %d and %d bytes pass its length of %d", v.nameBytes(), v.shortNameBytes(), length)
	}
	if v.nameBytes()&1 != 0 || v.shortNameBytes()&1 != 0 {
		return nil, errorf(record, int64(off), "names of %d and %d bytes are not whole UTF-16 units", v.nameBytes(), v.shortNameBytes())
	}
	return v, nil
}

// Size returns the distance to the next record: the extra stream entries start at the dentry's offset plus Size.
func (v DentryView) Size() uint64 { return Align8(v.Length()) }

// Length returns the stored length: without extra stream entries, not always a multiple of eight.
func (v DentryView) Length() uint64      { return le.Uint64(v) }
func (v DentryView) Attributes() uint32  { return le.Uint32(v[0x08:]) }
func (v DentryView) SecurityID() int32   { return int32(le.Uint32(v[0x0c:])) }
func (v DentryView) SubdirOff() uint64   { return le.Uint64(v[0x10:]) }
func (v DentryView) Created() uint64     { return le.Uint64(v[0x28:]) }
func (v DentryView) Accessed() uint64    { return le.Uint64(v[0x30:]) }
func (v DentryView) Modified() uint64    { return le.Uint64(v[0x38:]) }
func (v DentryView) Hash() *[20]byte     { return (*[20]byte)(v[0x40:]) }
func (v DentryView) Unknown() uint32     { return le.Uint32(v[0x54:]) }
func (v DentryView) HardLink() uint64    { return le.Uint64(v[0x58:]) } // if it is not a reparse point
func (v DentryView) ReparseTag() uint32  { return le.Uint32(v[0x58:]) } // if it is one
func (v DentryView) NumStreams() int     { return int(le.Uint16(v[0x60:])) }
func (v DentryView) shortNameBytes() int { return int(le.Uint16(v[0x62:])) }
func (v DentryView) nameBytes() int      { return int(le.Uint16(v[0x64:])) }

// ReparseFixed reports whether this is a reparse point whose target, if it is absolute, was rewritten at capture to start at the image's
// root.
func (v DentryView) ReparseFixed() bool {
	return v.Attributes()&AttrReparsePoint != 0 && le.Uint16(v[0x5e:])&1 == 0
}

// Name returns the name in UTF-16LE, without its terminator.
func (v DentryView) Name() []byte {
	n := DentryFixedSize + v.nameBytes()
	return v[DentryFixedSize:n:n]
}

// ShortName returns the short name in UTF-16LE, without its terminator; empty if there is none.
func (v DentryView) ShortName() []byte {
	n := v.shortNameBytes()
	if n == 0 {
		return nil
	}
	at := DentryFixedSize + terminated(v.nameBytes())
	return v[at : at+n : at+n]
}

// Items returns the tagged items.
func (v DentryView) Items() Items {
	at := Align8(uint64(DentryFixedSize + terminated(v.nameBytes()) + terminated(v.shortNameBytes())))
	if at >= v.Length() {
		return nil
	}
	return Items(v[at:v.Length():v.Length()])
}

// namesEnd returns the offset of the end of the names. The last terminator may be missing, as in old archives.
func (v DentryView) namesEnd() int {
	n := DentryFixedSize + v.nameBytes()
	if v.shortNameBytes() != 0 {
		n = DentryFixedSize + terminated(v.nameBytes()) + v.shortNameBytes()
	}
	return n
}

// terminated returns the size of a name of n bytes with its NUL, which is two bytes; 0 if there is no name.
func terminated(n int) int {
	if n == 0 {
		return 0
	}
	return n + 2
}

// Dentry is a directory entry with all its fields.
type Dentry struct {
	Length     uint64   // without extra stream entries; Append computes it if it is 0
	Attributes uint32   // +0x08: FILE_ATTRIBUTE bits
	SecurityID int32    // +0x0c: index into the security data, -1 for none
	SubdirOff  uint64   // +0x10: of the first child, from the start of the metadata resource; 0: no children
	Unused1    uint64   // +0x18
	Unused2    uint64   // +0x20
	Created    uint64   // +0x28: 100-ns units since 1601
	Accessed   uint64   // +0x30
	Modified   uint64   // +0x38
	Hash       [20]byte // +0x40: of the unnamed stream; zero if it is empty or in a stream entry
	Unknown    uint32   // +0x54
	Link       uint64   // +0x58: hard link group (0: alone), or reparse tag (4 bytes), 2 reserved, 2 flags (1: not fixed up)
	NumStreams uint16   // +0x60: extra stream entries after the dentry
	// +0x62 bytes of the short name, +0x64 bytes of the name
	Name      []byte // followed by a NUL
	ShortName []byte // followed by a NUL; an empty name has none
	Items     []byte // tagged items, after padding up to a multiple of eight
}

// ParseDentry reads a dentry from the front of b. It does not keep padding.
func ParseDentry(b []byte) (Dentry, error) {
	v, err := ViewDentry(b, 0)
	if err != nil {
		return Dentry{}, err
	}
	if v == nil {
		return Dentry{}, errorf("dentry", 0, "this is the end of a directory")
	}
	return v.Dentry(), nil
}

// Dentry returns the view's fields as a struct.
func (v DentryView) Dentry() Dentry {
	return Dentry{
		Length:     v.Length(),
		Attributes: v.Attributes(),
		SecurityID: v.SecurityID(),
		SubdirOff:  v.SubdirOff(),
		Unused1:    le.Uint64(v[0x18:]),
		Unused2:    le.Uint64(v[0x20:]),
		Created:    v.Created(),
		Accessed:   v.Accessed(),
		Modified:   v.Modified(),
		Hash:       *v.Hash(),
		Unknown:    v.Unknown(),
		Link:       v.HardLink(),
		NumStreams: uint16(v.NumStreams()),
		Name:       v.Name(),
		ShortName:  v.ShortName(),
		Items:      v.Items(),
	}
}

// MinLength returns the length that the names and items require.
func (d Dentry) MinLength() uint64 {
	n := uint64(DentryFixedSize + terminated(len(d.Name)) + terminated(len(d.ShortName)))
	return Align8(Align8(n) + uint64(len(d.Items)))
}

// Append appends the dentry and pads it to a multiple of eight. It replaces Length 0 by MinLength and writes any other
// Length unchanged, so that tests can write invalid dentries.
func (d Dentry) Append(b []byte) []byte {
	start := len(b)
	if d.Length == 0 {
		d.Length = d.MinLength()
	}
	b = le.AppendUint64(b, d.Length)
	b = le.AppendUint32(b, d.Attributes)
	b = le.AppendUint32(b, uint32(d.SecurityID))
	b = le.AppendUint64(b, d.SubdirOff)
	b = le.AppendUint64(b, d.Unused1)
	b = le.AppendUint64(b, d.Unused2)
	b = le.AppendUint64(b, d.Created)
	b = le.AppendUint64(b, d.Accessed)
	b = le.AppendUint64(b, d.Modified)
	b = append(b, d.Hash[:]...)
	b = le.AppendUint32(b, d.Unknown)
	b = le.AppendUint64(b, d.Link)
	b = le.AppendUint16(b, d.NumStreams)
	b = le.AppendUint16(b, uint16(len(d.ShortName)))
	b = le.AppendUint16(b, uint16(len(d.Name)))
	b = appendName(b, d.Name)
	b = appendName(b, d.ShortName)
	if len(d.Items) > 0 {
		b = pad8(b, start)
		b = append(b, d.Items...)
	}
	// A length beyond the names and items adds unused space.
	const most = 1 << 20
	if n := Align8(d.Length); n > uint64(len(b)-start) && n < most {
		b = append(b, make([]byte, n-uint64(len(b)-start))...)
	}
	return pad8(b, start)
}

func appendName(b, name []byte) []byte {
	if len(name) == 0 {
		return b
	}
	return append(append(b, name...), 0, 0)
}

// pad8 adds zeros until the number of bytes since start is a multiple of eight.
func pad8(b []byte, start int) []byte {
	for (len(b)-start)&7 != 0 {
		b = append(b, 0)
	}
	return b
}

// AppendEndOfDirectory appends the eight zero bytes that end a list of dentries.
func AppendEndOfDirectory(b []byte) []byte { return le.AppendUint64(b, 0) }

func attributeFlagNames() []flagName {
	return []flagName{
		{0x1, "read-only"}, {0x2, "hidden"}, {0x4, "system"}, {0x10, "directory"}, {0x20, "archive"}, {0x40, "device"},
		{0x80, "normal"}, {0x100, "temporary"}, {0x200, "sparse"}, {0x400, "reparse point"}, {0x800, "compressed"},
		{0x1000, "offline"}, {0x2000, "not indexed"}, {0x4000, "encrypted"}, {0x8000, "integrity"}, {0x20000, "no scrub"},
	}
}

// Fields describes the dentry, including its names and items.
func (d Dentry) Fields() []Field {
	var f fields
	f.dec(8, "Length", d.Length, "bytes of this dentry, without extra stream entries")
	f.add(4, "Attributes", fmt.Sprintf("0x%08x", d.Attributes), flagText(d.Attributes, attributeFlagNames()))
	f.dec(4, "SecurityID", d.SecurityID, "index into the security data; -1: none")
	f.hex(8, "SubdirOff", d.SubdirOff, "of the first child, from the start of the metadata; 0: none")
	f.hex(8, "Unused1", d.Unused1, "reserved")
	f.hex(8, "Unused2", d.Unused2, "reserved")
	f.dec(8, "Created", d.Created, timeText(d.Created))
	f.dec(8, "Accessed", d.Accessed, timeText(d.Accessed))
	f.dec(8, "Modified", d.Modified, timeText(d.Modified))
	f.bytes("Hash", d.Hash[:], "SHA-1 of the unnamed stream; zero if it is empty or in a stream entry")
	f.hex(4, "Unknown", uint64(d.Unknown), "meaning not known; kept")
	if d.Attributes&AttrReparsePoint != 0 {
		f.add(4, "ReparseTag", fmt.Sprintf("0x%08x", uint32(d.Link)), "kind of reparse point")
		f.hex(2, "ReparseReserved", d.Link>>32&0xffff, "reserved")
		f.hex(2, "ReparseFlags", d.Link>>48, "1: the target was not made relative to the image")
	} else {
		f.hex(8, "HardLink", d.Link, "names of one inode share it; 0: alone")
	}
	f.dec(2, "NumStreams", d.NumStreams, "extra stream entries after this dentry")
	f.dec(2, "ShortNameBytes", len(d.ShortName), "bytes of the short name")
	f.dec(2, "NameBytes", len(d.Name), "bytes of the name")
	name := func(label string, b []byte, meaning string) {
		if len(b) > 0 {
			f.add(len(b), label, nameText(b), meaning)
			f.skip(2, label+"End", "NUL")
		}
	}
	name("Name", d.Name, "UTF-16LE")
	name("ShortName", d.ShortName, "8.3 name, UTF-16LE")
	if len(d.Items) > 0 {
		f.skip(int(Align8(uint64(f.off)))-f.off, "Padding", "up to a multiple of eight")
	}
	for rest := d.Items; ; {
		item, next, ok := NextItem(rest)
		if !ok {
			f.skip(len(rest), "Rest", "no tagged item")
			break
		}
		f.sub(fmt.Sprintf("Item[0x%x]", item.Tag), item.Fields())
		rest = next
	}
	if end := int(min(Align8(d.Length), 1<<20)); end > f.off {
		f.skip(end-f.off, "Padding", "up to a multiple of eight")
	}
	return f.list
}
