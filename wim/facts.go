package wim

import (
	"wimscope/wim/format"
	"wimscope/wim/security"
)

// What tools that write an image to disk, or list it as it is stored, want to know beyond what people are shown.

// ByName lists the children of dir by name, ignoring case and then by UTF-16 units. The slice is not to be changed.
func (im *Image) ByName(dir Node) []Node { return im.Sorted(dir) }

// ObjectIDBytes are the 16 to 64 bytes of n's object id and the three ids of its birth, nil if it has none.
func (im *Image) ObjectIDBytes(n Node) []byte {
	b, _ := im.item(n, format.TagObjectID)
	return b
}

// ReparseFixed says of an absolute link that its target was made to fit when the image was captured: it is a path
// from the image's root.
func (im *Image) ReparseFixed(n Node) bool {
	e := im.Entry(n)
	return e.Attributes()&format.AttrReparsePoint != 0 && e.ReparseFlags()&1 == 0
}

// SecurityBytes is the security descriptor of n as stored, nil if it has none.
func (im *Image) SecurityBytes(n Node) []byte {
	id := im.Entry(n).SecurityID()
	if id < 0 || int(id) >= len(im.Descriptors) {
		return nil
	}
	return im.Descriptors[id]
}

// Security gives the security descriptor of n, nil if it has none: its number may lie outside of the list, which
// counts as none.
func (im *Image) Security(n Node) *security.Descriptor {
	sd, err := security.Parse(im.SecurityBytes(n))
	if err != nil {
		return nil
	}
	return sd
}
