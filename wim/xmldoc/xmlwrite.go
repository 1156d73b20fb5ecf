package xmldoc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wimscope/wim/format"
)

// imageElements lists the elements of an image that are written, in the order of Microsoft's tools. Other elements stay
// where they are.
const imageElements = "DIRCOUNT FILECOUNT TOTALBYTES HARDLINKBYTES CREATIONTIME LASTMODIFICATIONTIME WIMBOOT WINDOWS NAME DESCRIPTION FLAGS DISPLAYNAME DISPLAYDESCRIPTION"

// Clone returns a deep copy.
func (n *Node) Clone() *Node {
	c := *n
	c.Attrs = slices.Clone(n.Attrs)
	c.Children = make([]*Node, len(n.Children))
	for i, k := range n.Children {
		c.Children[i] = k.Clone()
	}
	return &c
}

// TextElement returns an element that contains a text.
func TextElement(name, text string) *Node {
	n := &Node{Name: name}
	if text != "" {
		n.Children = []*Node{{Text: text}}
	}
	return n
}

// timeElement returns an element that contains a time.
func timeElement(name string, t format.Filetime) *Node {
	return &Node{Name: name, Children: []*Node{
		TextElement("HIGHPART", fmt.Sprintf("0x%08X", uint32(t>>32))),
		TextElement("LOWPART", fmt.Sprintf("0x%08X", uint32(t))),
	}}
}

// put replaces the child element with c's name, or inserts c at its usual place among the others.
func (n *Node) put(c *Node) {
	for i, k := range n.Children {
		if k.Name == c.Name {
			n.Children[i] = c
			return
		}
	}
	order := strings.Fields(imageElements)
	rank := slices.Index(order, c.Name)
	at := len(n.Children)
	if rank >= 0 {
		for i, k := range n.Children {
			if slices.Index(order, k.Name) > rank {
				at = i
				break
			}
		}
	}
	n.Children = slices.Insert(n.Children, at, c)
}

// Drop removes the child elements with a name.
func (n *Node) Drop(name string) {
	n.Children = slices.DeleteFunc(n.Children, func(k *Node) bool { return k.Name == name })
}

// SetContent sets the text of the element at a path, and creates elements that are missing on the way. An empty text removes
// the element.
func (n *Node) SetContent(text string, path ...string) {
	for i, name := range path {
		if i == len(path)-1 {
			if text == "" {
				n.Drop(name)
			} else {
				n.put(TextElement(name, text))
			}
			return
		}
		next := n.child(name)
		if next == nil {
			if text == "" {
				return
			}
			next = &Node{Name: name}
			n.put(next)
		}
		n = next
	}
}

// setAttr sets an attribute.
func (n *Node) setAttr(name, value string) {
	for i := range n.Attrs {
		if n.Attrs[i].Name == name {
			n.Attrs[i].Value = value
			return
		}
	}
	n.Attrs = append(n.Attrs, Attr{name, value})
}

// SetStats sets an image's counts, and its times unless they are zero.
func (n *Node) SetStats(s Stats, created, modified format.Filetime) {
	n.put(TextElement("DIRCOUNT", strconv.Itoa(s.Dirs)))
	n.put(TextElement("FILECOUNT", strconv.Itoa(s.Files)))
	n.put(TextElement("TOTALBYTES", strconv.FormatInt(s.TotalBytes, 10)))
	n.put(TextElement("HARDLINKBYTES", strconv.FormatInt(s.HardLinkBytes, 10)))
	if created != 0 {
		n.put(timeElement("CREATIONTIME", created))
	}
	if modified != 0 {
		n.put(timeElement("LASTMODIFICATIONTIME", modified))
	}
}

// New returns the document of a new archive: what base has besides images, and these images in their order. totalBytes is
// the value of TOTALBYTES; -1 omits it.
func New(base *Doc, images []*Node, totalBytes int64) *Doc {
	root := &Node{Name: "WIM"}
	doc := &Doc{Nodes: []*Node{root}}
	if base != nil && base.Root() != nil {
		doc.Nodes = nil
		for _, n := range base.Nodes {
			c := n.Clone()
			if n == base.Root() {
				root = c
				root.Name = "WIM" // readers accept no other
			}
			doc.Nodes = append(doc.Nodes, c)
		}
	}
	total := TextElement("TOTALBYTES", strconv.FormatInt(totalBytes, 10))
	at := slices.IndexFunc(root.Children, func(n *Node) bool { return n.Name == "IMAGE" })
	root.Drop("IMAGE")
	if i := slices.IndexFunc(root.Children, func(n *Node) bool { return n.Name == "TOTALBYTES" }); totalBytes < 0 {
		root.Drop("TOTALBYTES")
		if i >= 0 && i < at {
			at--
		}
	} else if i >= 0 {
		root.Children[i] = total
	} else {
		root.Children = slices.Insert(root.Children, 0, total)
		if at >= 0 {
			at++
		}
	}
	if at < 0 || at > len(root.Children) {
		at = len(root.Children)
	}
	for i, n := range images {
		n.setAttr("INDEX", strconv.Itoa(i+1))
	}
	root.Children = slices.Insert(root.Children, at, images...)
	return doc
}
