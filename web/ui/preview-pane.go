package ui

import (
	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// PreviewPane shows the content of a file.
type PreviewPane struct{ base }

type textLine struct {
	i    int
	text verbatim
}

type hexRow struct {
	i                       int
	off                     string
	before, caret, after    string
	tBefore, tCaret, tAfter string
	has                     bool
}

func (c *PreviewPane) p() *state.Preview { return &c.Archive.Files.Preview }

func (c *PreviewPane) textual() bool {
	m := c.p().Mode
	return m == state.ModeText || m == state.ModeXML
}

func (c *PreviewPane) about() string {
	p := c.p()
	s := p.Name
	if p.Stream != "" {
		s += ":" + p.Stream
	}
	s += " · " + c.T("details.bytes", p.Size)
	if c.textual() {
		s += " · " + p.Encoding + " · " + c.T("preview.lines", len(p.Lines))
	}
	if p.Check == protocol.CheckNone && !p.Loading && p.Problem == nil {
		s += " · " + c.T("preview.unchecked")
	}
	return s
}

func (c *PreviewPane) damaged() bool { return c.p().Check == protocol.CheckBad }

func (c *PreviewPane) textSpacer() string {
	p := c.p()
	return "height:" + px(p.Text.Spacer()) + ";min-width:calc(" + itoa(p.Widest+8) + "ch + 24px)"
}

func (c *PreviewPane) textRun() string {
	from, _ := c.p().Text.Range()
	return "transform:translateY(" + px(c.p().Text.Offset(from)) + ")"
}

func (c *PreviewPane) lines() []textLine {
	p := c.p()
	from, to := p.Text.Range()
	out := make([]textLine, 0, to-from)
	for i := from; i < to && i < len(p.Lines); i++ {
		out = append(out, textLine{i, verbatim(p.Lines[i])})
	}
	return out
}

func (c *PreviewPane) hexSpacer() string { return "height:" + px(c.p().Hex.View.Spacer()) }

func (c *PreviewPane) hexRun() string {
	from, _ := c.p().Hex.View.Range()
	return "transform:translateY(" + px(c.p().Hex.View.Offset(from)) + ")"
}

const hexDigits = "0123456789abcdef"

func (c *PreviewPane) hexRows() []hexRow {
	x := &c.p().Hex
	from, to := x.View.Range()
	out := make([]hexRow, 0, to-from)
	for i := from; i < to; i++ {
		at := int64(i) * int64(x.PerRow)
		data := x.Bytes(i)
		r := hexRow{i: i, off: offset(at)}
		hex := make([]byte, 0, x.PerRow*3+1)
		text := make([]byte, 0, x.PerRow)
		ends := make([]int, 0, x.PerRow)
		for k, b := range data {
			if k > 0 {
				hex = append(hex, ' ')
				if k == 8 {
					hex = append(hex, ' ')
				}
			}
			hex = append(hex, hexDigits[b>>4], hexDigits[b&15])
			ends = append(ends, len(hex))
			if b < 0x20 || b > 0x7e {
				b = '.'
			}
			text = append(text, b)
		}
		if k := int(x.Caret - at); x.Caret >= at && k < len(data) {
			r.has = true
			r.before, r.caret, r.after = string(hex[:ends[k]-2]), string(hex[ends[k]-2:ends[k]]), string(hex[ends[k]:])
			r.tBefore, r.tCaret, r.tAfter = string(text[:k]), string(text[k:k+1]), string(text[k+1:])
		} else {
			r.before, r.tBefore = string(hex), string(text)
		}
		out = append(out, r)
	}
	return out
}

// offset returns an offset in hexadecimal, with eight digits or more.
func offset(n int64) string {
	return words.Hex(n)[2:]
}

// caret describes the byte with the focus.
func (c *PreviewPane) caret() string {
	x := &c.p().Hex
	b := x.Bytes(int(x.Caret / int64(x.PerRow)))
	k := int(x.Caret % int64(x.PerRow))
	if k >= len(b) {
		return c.T("hex.at", words.Hex(x.Caret))
	}
	v := b[k]
	return c.T("hex.byte", words.Hex(x.Caret), string([]byte{hexDigits[v>>4], hexDigits[v&15]}), int(v))
}
