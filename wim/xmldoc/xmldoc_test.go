package xmldoc

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

// strict reads a document with encoding/xml, which is nearly as strict as other programs.
func strict(s string) error {
	d := xml.NewDecoder(strings.NewReader(s))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestXMLNotWellFormed checks that Parse reports documents that other programs reject, returns what it understood, and that
// other programs can read that once it is written.
func TestXMLNotWellFormed(t *testing.T) {
	lone := string(append(AppendUTF16(nil, "<WIM><NAME>ok</NAME><A>"), "\x00\xd8"...)) + string(AppendUTF16(nil, "</A></WIM>"))
	for _, s := range []string{
		"<WIM><NAME>ok</NAME><A>\x01</A></WIM>",
		"<WIM><NAME>ok</NAME><A>\uffff</A></WIM>",
		"<WIM><NAME>ok</NAME><A B='\ufffe'/></WIM>",
		"<WIM><NAME>ok</NAME><!-- \x02 --></WIM>",
		"<WIM><NAME>ok</NAME>\xff</WIM>",
		lone,
		"<WIM><NAME>ok</NAME>&#1;</WIM>",
		"<WIM><NAME>ok</NAME>&#xFFFF;</WIM>",
		"<WIM><NAME>ok</NAME>&foo;</WIM>",
		"<WIM><NAME>ok</NAME>a & b</WIM>",
		"<WIM><NAME>ok</NAME>]]></WIM>",
		"<WIM><NAME>ok</NAME><1A>x</1A></WIM>",
		"<WIM><NAME>ok</NAME><A\u00d7/></WIM>",
		"<WIM A='1' A='2'><NAME>ok</NAME></WIM>",
		"<WIM A><NAME>ok</NAME></WIM>",
		"<WIM A='1'B='2'><NAME>ok</NAME></WIM>",
		"<WIM A='<'><NAME>ok</NAME></WIM>",
		"<WIM 1='x'><NAME>ok</NAME></WIM>",
		"<WIM><NAME>ok</NAME><!-- a -- b --></WIM>",
		"<WIM><NAME>ok</NAME><!-- a ---></WIM>",
		"<WIM><NAME>ok</NAME><?xml version='1.0'?></WIM>",
		"<WIM><NAME>ok</NAME><?1 x?></WIM>",
		"<WIM><NAME>ok</NAME><!ELEMENT A></WIM>",
		"<?xml encoding='UTF-16'?><WIM><NAME>ok</NAME></WIM>",
		"<WIM><NAME>ok</NAME></WIM><WIM/>",
		"<WIM><NAME>ok</NAME></WIM>text",
		"<WIM><NAME>ok</NAME></WIM><![CDATA[x]]>",
	} {
		d, err := Parse([]byte(s))
		if err == nil {
			t.Errorf("%q is well-formed", s)
		}
		if got := d.Root().Content("NAME"); got != "ok" {
			t.Errorf("%q: NAME is %q", s, got)
		}
		if err := d.Check(); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if err := strict(d.String()); err != nil {
			t.Errorf("%q is written as %q: %v", s, d.String(), err)
		}
		if again, err := Parse(d.AppendUTF16(nil)); err != nil || again.String() != d.String() {
			t.Errorf("%q is written as %q, and read as %q, %v", s, d.String(), again.String(), err)
		}
	}
	for _, s := range []string{"", "  ", "<!-- -->", "text"} {
		if _, err := Parse([]byte(s)); err == nil {
			t.Errorf("%q is a document", s)
		}
	}
	for _, s := range []string{
		`<?xml version="1.0" encoding="UTF-16" standalone="yes"?><!-- c --><WIM a="1" b='2'/>` + "\n ",
		"<!DOCTYPE WIM><WIM><![CDATA[<&]]><?php x?></WIM>", "<WIM>\u0085\u2028\U0001f4be<a:B-c.1/></WIM>",
	} {
		if d, err := Parse([]byte(s)); err != nil || strings.TrimSpace(d.String()) == "" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestXMLSpace checks that every text that XML allows is unchanged after writing and reading, including spaces and line
// ends.
func TestXMLSpace(t *testing.T) {
	const text = "a\rb\nc\r\nd\te"
	root := &Node{Name: "WIM", Attrs: []Attr{{"A", text}}, Children: []*Node{{Text: text}}}
	d := &Doc{Nodes: []*Node{root}}
	got, err := Parse(d.AppendUTF16(nil))
	if err != nil || got.Root().Attr("A") != text || got.Root().Content() != text {
		t.Errorf("%q comes back as %q, %q, %v", text, got.Root().Attr("A"), got.Root().Content(), err)
	}
	var std struct {
		A    string `xml:",attr"`
		Text string `xml:",chardata"`
	}
	if err := xml.Unmarshal([]byte(d.String()), &std); err != nil || std.A != text || std.Text != text {
		t.Errorf("others read %q, %q, %v", std.A, std.Text, err)
	}
	// In a document, each kind of line end is one character.
	if got, _ := Parse([]byte("<WIM A='x\r\ny'>a\r\nb\rc</WIM>")); got.Root().Content() != "a\nb\nc" || got.Root().Attr("A") != "x y" {
		t.Errorf("%q, %q", got.Root().Content(), got.Root().Attr("A"))
	}
}

// FuzzParseXML checks that what Parse understood of a document, well-formed or not, is the same after writing and reading,
// and that other programs can read it too.
func FuzzParseXML(f *testing.F) {
	for _, s := range []string{
		`<WIM><TOTALBYTES>1</TOTALBYTES><IMAGE INDEX="1"><NAME>a &amp; b &#x41;</NAME></IMAGE></WIM>`,
		"<A>\x80</A>", // once changed when written and read
		`<?xml version="1.0"?><!-- c --><A b='"'><![CDATA[<x>]]></A>`, `<A><B></A>`, `<A b=c>`, "<A>\xed\xa0\x80</A>", "&&amp;",
	} {
		f.Add([]byte(s))
		f.Add(AppendUTF16([]byte{0xff, 0xfe}, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := Parse(b)
		if len(first.Nodes) == 0 || first.Root() == nil {
			return
		}
		// Parse corrected a document with an error, so that other programs can read what is written.
		if x := strict(first.String()); x != nil && err != nil && !strings.Contains(x.Error(), "invalid XML name") {
			t.Fatalf("%q (%v) is written as %q: %v", b, err, first.String(), x)
		}
		if err := first.Check(); err != nil {
			t.Fatalf("%q cannot be written: %v", b, err)
		}
		stored := first.AppendUTF16(nil)
		second, err := Parse(stored)
		if err != nil {
			t.Fatalf("%q is written as %q, which is refused: %v", b, first.String(), err)
		}
		if first.String() != second.String() {
			t.Fatalf("%q is written as %q, then as %q", b, first.String(), second.String())
		}
		if again := second.AppendUTF16(nil); !bytes.Equal(again, stored) {
			t.Fatalf("stored as %x, then as %x", stored, again)
		}
		first.Pretty()
		if r := first.Root(); r != nil {
			ReadImageInfo(r)
		}
	})
}
