package wim

import (
	"wimscope/wim/security"
)

// Facts for tools that write an image to disk or list it as it is stored.

// ByName returns the children of dir sorted by name, ignoring case and then by UTF-16 units. The slice must not be changed.
func (im *Image) ByName(dir Node) []Node { return im.Sorted(dir) }

// SecurityBytes returns the security descriptor of n as stored, nil if it has none.
func (im *Image) SecurityBytes(n Node) []byte {
	id := im.Entry(n).SecurityID()
	if id < 0 || int(id) >= len(im.Descriptors) {
		return nil
	}
	return im.Descriptors[id]
}

// Security returns the security descriptor of n, nil if it has none, its number is outside of the list, or it is malformed.
func (im *Image) Security(n Node) *security.Descriptor {
	sd, err := security.Parse(im.SecurityBytes(n))
	if err != nil {
		return nil
	}
	return sd
}
