package xmldoc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"wimscope/wim/format"
)

// Doc is an archive's XML document. It keeps unknown parts too, in their order, so that writing it back loses nothing.
// encoding/xml would make the engine a seventh larger, and would drop what it does not know.
type Doc struct {
	Nodes []*Node // the root element, and what precedes and follows it
}

// Node is a part of a document: an element if Name is set, otherwise text with escapes resolved, or something that is kept
// verbatim (comments, processing instructions, CDATA sections, document types).
type Node struct {
	Name     string
	Attrs    []Attr
	Children []*Node
	Text     string // of a text node
	Verbatim string // "<!--…-->", "<?…?>", "<![CDATA[…]]>", "<!…>"
}

// Attr is an attribute of an element.
type Attr struct{ Name, Value string }

// A document beyond these limits is not an archive's, but an attack on memory or stack.
const (
	MaxBytes    = 64 << 20
	maxXMLDepth = 256
	maxXMLNodes = 1 << 20

	// Pretty indents no deeper: otherwise a few bytes in a deep element would take hundreds.
	maxXMLIndent = 16
)

// Parse reads a document: UTF-16 of either byte order or UTF-8, with or without a byte order mark. If the document is not
// well-formed, Parse returns what it understood together with the error. Every result can be written: U+FFFD replaces
// characters that a document cannot contain, and misplaced parts are dropped.
func Parse(b []byte) (*Doc, error) {
	if len(b) > MaxBytes {
		return &Doc{}, fmt.Errorf("document of %d bytes is too large; the limit is %d", len(b), MaxBytes)
	}
	p := xmlParser{s: xmlText(b)}
	if what := NotXML(p.s); what != "" {
		p.odd("contains " + what)
		p.s = xmlClean(p.s)
	}
	root := &Node{}
	err := p.content(root)
	doc := &Doc{Nodes: root.Children}
	if err == nil && doc.Root() == nil {
		p.odd("no root element")
	}
	if err == nil {
		err = p.first
	}
	return doc, err
}

// xmlText converts a document to UTF-8, with unpaired surrogates as three bytes, and without byte order mark and trailing NULs.
func xmlText(b []byte) string {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case len(b) >= 3 && string(b[:3]) == "\xef\xbb\xbf":
		return xmlNewlines(strings.TrimRight(string(b[3:]), "\x00"))
	case len(b) >= 2 && b[0] == 0xff && b[1] == 0xfe:
		b = b[2:]
	case len(b) >= 2 && b[0] == 0xfe && b[1] == 0xff:
		b, order = b[2:], binary.BigEndian
	case len(b) >= 2 && b[0] == '<' && b[1] != 0:
		return xmlNewlines(strings.TrimRight(string(b), "\x00"))
	}
	out := make([]byte, 0, len(b)/2+len(b)/16)
	for i := 0; i+1 < len(b); i += 2 {
		u := rune(order.Uint16(b[i:]))
		if utf16.IsSurrogate(u) {
			if i+3 < len(b) {
				if r := utf16.DecodeRune(u, rune(order.Uint16(b[i+2:]))); r != utf8.RuneError {
					out = utf8.AppendRune(out, r)
					i += 2
					continue
				}
			}
			out = append(out, 0xe0|byte(u>>12), 0x80|byte(u>>6)&0xbf, 0x80|byte(u)&0xbf)
			continue
		}
		out = utf8.AppendRune(out, u)
	}
	return xmlNewlines(strings.TrimRight(string(out), "\x00"))
}

// xmlClean replaces characters that a document cannot contain by U+FFFD.
func xmlClean(s string) string {
	return strings.Map(func(r rune) rune {
		if !isXMLChar(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// AppendUTF16 converts UTF-8 to UTF-16LE and appends it.
func AppendUTF16(out []byte, s string) []byte {
	le := binary.LittleEndian
	for _, r := range s {
		if r >= 0x10000 {
			hi, lo := utf16.EncodeRune(r)
			out = le.AppendUint16(out, uint16(hi))
			out = le.AppendUint16(out, uint16(lo))
			continue
		}
		out = le.AppendUint16(out, uint16(r))
	}
	return out
}

type xmlParser struct {
	s     string
	at    int
	nodes int
	first error // first fault that was skipped
}

var errXMLEnd = errors.New("unexpected end of document")

func (p *xmlParser) fail(text string) error {
	return fmt.Errorf("XML, character %d: %s", p.at, text)
}

// odd records a fault that does not stop the parser.
func (p *xmlParser) odd(text string) {
	if p.first == nil {
		p.first = p.fail(text)
	}
}

// content reads the whole document into root. It keeps open elements in a list, since recursion could exhaust the stack.
func (p *xmlParser) content(root *Node) error {
	open := []*Node{root}
	add := func(n *Node) error {
		if p.nodes++; p.nodes > maxXMLNodes {
			return p.fail("too many elements")
		}
		top := open[len(open)-1]
		if why := p.misplaced(n, top, top == root); why != "" {
			p.odd(why)
			return nil
		}
		top.Children = append(top.Children, n)
		return nil
	}
	for p.at < len(p.s) {
		if p.s[p.at] != '<' {
			end := strings.IndexByte(p.s[p.at:], '<')
			if end < 0 {
				end = len(p.s) - p.at
			}
			if err := add(&Node{Text: p.unescape(p.s[p.at : p.at+end])}); err != nil {
				return err
			}
			p.at += end
			continue
		}
		rest := p.s[p.at:]
		closing := ""
		switch {
		case strings.HasPrefix(rest, "<!--"):
			closing = "-->"
		case strings.HasPrefix(rest, "<![CDATA["):
			closing = "]]>"
		case strings.HasPrefix(rest, "<?"):
			closing = "?>"
		case strings.HasPrefix(rest, "<!"):
			closing = ">"
		}
		if closing != "" {
			end := strings.Index(rest[2:], closing)
			if end < 0 {
				return p.fail(errXMLEnd.Error())
			}
			end += 2 + len(closing)
			if err := add(&Node{Verbatim: rest[:end]}); err != nil {
				return err
			}
			p.at += end
			continue
		}
		if strings.HasPrefix(rest, "</") {
			end := strings.IndexByte(rest, '>')
			if end < 0 {
				return p.fail(errXMLEnd.Error())
			}
			name := strings.TrimRight(rest[2:end], " \t\r\n")
			if len(open) == 1 || open[len(open)-1].Name != name {
				return p.fail("</" + name + "> without a start tag")
			}
			open = open[:len(open)-1]
			p.at += end + 1
			continue
		}
		n, closed, err := p.element()
		if err != nil {
			return err
		}
		if err := add(n); err != nil {
			return err
		}
		if !closed {
			if len(open) > maxXMLDepth {
				return p.fail("elements are nested too deeply")
			}
			open = append(open, n)
		}
	}
	if len(open) > 1 {
		return p.fail("<" + open[len(open)-1].Name + "> is not closed")
	}
	return nil
}

// element reads a start tag. closed reports whether it ended with "/>".
func (p *xmlParser) element() (n *Node, closed bool, err error) {
	p.at++ // '<'
	name := p.name()
	if name == "" {
		return nil, false, p.fail("a tag without a name")
	}
	n = &Node{Name: name}
	for {
		before := p.at
		p.space()
		if p.at >= len(p.s) {
			return nil, false, p.fail(errXMLEnd.Error())
		}
		switch p.s[p.at] {
		case '>':
			p.at++
			return n, false, nil
		case '/':
			if !strings.HasPrefix(p.s[p.at:], "/>") {
				return nil, false, p.fail("a stray slash")
			}
			p.at += 2
			return n, true, nil
		}
		key := p.name()
		if key == "" {
			return nil, false, p.fail("an attribute without a name")
		}
		if p.nodes++; p.nodes > maxXMLNodes {
			return nil, false, p.fail("too many attributes")
		}
		if p.at == before+len(key) {
			p.odd("no space before the attribute " + key)
		}
		p.space()
		value, valued := "", false
		if p.at < len(p.s) && p.s[p.at] == '=' {
			p.at++
			p.space()
			if p.at >= len(p.s) || p.s[p.at] != '"' && p.s[p.at] != '\'' {
				return nil, false, p.fail("an attribute value without quotation marks")
			}
			end := strings.IndexByte(p.s[p.at+1:], p.s[p.at])
			if end < 0 {
				return nil, false, p.fail(errXMLEnd.Error())
			}
			raw := p.s[p.at+1 : p.at+1+end]
			if strings.Contains(raw, "<") {
				p.odd("a < in the attribute " + key)
			}
			value, valued = p.unescape(xmlSpaces.Replace(raw)), true
			p.at += end + 2
		}
		switch {
		case !isXMLName(key):
			p.odd("an attribute with an invalid name")
		case !valued:
			p.odd("the attribute " + key + " without a value")
		case slices.ContainsFunc(n.Attrs, func(a Attr) bool { return a.Name == key }):
			p.odd("the attribute " + key + " twice")
			continue
		}
		if isXMLName(key) {
			n.Attrs = append(n.Attrs, Attr{key, value})
		}
	}
}

func (p *xmlParser) space() {
	for p.at < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.at]) >= 0 {
		p.at++
	}
}

// name reads up to a character that ends a name.
func (p *xmlParser) name() string {
	start := p.at
	for p.at < len(p.s) && strings.IndexByte(" \t\r\n<>/=\"'&", p.s[p.at]) < 0 {
		p.at++
	}
	return p.s[start:p.at]
}

// misplaced returns why a node must not be a child of top, or beside the root element; "" if it may.
func (p *xmlParser) misplaced(n, top *Node, outside bool) string {
	switch v := n.Verbatim; {
	case n.Name != "":
		if !isXMLName(n.Name) {
			return "an element with an invalid name"
		}
		if outside && slices.ContainsFunc(top.Children, func(c *Node) bool { return c.Name != "" }) {
			return "a second root element, <" + n.Name + ">"
		}
	case v == "":
		if outside && strings.Trim(n.Text, " \t\n") != "" {
			return "text outside the root element"
		}
	case strings.HasPrefix(v, "<!--"):
		if len(v) < len("<!---->") || strings.Contains(v[4:len(v)-3], "--") || strings.HasSuffix(v, "--->") {
			return "a comment with -- in it"
		}
	case strings.HasPrefix(v, "<?"):
		target, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimSuffix(v[2:], "?>"), "\n", " "), " ")
		declares := strings.EqualFold(target, "xml")
		first := outside && len(top.Children) == 0
		if !isXMLName(target) || declares && !(first && xmlDeclares(v)) {
			return "an invalid processing instruction"
		}
	case strings.HasPrefix(v, "<![CDATA["):
		if outside {
			return "a CDATA section outside the root element"
		}
	default:
		if name, ok := strings.CutPrefix(v, "<!DOCTYPE "); !ok || !isXMLName(strings.TrimRight(name, " >\n\t")) || !outside ||
			slices.ContainsFunc(top.Children, func(c *Node) bool { return c.Name != "" || strings.HasPrefix(c.Verbatim, "<!D") }) {
			return "an unsupported declaration"
		}
	}
	return ""
}

// xmlDeclares reports whether v is an XML declaration: <?xml version="1.0" encoding="UTF-16" standalone="yes"?>, the last two
// attributes being optional.
func xmlDeclares(v string) bool {
	inner := strings.TrimSuffix(v, "?>")
	p := xmlParser{s: "<" + inner[len("<?"):] + "/>"}
	n, _, err := p.element()
	if err != nil || p.first != nil || n.Name != "xml" || len(n.Attrs) == 0 || n.Attrs[0].Name != "version" || !strings.HasPrefix(n.Attrs[0].Value, "1.") {
		return false
	}
	for i, a := range n.Attrs[1:] {
		switch {
		case a.Name == "encoding" && i == 0 && isXMLName(a.Value):
		case a.Name == "standalone" && i == len(n.Attrs)-2 && (a.Value == "yes" || a.Value == "no"):
		default:
			return false
		}
	}
	return true
}

// unescape resolves the five predefined entities and character references. Anything else stays unchanged.
func (p *xmlParser) unescape(s string) string {
	if strings.Contains(s, "]]>") {
		p.odd("]]> outside a CDATA section")
	}
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i:]
		end := strings.IndexByte(s[:min(len(s), 12)], ';')
		r, ok := rune(0), false
		if end > 0 {
			r, ok = xmlEntity(s[1:end])
		}
		if !ok {
			p.odd("an & that begins no reference")
			b.WriteByte('&')
			s = s[1:]
			continue
		}
		b.WriteRune(r)
		s = s[end+1:]
	}
}

func xmlEntity(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if !strings.HasPrefix(name, "#") {
		return 0, false
	}
	digits, base := name[1:], 10
	if strings.HasPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	v, err := strconv.ParseUint(digits, base, 32)
	if err != nil || !isXMLChar(rune(v)) {
		return 0, false
	}
	return rune(v), true
}

// String returns the document in UTF-8, otherwise as it is stored.
func (d *Doc) String() string {
	var b strings.Builder
	writeXML(&b, d.Nodes, -1, 0)
	return b.String()
}

// Pretty returns the document indented for people, with one element on each line.
func (d *Doc) Pretty() string {
	var b strings.Builder
	writeXML(&b, d.Nodes, 0, 0)
	return strings.ToValidUTF8(b.String(), "\ufffd")
}

// AppendUTF16 appends the document as archives store it: UTF-16LE after a byte order mark.
func (d *Doc) AppendUTF16(b []byte) []byte {
	return AppendUTF16(append(b, 0xff, 0xfe), d.String())
}

var (
	// Readers turn line ends into "\n", and in attributes into spaces; character references keep the others.
	xmlTextEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	xmlAttrEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;", "\n", "&#10;", "\t", "&#9;")
	xmlSpaces      = strings.NewReplacer("\n", " ", "\t", " ")
)

// writeXML writes nodes; indent < 0 adds no space. Parse bounds the depth, as does the code that builds documents.
func writeXML(b *strings.Builder, nodes []*Node, indent, depth int) {
	if depth > 2*maxXMLDepth {
		return
	}
	for _, n := range nodes {
		if indent >= 0 && n.Name == "" && n.Verbatim == "" && strings.TrimSpace(n.Text) == "" {
			continue
		}
		if indent >= 0 {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(xmlIndent(indent))
		}
		switch {
		case n.Verbatim != "":
			b.WriteString(n.Verbatim)
			continue
		case n.Name == "":
			text := n.Text
			if indent >= 0 {
				text = strings.TrimSpace(text)
			}
			b.WriteString(xmlTextEscaper.Replace(text))
			continue
		}
		b.WriteByte('<')
		b.WriteString(n.Name)
		for _, a := range n.Attrs {
			b.WriteString(" " + a.Name + `="` + xmlAttrEscaper.Replace(a.Value) + `"`)
		}
		if len(n.Children) == 0 {
			b.WriteString("/>")
			continue
		}
		b.WriteByte('>')
		switch {
		case indent < 0 || len(n.Children) == 1 && n.Children[0].Name == "":
			writeXML(b, n.Children, -1, depth+1)
		default:
			writeXML(b, n.Children, indent+1, depth+1)
			b.WriteString("\n" + xmlIndent(indent))
		}
		b.WriteString("</" + n.Name + ">")
	}
}

func xmlIndent(depth int) string { return strings.Repeat("  ", min(depth, maxXMLIndent)) }

// Root returns the document's first element, nil if there is none.
func (d *Doc) Root() *Node {
	for _, n := range d.Nodes {
		if n.Name != "" {
			return n
		}
	}
	return nil
}

// Child returns the element at a path of names, nil if there is none. n may be nil.
func (n *Node) Child(path ...string) *Node {
	for _, name := range path {
		if n == nil {
			return nil
		}
		n = n.child(name)
	}
	return n
}

func (n *Node) child(name string) *Node {
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Content returns the text inside an element unchanged, CDATA included: image names may begin with a space. n may be nil.
func (n *Node) Content(path ...string) string {
	n = n.Child(path...)
	if n == nil {
		return ""
	}
	var b strings.Builder
	for _, c := range n.Children {
		switch {
		case c.Name == "" && c.Verbatim == "":
			b.WriteString(c.Text)
		case strings.HasPrefix(c.Verbatim, "<![CDATA["):
			b.WriteString(c.Verbatim[len("<![CDATA[") : len(c.Verbatim)-len("]]>")])
		}
	}
	return b.String()
}

// Word returns Content without surrounding space.
func (n *Node) Word(path ...string) string { return strings.TrimSpace(n.Content(path...)) }

// Number returns the decimal number inside an element; 0 if there is none, or it is negative or exceeds 64 bits.
func (n *Node) Number(path ...string) uint64 {
	v, err := strconv.ParseUint(strings.TrimPrefix(n.Word(path...), "+"), 10, 64)
	if err != nil {
		return 0
	}
	return v
}

// Filetime returns the time in an element such as CREATIONTIME: <HIGHPART>0x01d8…</HIGHPART><LOWPART>0x…</LOWPART>. A half that
// is not a number counts as 0.
func (n *Node) Filetime(path ...string) format.Filetime {
	n = n.Child(path...)
	half := func(name string) uint64 {
		s := n.Word(name)
		if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
			s = s[2:]
		}
		v, err := strconv.ParseUint(s, 16, 32)
		if err != nil {
			return 0
		}
		return v
	}
	return format.Filetime(half("HIGHPART")<<32 | half("LOWPART"))
}

// Attr returns the value of an attribute, "" if there is none. n may be nil.
func (n *Node) Attr(name string) string {
	if n != nil {
		for _, a := range n.Attrs {
			if a.Name == name {
				return a.Value
			}
		}
	}
	return ""
}
