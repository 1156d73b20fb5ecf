package write

import (
	"errors"
	"testing"

	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/xmldoc"
)

// TestXMLRefused checks that text which XML cannot represent is refused before anything is written, and that the error names
// the element.
func TestXMLRefused(t *testing.T) {
	a := archivetest.MustOpen(t, wimtest.PlainArchive().Bytes())
	for _, c := range []struct {
		path string
		set  func(e *Builder)
	}{
		{"WIM/IMAGE[1]/NAME", func(e *Builder) { e.ImageElement(1).SetContent("a\x01b", "NAME") }},
		{"WIM/IMAGE[1]/NAME", func(e *Builder) { e.ImageElement(1).SetContent("a\x1fb", "NAME") }},
		{"WIM/IMAGE[1]/DESCRIPTION", func(e *Builder) { e.ImageElement(1).SetContent("a\uffffb", "DESCRIPTION") }},
		{"WIM/IMAGE[1]/DESCRIPTION", func(e *Builder) { e.ImageElement(1).SetContent("a\ufffeb", "DESCRIPTION") }},
		{"WIM/IMAGE[1]/FLAGS", func(e *Builder) { e.ImageElement(1).SetContent("a\xed\xa0\x80b", "FLAGS") }},
		{"WIM/IMAGE[1]/WINDOWS/VERSION/MAJOR", func(e *Builder) { e.ImageElement(1).SetContent("\xff", "WINDOWS", "VERSION", "MAJOR") }},
		{"WIM/IMAGE[1]/1A", func(e *Builder) { e.ImageElement(1).SetContent("x", "1A") }},
		{"WIM/IMAGE[1]@X", func(e *Builder) {
			n := e.ImageElement(1)
			n.Attrs = append(n.Attrs, xmldoc.Attr{Name: "X", Value: "\x00"})
		}},
		{"WIM/IMAGE[2]/NAME", func(e *Builder) {
			if _, err := e.AddDraft(draft.New(), &Image{Name: "\x7f\x00"}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		e, err := Of(a)
		if err != nil {
			t.Fatal(err)
		}
		c.set(e)
		var xe *xmldoc.TextError
		if _, err := e.PlanWrite(nil); !errors.As(err, &xe) || xe.Path != c.path || !errors.Is(err, format.ErrRefused) {
			t.Errorf("%s: %v", c.path, err)
		}
	}
}
