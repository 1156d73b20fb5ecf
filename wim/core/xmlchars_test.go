package core

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// strict reads a document as encoding/xml does, which is nearly as strict as other programs are.
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

// TestXMLNotWellFormed: of what other programs refuse there is an error, what can be understood is, and what is written
// of it they read.
func TestXMLNotWellFormed(t *testing.T) {
	lone := string(append(appendUTF16(nil, "<WIM><NAME>ok</NAME><A>"), "\x00\xd8"...)) + string(appendUTF16(nil, "</A></WIM>"))
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
		d, err := ParseXML([]byte(s))
		if err == nil {
			t.Errorf("%q is well-formed", s)
		}
		if got := d.Root().Content("NAME"); got != "ok" {
			t.Errorf("%q: NAME is %q", s, got)
		}
		if err := d.writable(); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if err := strict(d.String()); err != nil {
			t.Errorf("%q is written as %q: %v", s, d.String(), err)
		}
		if again, err := ParseXML(d.AppendUTF16(nil)); err != nil || again.String() != d.String() {
			t.Errorf("%q is written as %q, and read as %q, %v", s, d.String(), again.String(), err)
		}
	}
	for _, s := range []string{"", "  ", "<!-- -->", "text"} {
		if _, err := ParseXML([]byte(s)); err == nil {
			t.Errorf("%q is a document", s)
		}
	}
	for _, s := range []string{
		`<?xml version="1.0" encoding="UTF-16" standalone="yes"?><!-- c --><WIM a="1" b='2'/>` + "\n ",
		"<!DOCTYPE WIM><WIM><![CDATA[<&]]><?php x?></WIM>", "<WIM>\u0085\u2028\U0001f4be<a:B-c.1/></WIM>",
	} {
		if d, err := ParseXML([]byte(s)); err != nil || strings.TrimSpace(d.String()) == "" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestXMLSpace: whatever of a text XML allows comes back as it was put in, spaces and ends of lines too.
func TestXMLSpace(t *testing.T) {
	const text = "a\rb\nc\r\nd\te"
	root := &XMLNode{Name: "WIM", Attrs: []XMLAttr{{"A", text}}, Children: []*XMLNode{{Text: text}}}
	d := &XMLDoc{Nodes: []*XMLNode{root}}
	got, err := ParseXML(d.AppendUTF16(nil))
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
	// As it stands in a document, an end of a line is one character.
	if got, _ := ParseXML([]byte("<WIM A='x\r\ny'>a\r\nb\rc</WIM>")); got.Root().Content() != "a\nb\nc" || got.Root().Attr("A") != "x y" {
		t.Errorf("%q, %q", got.Root().Content(), got.Root().Attr("A"))
	}
}

// TestXMLRefused: what no document can hold is refused before anything is written, and the error says where it was to go.
func TestXMLRefused(t *testing.T) {
	a := mustOpen(t, plainArchive().Bytes())
	for _, c := range []struct {
		path string
		set  func(e *Edit)
	}{
		{"WIM/IMAGE[1]/NAME", func(e *Edit) { e.ImageElement(1).SetContent("a\x01b", "NAME") }},
		{"WIM/IMAGE[1]/NAME", func(e *Edit) { e.ImageElement(1).SetContent("a\x1fb", "NAME") }},
		{"WIM/IMAGE[1]/DESCRIPTION", func(e *Edit) { e.ImageElement(1).SetContent("a\uffffb", "DESCRIPTION") }},
		{"WIM/IMAGE[1]/DESCRIPTION", func(e *Edit) { e.ImageElement(1).SetContent("a\ufffeb", "DESCRIPTION") }},
		{"WIM/IMAGE[1]/FLAGS", func(e *Edit) { e.ImageElement(1).SetContent("a\xed\xa0\x80b", "FLAGS") }},
		{"WIM/IMAGE[1]/WINDOWS/VERSION/MAJOR", func(e *Edit) { e.ImageElement(1).SetContent("\xff", "WINDOWS", "VERSION", "MAJOR") }},
		{"WIM/IMAGE[1]/1A", func(e *Edit) { e.ImageElement(1).SetContent("x", "1A") }},
		{"WIM/IMAGE[1]@X", func(e *Edit) { e.ImageElement(1).setAttr("X", "\x00") }},
		{"WIM/IMAGE[2]/NAME", func(e *Edit) {
			if _, err := e.AddDraft(NewDraft(), &DraftInfo{Name: "\x7f\x00"}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		e, err := a.Edit()
		if err != nil {
			t.Fatal(err)
		}
		c.set(e)
		var xe *XMLTextError
		if _, err := e.PlanWrite(nil); !errors.As(err, &xe) || xe.Path != c.path || !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", c.path, err)
		}
	}
}
