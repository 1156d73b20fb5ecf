package xmldoc

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"wimscope/wim/format"
)

// XML 1.0 excludes some characters, even as character references, and every reader refuses a document with one. [XML] 2.2
// lists them.

// isXMLChar reports whether a document may contain the character.
func isXMLChar(r rune) bool {
	return r >= ' ' && r < 0xd800 || r == '\t' || r == '\n' || r == '\r' || r >= 0xe000 && r < 0xfffe || r >= 0x10000 && r <= utf8.MaxRune
}

// NotXML describes the first thing in a text that a document cannot contain; "" if there is none.
func NotXML(s string) string {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				if len(s) > i+1 && s[i] == 0xed && s[i+1] >= 0xa0 {
					return "an unpaired surrogate"
				}
				return fmt.Sprintf("the byte 0x%02x, which is not valid UTF-8", s[i])
			}
		}
		if !isXMLChar(r) {
			return fmt.Sprintf("the character U+%04X", r)
		}
	}
	return ""
}

// xmlNewlines normalises line ends to LF, [XML] 2.11.
func xmlNewlines(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// isXMLName reports whether an element or an attribute may have that name: [XML] 2.3.
func isXMLName(s string) bool {
	for i, r := range s {
		first := r == ':' || r == '_' || 'a' <= r|0x20 && r|0x20 <= 'z' && r < 0x80 ||
			r >= 0xc0 && r <= 0x2ff && r != 0xd7 && r != 0xf7 || r >= 0x370 && r <= 0x1fff && r != 0x37e || r == 0x200c || r == 0x200d ||
			r >= 0x2070 && r <= 0x218f || r >= 0x2c00 && r <= 0x2fef || r >= 0x3001 && r <= 0xd7ff || r >= 0xf900 && r <= 0xfdcf ||
			r >= 0xfdf0 && r < 0xfffd || r >= 0x10000 && r <= 0xeffff
		later := r == '-' || r == '.' || '0' <= r && r <= '9' || r == 0xb7 || r >= 0x300 && r <= 0x36f || r == 0x203f || r == 0x2040
		if !first && (i == 0 || !later) {
			return false
		}
	}
	return s != ""
}

// TextError reports a text that an XML document cannot contain. Nothing was written.
type TextError struct {
	Path string // of the element, such as "WIM/IMAGE[1]/NAME"; an attribute follows an @
	What string // what it cannot contain
}

func (e *TextError) Error() string {
	return fmt.Sprintf("wim: %s: an XML document cannot contain %s: programs could not open the archive; choose another text", e.Path, e.What)
}

// Is makes a TextError an ErrRefused.
func (e *TextError) Is(target error) bool { return target == format.ErrRefused }

// Check returns a *TextError if the document would not be readable once written. The result of Parse always is, so the
// fault is in something that was added.
func (d *Doc) Check() error {
	for _, n := range d.Nodes {
		if err := n.check(n.Name, 0); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) check(path string, depth int) error {
	if n.Name == "" {
		if what := NotXML(n.Text); what != "" {
			return &TextError{path, what}
		}
		return nil
	}
	if !isXMLName(n.Name) {
		return &TextError{path, "an element with that name"}
	}
	if depth > maxXMLDepth {
		return &TextError{path, fmt.Sprintf("elements nested more than %d levels deep", maxXMLDepth)}
	}
	for _, a := range n.Attrs {
		if what := NotXML(a.Value); what != "" {
			return &TextError{path + "@" + a.Name, what}
		}
	}
	counts := map[string]int{}
	for _, c := range n.Children {
		at := path
		if c.Name != "" {
			counts[c.Name]++
			at += "/" + c.Name
			if c.Name == "IMAGE" || counts[c.Name] > 1 {
				at += fmt.Sprintf("[%d]", counts[c.Name])
			}
		}
		if err := c.check(at, depth+1); err != nil {
			return err
		}
	}
	return nil
}
