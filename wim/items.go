package wim

import (
	"encoding/binary"

	"wimscope/wim/format"
)

// itemOf returns the data of the first tagged item of n with the tag.
func itemOf(im *Image, n Node, tag uint32) ([]byte, bool) {
	for rest := im.Entry(n).Items(); ; {
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

// ObjectID returns n's object id in the usual form of a GUID, "" if it has none.
func (im *Image) ObjectID(n Node) string {
	data, ok := itemOf(im, n, format.TagObjectID)
	if !ok || len(data) < 16 {
		return ""
	}
	return format.GUIDText(data)
}

// UnixData returns the Unix owner, mode and device of n, if they were captured.
func (im *Image) UnixData(n Node) (format.UnixData, bool) {
	data, ok := itemOf(im, n, format.TagUnixData)
	if !ok {
		return format.UnixData{}, false
	}
	u, err := format.ParseUnixData(data)
	if err != nil {
		return format.UnixData{}, false
	}
	return u, true
}

// Xattrs returns n's extended attributes. It reads both forms that wimlib has written.
func (im *Image) Xattrs(n Node) []format.Xattr {
	var list []format.Xattr
	if rest, ok := itemOf(im, n, format.TagXattrs); ok {
		for {
			x, next, ok := format.NextXattr(rest)
			if !ok {
				break
			}
			list = append(list, x)
			rest = next
		}
	}
	if rest, ok := itemOf(im, n, format.TagLinuxXattrs); ok {
		// wimlib 1.12: u16 bytes of the name, u16 zero, u32 bytes of the value, both without a NUL, padded to 4.
		for len(rest) >= 8 {
			name, value := uint64(binary.LittleEndian.Uint16(rest)), uint64(binary.LittleEndian.Uint32(rest[4:]))
			if name == 0 || 8+name+value > uint64(len(rest)) {
				break
			}
			list = append(list, format.Xattr{Name: string(rest[8 : 8+name]), Value: rest[8+name : 8+name+value]})
			rest = rest[min((8+name+value+3)&^3, uint64(len(rest))):]
		}
	}
	return list
}

// Items returns the tagged items of n whose meaning is unknown.
func (im *Image) Items(n Node) []format.TaggedItem {
	var list []format.TaggedItem
	for rest := im.Entry(n).Items(); ; {
		item, next, ok := format.NextItem(rest)
		if !ok {
			return list
		}
		switch item.Tag {
		case format.TagObjectID, format.TagXattrs, format.TagUnixData, format.TagLinuxXattrs:
		default:
			list = append(list, item)
		}
		rest = next
	}
}
