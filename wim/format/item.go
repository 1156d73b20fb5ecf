package format

import "fmt"

// Tags of the items that may follow a dentry's names.
const (
	TagObjectID    = 0x00000001 // 16 to 64 bytes: the object id and the three birth ids
	TagXattrs      = 0x00000002 // extended attributes, see NextXattr
	TagUnixData    = 0x337dd873 // UnixData
	TagLinuxXattrs = 0x337dd874 // extended attributes as older wimlib wrote them
)

// TaggedItem is an item after a dentry's names. Unknown tags are kept.
type TaggedItem struct {
	Tag uint32 // +0x00
	// +0x04: size of the data in bytes
	Data []byte // +0x08, padded to a multiple of eight
}

// NextItem splits off the first item of Items. At the end, and if there is no valid item, ok is false and rest
// is b.
func NextItem(b []byte) (item TaggedItem, rest []byte, ok bool) {
	if len(b) < 8 {
		return TaggedItem{}, b, false
	}
	n := uint64(le.Uint32(b[4:]))
	if n > uint64(len(b)-8) || n == 0 && le.Uint32(b) == 0 {
		return TaggedItem{}, b, false
	}
	item = TaggedItem{Tag: le.Uint32(b), Data: b[8 : 8+n : 8+n]}
	end := min(Align8(8+n), uint64(len(b)))
	return item, b[end:], true
}

// Items are the tagged items of a dentry as stored. Of several with one tag, ObjectID, UnixData and Xattrs read the first.
type Items []byte

// find returns the data of the first item with a tag.
func (t Items) find(tag uint32) ([]byte, bool) {
	for rest := []byte(t); ; {
		item, next, ok := NextItem(rest)
		if !ok {
			return nil, false
		}
		if item.Tag == tag {
			return item.Data, true
		}
		rest = next
	}
}

// ObjectID returns the object id and the three ids of its birth, 16 to 64 bytes; nil if there is none.
func (t Items) ObjectID() []byte {
	b, _ := t.find(TagObjectID)
	return b
}

// UnixData returns the Unix owner, mode and device, if they were captured.
func (t Items) UnixData() (UnixData, bool) {
	b, ok := t.find(TagUnixData)
	if !ok {
		return UnixData{}, false
	}
	u, err := ParseUnixData(b)
	return u, err == nil
}

// Xattrs returns the extended attributes. It reads both forms that wimlib has written.
func (t Items) Xattrs() []Xattr {
	var list []Xattr
	if rest, ok := t.find(TagXattrs); ok {
		for {
			x, next, ok := NextXattr(rest)
			if !ok {
				break
			}
			list = append(list, x)
			rest = next
		}
	}
	if rest, ok := t.find(TagLinuxXattrs); ok {
		// wimlib 1.12: u16 bytes of the name, u16 zero, u32 bytes of the value, both without a NUL, padded to 4.
		for len(rest) >= 8 {
			name, value := uint64(le.Uint16(rest)), uint64(le.Uint32(rest[4:]))
			if name == 0 || 8+name+value > uint64(len(rest)) {
				break
			}
			list = append(list, Xattr{Name: string(rest[8 : 8+name]), Value: rest[8+name : 8+name+value]})
			rest = rest[min((8+name+value+3)&^3, uint64(len(rest))):]
		}
	}
	return list
}

// Unknown returns the items whose meaning is unknown.
func (t Items) Unknown() []TaggedItem {
	var list []TaggedItem
	for rest := []byte(t); ; {
		item, next, ok := NextItem(rest)
		if !ok {
			return list
		}
		switch item.Tag {
		case TagObjectID, TagXattrs, TagUnixData, TagLinuxXattrs:
		default:
			list = append(list, item)
		}
		rest = next
	}
}

// ParseTaggedItem reads an item from the front of b. It does not keep padding.
func ParseTaggedItem(b []byte) (TaggedItem, error) {
	item, _, ok := NextItem(b)
	if !ok {
		return item, errorf("tagged item", 0, "%d bytes hold no item", len(b))
	}
	return item, nil
}

// Append appends the item and pads it to a multiple of eight.
func (t TaggedItem) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint32(b, t.Tag)
	b = le.AppendUint32(b, uint32(len(t.Data)))
	return pad8(append(b, t.Data...), start)
}

// Fields describes the item.
func (t TaggedItem) Fields() []Field {
	var f fields
	meaning := "not known; kept"
	switch t.Tag {
	case TagObjectID:
		meaning = "object id"
	case TagXattrs:
		meaning = "extended attributes"
	case TagUnixData:
		meaning = "Unix owner, group, mode, device"
	case TagLinuxXattrs:
		meaning = "extended attributes, older form"
	}
	f.add(4, "Tag", fmt.Sprintf("0x%08x", t.Tag), meaning)
	f.dec(4, "Length", len(t.Data), "bytes of the data")
	f.bytes("Data", t.Data, "")
	f.skip(int(Align8(uint64(len(t.Data))))-len(t.Data), "Padding", "up to a multiple of eight")
	return f.list
}

// UnixDataSize is the size of UnixData.
const UnixDataSize = 16

// UnixData is the data of a TagUnixData item, which wimlib writes.
type UnixData struct {
	UID  uint32 // +0x00
	GID  uint32 // +0x04
	Mode uint32 // +0x08: type and permissions, as in stat
	Rdev uint32 // device number, major<<8 | minor in the low bits, as Linux packs it
}

// ParseUnixData reads 16 bytes.
func ParseUnixData(b []byte) (UnixData, error) {
	if len(b) < UnixDataSize {
		return UnixData{}, tooShort("Unix data", len(b), UnixDataSize)
	}
	return UnixData{le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:])}, nil
}

// Append appends 16 bytes.
func (u UnixData) Append(b []byte) []byte {
	b = le.AppendUint32(b, u.UID)
	b = le.AppendUint32(b, u.GID)
	b = le.AppendUint32(b, u.Mode)
	return le.AppendUint32(b, u.Rdev)
}

// String returns "0644 uid 0 gid 0", with type bits and device number if they are significant.
func (u UnixData) String() string {
	s := fmt.Sprintf("%04o uid %d gid %d", u.Mode&07777, u.UID, u.GID)
	switch u.Mode & 0170000 {
	case 0140000:
		s += " socket"
	case 0060000:
		s += fmt.Sprintf(" block device 0x%x", u.Rdev)
	case 0020000:
		s += fmt.Sprintf(" character device 0x%x", u.Rdev)
	case 0010000:
		s += " fifo"
	}
	return s
}

// Fields describes the record.
func (u UnixData) Fields() []Field {
	var f fields
	f.dec(4, "UID", u.UID, "owner")
	f.dec(4, "GID", u.GID, "group")
	f.add(4, "Mode", fmt.Sprintf("0%o", u.Mode), "type and permissions")
	f.hex(4, "Rdev", uint64(u.Rdev), "device number")
	return f.list
}

// Xattr is an extended attribute in a TagXattrs item. Attributes follow each other without padding.
type Xattr struct {
	// +0x00: u16 size of the value, +0x02: u8 size of the name
	Flags uint8  // +0x03: 0x80: programs that do not know the attribute cannot interpret the file
	Name  string // +0x04: bytes without a known encoding, followed by a NUL
	Value []byte
}

// NextXattr splits off the first attribute of a TagXattrs item's data. At the end, and if there is no valid attribute, ok
// is false.
func NextXattr(b []byte) (x Xattr, rest []byte, ok bool) {
	if len(b) < 4 {
		return Xattr{}, b, false
	}
	value, name := int(le.Uint16(b)), int(b[2])
	n := 4 + name + 1 + value
	if n > len(b) || b[4+name] != 0 {
		return Xattr{}, b, false
	}
	return Xattr{Flags: b[3], Name: string(b[4 : 4+name]), Value: b[5+name : n : n]}, b[n:], true
}

// ParseXattr reads an attribute from the front of b.
func ParseXattr(b []byte) (Xattr, error) {
	x, _, ok := NextXattr(b)
	if !ok {
		return x, errorf("extended attribute", 0, "%d bytes hold no attribute", len(b))
	}
	return x, nil
}

// Append appends the attribute.
func (x Xattr) Append(b []byte) []byte {
	b = le.AppendUint16(b, uint16(len(x.Value)))
	b = append(b, uint8(len(x.Name)), x.Flags)
	b = append(append(b, x.Name...), 0)
	return append(b, x.Value...)
}

// Fields describes the attribute.
func (x Xattr) Fields() []Field {
	var f fields
	f.dec(2, "ValueBytes", len(x.Value), "bytes of the value")
	f.dec(1, "NameBytes", len(x.Name), "bytes of the name")
	f.hex(1, "Flags", uint64(x.Flags), "0x80: the file cannot be understood without it")
	f.add(len(x.Name), "Name", x.Name, "")
	f.skip(1, "NameEnd", "NUL")
	f.bytes("Value", x.Value, "")
	return f.list
}
