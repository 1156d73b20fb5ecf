package state

import (
	"slices"
	"strings"

	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// Mode is how a content is shown.
type Mode string

// The modes of a preview.
const (
	ModeText    Mode = "text"
	ModePicture Mode = "picture"
	ModeXML     Mode = "xml"
	ModeHex     Mode = "hex"
)

// The limits of a preview, in bytes.
const (
	textStep    = 512 << 10 // of text, at first
	textLimit   = 4 << 20   // of text, in all
	pictureSize = 64 << 20
	hexPage     = 64 << 10
	hexPages    = 32 // kept
)

// HexRow is the height of a row of the hex view and of a line of text, in CSS pixels.
const HexRow = 20

// Preview shows what is in a file, in place of the list.
type Preview struct {
	Open     bool
	Image    int
	Node     int32
	Name     string
	Stream   string
	Size     int64
	Modes    []Mode
	Mode     Mode
	Loading  bool
	Problem  *Problem
	Encoding string
	Check    protocol.Check

	Lines   []string // ModeText and ModeXML
	Widest  int      // letters in the longest line
	Partial bool     // there is more text than Lines
	Text    Viewport

	URL  string // ModePicture
	MIME string

	Hex    Viewport
	PerRow int    // bytes in a row of the hex view: 16, or 8 on a narrow page
	Caret  int64  // offset of the byte with the focus
	Goto   string // what is being typed as an offset
	BadOff bool   // Goto is no offset in this file

	ar     *opened
	raw    string
	loaded int // bytes of text asked for
	pages  map[int64][]byte
	order  []int64
	asked  map[int64]bool
	serial int
}

// open shows a file of an image, or one of its streams. Mode "" is the one that fits it best.
func (p *Preview) open(image int, row protocol.Row, stream string, mode Mode) {
	p.close()
	ar, serial := p.ar, p.serial
	*p = Preview{Open: true, Image: image, Node: row.Node, Name: row.Name, Stream: stream, Size: row.Size, Loading: true,
		PerRow: 16, ar: ar, serial: serial, Text: Viewport{Row: HexRow, Height: 600}, Hex: Viewport{Row: HexRow, Height: 600},
		pages: map[int64][]byte{}, asked: map[int64]bool{}}
	if ar.Narrow() {
		p.PerRow = 8
	}
	ar.say("preview.opened", row.Name)
	p.loadText(textStep, func(rep *protocol.ReadReply) {
		p.Size, p.Check = rep.Size, rep.Check
		p.Hex.Total = int((rep.Size + int64(p.PerRow) - 1) / int64(p.PerRow))
		p.Encoding = rep.Encoding
		if rep.Picture != "" && rep.Size <= pictureSize {
			p.MIME = rep.Picture
			p.Modes = append(p.Modes, ModePicture)
		}
		if rep.Encoding != "" {
			if rep.Markup {
				p.Modes = append(p.Modes, ModeXML)
			}
			p.Modes = append(p.Modes, ModeText)
			p.setText(rep.Text)
		}
		p.Modes = append(p.Modes, ModeHex)
		best := p.Modes[0]
		if slices.Contains(p.Modes, mode) {
			best = mode
		}
		p.setMode(best)
		switch best {
		case ModeHex:
			ar.platform.Focus("hex")
		case ModeText, ModeXML:
			ar.platform.Focus("text")
		default:
			ar.platform.Focus("preview")
		}
	})
}

// close shows the list again, and gives back what the preview holds of the browser.
func (p *Preview) close() {
	if p.URL != "" {
		p.ar.platform.RevokeURL(p.URL)
	}
	*p = Preview{ar: p.ar, serial: p.serial + 1}
}

// Close shows the list again.
func (p *Preview) Close() {
	p.ar.update(func() {
		if p.Open {
			p.close()
			p.ar.platform.Focus("list")
		}
	})
}

// loadText asks for the first n bytes as text.
func (p *Preview) loadText(n int, then func(rep *protocol.ReadReply)) {
	p.loaded, p.Loading = n, true
	serial := p.serial
	req := p.request(0, n)
	req.Want = "text"
	go func() {
		rep, _, err := p.ar.Session.Read(p.ar.ctx, req)
		p.ar.update(func() {
			if p.serial != serial {
				return
			}
			p.Loading = false
			if err != nil {
				p.fail(err)
				return
			}
			then(&rep)
		})
	}()
}

// request returns a request for n bytes at off.
func (p *Preview) request(off int64, n int) protocol.ReadRequest {
	return protocol.ReadRequest{Image: p.Image, Node: p.Node, Stream: p.Stream, Off: off, Len: n}
}

func (p *Preview) fail(err error) { p.Problem = p.ar.problem(err, p.Name) }

func (p *Preview) setText(s string) {
	p.raw = s
	p.Partial = int64(p.loaded) < p.Size && p.loaded < textLimit
	p.layText()
}

// layText makes lines of the text, or of the text set out as markup.
func (p *Preview) layText() {
	s := p.raw
	if p.Mode == ModeXML {
		s = words.IndentXML(s)
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	p.Lines = strings.Split(s, "\n")
	p.Widest = 0
	for i, l := range p.Lines {
		// A line of megabytes would stop the browser; its end is in the hex view and in the file.
		const longest = 4000
		if len(l) > longest {
			cut := longest
			for cut > 0 && l[cut]&0xc0 == 0x80 {
				cut--
			}
			l = l[:cut] + "…"
		}
		l = strings.ReplaceAll(l, "\t", "    ")
		p.Lines[i] = l
		p.Widest = max(p.Widest, len(l))
	}
	p.Text.Total = len(p.Lines)
}

// SetMode shows the content another way.
func (p *Preview) SetMode(m Mode) { p.ar.update(func() { p.setMode(m) }) }

func (p *Preview) setMode(m Mode) {
	p.Mode = m
	switch m {
	case ModeHex:
		p.fillHex()
		p.ar.platform.ScrollTo("hex", p.Hex.Top)
	case ModePicture:
		p.loadPicture()
	case ModeText, ModeXML:
		p.layText()
		p.Text.Top = 0
		p.ar.platform.ScrollTo("text", 0)
	}
}

// MoreText loads as much of a long text as one reply holds. What is beyond it, the hex view shows.
func (p *Preview) MoreText() {
	p.ar.update(func() {
		p.loadText(textLimit, func(rep *protocol.ReadReply) { p.setText(rep.Text) })
	})
}

func (p *Preview) loadPicture() {
	if p.URL != "" || p.Loading {
		return
	}
	p.Loading = true
	serial, size, req := p.serial, p.Size, p.request(0, 0)
	go func() {
		data := make([]byte, 0, size)
		var err error
		for int64(len(data)) < size && err == nil {
			var b []byte
			req.Off, req.Len = int64(len(data)), int(min(4<<20, size-int64(len(data))))
			_, b, err = p.ar.Session.Read(p.ar.ctx, req)
			if err == nil && len(b) == 0 {
				err = &protocol.Error{Code: protocol.CodeInternal, Message: "the file ended early"}
			}
			data = append(data, b...)
		}
		p.ar.update(func() {
			if p.serial != serial {
				return
			}
			p.Loading = false
			if err != nil {
				p.fail(err)
				return
			}
			p.URL = p.ar.platform.ObjectURL(data, p.MIME)
		})
	}()
}

// textScrolled takes where the text is scrolled to and how much of it is in view.
func (p *Preview) textScrolled(top, height float64) { p.Text.Top, p.Text.Height = top, height }

// hexScrolled takes where the hex view is scrolled to and how much of it is in view.
func (p *Preview) hexScrolled(top, height float64) {
	if p.Open {
		p.Hex.Top, p.Hex.Height = top, height
		p.fillHex()
	}
}

// fillHex asks for the pages that are in view and have not arrived.
func (p *Preview) fillHex() {
	from, to := p.Hex.Range()
	last := min(int64(to)*int64(p.PerRow), p.Size)
	for page := int64(from) * int64(p.PerRow) / hexPage; page*hexPage < last; page++ {
		if _, ok := p.pages[page]; ok || p.asked[page] {
			continue
		}
		p.asked[page] = true
		serial := p.serial
		req := p.request(page*hexPage, int(min(hexPage, p.Size-page*hexPage)))
		go func() {
			_, data, err := p.ar.Session.Read(p.ar.ctx, req)
			p.ar.update(func() {
				if p.serial != serial {
					return
				}
				delete(p.asked, page)
				if err != nil {
					p.fail(err)
					return
				}
				p.pages[page] = data
				p.order = append(p.order, page)
				if len(p.order) > hexPages {
					delete(p.pages, p.order[0])
					p.order = p.order[1:]
				}
			})
		}()
	}
}

// Bytes returns the bytes of row i of the hex view; nil while they have not arrived.
func (p *Preview) Bytes(i int) []byte {
	off := int64(i) * int64(p.PerRow)
	page := p.pages[off/hexPage]
	at := off % hexPage // rows do not cross pages: both are powers of two
	if at >= int64(len(page)) {
		return nil
	}
	return page[at:min(at+int64(p.PerRow), int64(len(page)))]
}

// HexKey moves the hex view's caret; it reports whether the key means anything.
func (p *Preview) HexKey(key string, held Keys) bool {
	if held.Alt {
		return false
	}
	done := true
	p.ar.update(func() {
		row := int64(p.PerRow)
		to := p.Caret
		switch key {
		case "ArrowRight":
			to++
		case "ArrowLeft":
			to--
		case "ArrowDown":
			to += row
		case "ArrowUp":
			to -= row
		case "PageDown":
			to += row * int64(p.Hex.Page())
		case "PageUp":
			to -= row * int64(p.Hex.Page())
		case "Home":
			to -= to % row
			if held.Ctrl {
				to = 0
			}
		case "End":
			to += row - 1 - to%row
			if held.Ctrl {
				to = p.Size - 1
			}
		default:
			done = false
			return
		}
		p.moveCaret(to)
	})
	return done
}

func (p *Preview) moveCaret(to int64) {
	p.Caret = max(min(to, p.Size-1), 0)
	p.Hex.Top = p.Hex.Reveal(int(p.Caret / int64(p.PerRow)))
	p.ar.platform.ScrollTo("hex", p.Hex.Top)
	p.fillHex()
}

// WheelHex moves a hex view whose scroll bar is scaled by whole rows.
func (p *Preview) WheelHex(rows int) {
	p.ar.update(func() {
		s := p.Hex.scale()
		p.Hex.Top = min(max(p.Hex.Top+float64(rows)*p.Hex.Row/s, 0), max(p.Hex.Spacer()-p.Hex.Height, 0))
		p.ar.platform.ScrollTo("hex", p.Hex.Top)
		p.fillHex()
	})
}

// SetGoto takes the offset that is being typed: decimal, or hex with 0x before or h after it.
func (p *Preview) SetGoto(text string) {
	p.ar.update(func() {
		p.Goto = text
		_, ok := ParseOffset(text)
		p.BadOff = text != "" && !ok
	})
}

// GoToOffset moves the caret to the offset that was typed.
func (p *Preview) GoToOffset() {
	p.ar.update(func() {
		off, ok := ParseOffset(p.Goto)
		if !ok || off >= p.Size {
			p.BadOff = true
			return
		}
		p.moveCaret(off)
		p.ar.platform.Focus("hex")
	})
}

// ParseOffset reads an offset.
func ParseOffset(s string) (int64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	base := int64(10)
	if t, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = t, 16
	} else if t, ok := strings.CutSuffix(s, "h"); ok {
		s, base = t, 16
	}
	if s == "" {
		return 0, false
	}
	var n int64
	for _, c := range s {
		d := int64(strings.IndexRune("0123456789abcdef", c))
		if d < 0 || d >= base || n > 1<<58 {
			return 0, false
		}
		n = n*base + d
	}
	return n, true
}
