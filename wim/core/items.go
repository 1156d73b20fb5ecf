package core

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"wimscope/wim/internal/format"
)

// TaggedItem is an item that follows an entry's names and whose meaning is not known.
type TaggedItem struct {
	Tag  uint32
	Data []byte
}

// UnixData is what wimlib keeps of a file's owner and mode on Unix.
type UnixData struct {
	UID, GID uint32
	Mode     uint32 // type and permissions, as in stat
	Rdev     uint32 // device number of a device node: major<<8 | minor in the low bits, as Linux packs it
}

// String gives "0644 uid 0 gid 0", with type bits and device number if they tell something.
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

// Xattr is an extended attribute.
type Xattr struct {
	Name  string // as stored: bytes without a known encoding
	Flags uint8  // 0x80: the file cannot be understood without it
	Value []byte
}

// item finds the first tagged item of n with the tag.
func (im *Image) item(n Node, tag uint32) ([]byte, bool) {
	for rest := im.entry(n).Items(); ; {
		item, next, ok := format.NextItem(rest)
		if !ok {
			return nil, false
		}
		if item.Tag == tag {
			return item.Data, true
		}
		rest = next
	}
}

// ObjectID is n's object id as GUIDs are written, "" if it has none.
func (im *Image) ObjectID(n Node) string {
	data, ok := im.item(n, format.TagObjectID)
	if !ok || len(data) < 16 {
		return ""
	}
	return guidText(data)
}

// UnixData gives owner and mode, if the archive holds them.
func (im *Image) UnixData(n Node) (UnixData, bool) {
	data, ok := im.item(n, format.TagUnixData)
	if !ok {
		return UnixData{}, false
	}
	u, err := format.ParseUnixData(data)
	if err != nil {
		return UnixData{}, false
	}
	return UnixData(u), true
}

// Xattrs lists n's extended attributes, of both forms that wimlib has written.
func (im *Image) Xattrs(n Node) []Xattr {
	var list []Xattr
	if rest, ok := im.item(n, format.TagXattrs); ok {
		for {
			x, next, ok := format.NextXattr(rest)
			if !ok {
				break
			}
			list = append(list, Xattr{Name: string(x.Name), Flags: x.Flags, Value: x.Value})
			rest = next
		}
	}
	if rest, ok := im.item(n, format.TagLinuxXattrs); ok {
		// wimlib 1.12: u16 bytes of the name, u16 zero, u32 bytes of the value, both without a NUL, padded to 4.
		for len(rest) >= 8 {
			name, value := uint64(binary.LittleEndian.Uint16(rest)), uint64(binary.LittleEndian.Uint32(rest[4:]))
			if name == 0 || 8+name+value > uint64(len(rest)) {
				break
			}
			list = append(list, Xattr{Name: string(rest[8 : 8+name]), Value: rest[8+name : 8+name+value]})
			rest = rest[min((8+name+value+3)&^3, uint64(len(rest))):]
		}
	}
	return list
}

// Items lists the tagged items of n whose meaning is not known.
func (im *Image) Items(n Node) []TaggedItem {
	var list []TaggedItem
	for rest := im.entry(n).Items(); ; {
		item, next, ok := format.NextItem(rest)
		if !ok {
			return list
		}
		switch item.Tag {
		case format.TagObjectID, format.TagXattrs, format.TagUnixData, format.TagLinuxXattrs:
		default:
			list = append(list, TaggedItem{item.Tag, item.Data})
		}
		rest = next
	}
}

// guidText writes 16 bytes as a GUID: {00112233-4455-6677-8899-aabbccddeeff}, its first three fields little-endian.
func guidText(b []byte) string {
	return fmt.Sprintf("{%08x-%04x-%04x-%s-%s}", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]),
		binary.LittleEndian.Uint16(b[6:]), hex.EncodeToString(b[8:10]), hex.EncodeToString(b[10:16]))
}
