package state

import (
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

	raw    string
	loaded int // bytes of text asked for
	pages  map[int64][]byte
	order  []int64
	asked  map[int64]bool
	serial int
}

// OpenPreview shows the inspected file, or one of its streams. Mode "" is the one that fits it best.
func (a *App) OpenPreview(stream string, mode Mode) {
	a.update(func() { a.preview(stream, mode) })
}

func (a *App) preview(stream string, mode Mode) {
	ar := a.Archive
	f := &ar.Files
	row, ok := f.List.Row(f.List.Cursor)
	if !ok || row.Dir && stream == "" {
		return
	}
	p := &f.Preview
	p.release(a.platform)
	serial := p.serial + 1
	*p = Preview{Open: true, Image: f.Image, Node: row.Node, Name: row.Name, Stream: stream, Size: row.Size, Loading: true,
		PerRow: 16, serial: serial, Text: Viewport{Row: HexRow, Height: 600}, Hex: Viewport{Row: HexRow, Height: 600},
		pages: map[int64][]byte{}, asked: map[int64]bool{}}
	if a.Narrow() {
		p.PerRow = 8
	}
	a.say(a.T("preview.opened", row.Name))
	req := protocol.ReadRequest{Image: p.Image, Node: p.Node, Stream: stream, Len: textStep, Want: "text"}
	p.loaded = textStep
	go func() {
		rep, _, err := ar.Session.Read(ar.ctx, req)
		a.update(func() {
			if a.Archive != ar || p.serial != serial {
				return
			}
			p.Loading = false
			if err != nil {
				p.Problem = a.problem(ar, err, row.Name)
				return
			}
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
			for _, m := range p.Modes {
				if m == mode {
					best = m
				}
			}
			a.setMode(best)
			switch best {
			case ModeHex:
				a.platform.Focus("hex")
			case ModeText, ModeXML:
				a.platform.Focus("text")
			default:
				a.platform.Focus("preview")
			}
		})
	}()
}

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
func (a *App) SetMode(m Mode) { a.update(func() { a.setMode(m) }) }

func (a *App) setMode(m Mode) {
	p := &a.Archive.Files.Preview
	p.Mode = m
	switch m {
	case ModeHex:
		a.fillHex()
		a.platform.ScrollTo("hex", p.Hex.Top)
	case ModePicture:
		a.loadPicture()
	case ModeText, ModeXML:
		p.layText()
		p.Text.Top = 0
		a.platform.ScrollTo("text", 0)
	}
}

// MoreText loads as much of a long text as one reply holds. What is beyond it, the hex view shows.
func (a *App) MoreText() {
	a.update(func() {
		ar := a.Archive
		p := &ar.Files.Preview
		p.loaded, p.Loading = textLimit, true
		serial := p.serial
		req := protocol.ReadRequest{Image: p.Image, Node: p.Node, Stream: p.Stream, Len: textLimit, Want: "text"}
		go func() {
			rep, _, err := ar.Session.Read(ar.ctx, req)
			a.update(func() {
				if a.Archive != ar || p.serial != serial {
					return
				}
				p.Loading = false
				if err != nil {
					p.Problem = a.problem(ar, err, p.Name)
					return
				}
				p.setText(rep.Text)
			})
		}()
	})
}

func (a *App) loadPicture() {
	ar := a.Archive
	p := &ar.Files.Preview
	if p.URL != "" || p.Loading {
		return
	}
	p.Loading = true
	serial := p.serial
	go func() {
		data := make([]byte, 0, p.Size)
		var err error
		for int64(len(data)) < p.Size && err == nil {
			var b []byte
			_, b, err = ar.Session.Read(ar.ctx, protocol.ReadRequest{Image: p.Image, Node: p.Node, Stream: p.Stream,
				Off: int64(len(data)), Len: int(min(4<<20, p.Size-int64(len(data))))})
			if err == nil && len(b) == 0 {
				err = &protocol.Error{Code: protocol.CodeInternal, Message: "the file ended early"}
			}
			data = append(data, b...)
		}
		a.update(func() {
			if a.Archive != ar || p.serial != serial {
				return
			}
			p.Loading = false
			if err != nil {
				p.Problem = a.problem(ar, err, p.Name)
				return
			}
			p.URL = a.platform.ObjectURL(data, p.MIME)
		})
	}()
}

// release gives back what a preview holds of the browser.
func (p *Preview) release(pl Platform) {
	if p.URL != "" {
		pl.RevokeURL(p.URL)
	}
	serial := p.serial + 1
	*p = Preview{serial: serial}
}

// ClosePreview shows the list again.
func (a *App) ClosePreview() {
	a.update(func() {
		if a.Archive != nil && a.Archive.Files.Preview.Open {
			a.closePreview()
			a.platform.Focus("list")
		}
	})
}

func (a *App) closePreview() { a.Archive.Files.Preview.release(a.platform) }

// TextScrolled tells where the text is scrolled to.
func (a *App) TextScrolled(top, height float64) {
	a.update(func() {
		if a.Archive != nil {
			p := &a.Archive.Files.Preview
			p.Text.Top, p.Text.Height = top, height
		}
	})
}

// HexScrolled tells where the hex view is scrolled to.
func (a *App) HexScrolled(top, height float64) {
	a.update(func() {
		if a.Archive != nil && a.Archive.Files.Preview.Open {
			p := &a.Archive.Files.Preview
			p.Hex.Top, p.Hex.Height = top, height
			a.fillHex()
		}
	})
}

func (a *App) fillHex() {
	ar := a.Archive
	p := &ar.Files.Preview
	from, to := p.Hex.Range()
	last := min(int64(to)*int64(p.PerRow), p.Size)
	for page := int64(from) * int64(p.PerRow) / hexPage; page*hexPage < last; page++ {
		if _, ok := p.pages[page]; ok || p.asked[page] {
			continue
		}
		p.asked[page] = true
		serial := p.serial
		req := protocol.ReadRequest{Image: p.Image, Node: p.Node, Stream: p.Stream, Off: page * hexPage, Len: int(min(hexPage, p.Size-page*hexPage))}
		go func() {
			_, data, err := ar.Session.Read(ar.ctx, req)
			a.update(func() {
				if a.Archive != ar || p.serial != serial {
					return
				}
				delete(p.asked, page)
				if err != nil {
					p.Problem = a.problem(ar, err, p.Name)
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
func (a *App) HexKey(key string, held Keys) bool {
	if held.Alt {
		return false
	}
	done := true
	a.update(func() {
		p := &a.Archive.Files.Preview
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
		a.moveCaret(to)
	})
	return done
}

func (a *App) moveCaret(to int64) {
	p := &a.Archive.Files.Preview
	p.Caret = max(min(to, p.Size-1), 0)
	p.Hex.Top = p.Hex.Reveal(int(p.Caret / int64(p.PerRow)))
	a.platform.ScrollTo("hex", p.Hex.Top)
	a.fillHex()
}

// WheelHex moves a hex view whose scroll bar is scaled by whole rows.
func (a *App) WheelHex(rows int) {
	a.update(func() {
		p := &a.Archive.Files.Preview
		s := p.Hex.scale()
		p.Hex.Top = min(max(p.Hex.Top+float64(rows)*p.Hex.Row/s, 0), max(p.Hex.Spacer()-p.Hex.Height, 0))
		a.platform.ScrollTo("hex", p.Hex.Top)
		a.fillHex()
	})
}

// SetGoto takes the offset that is being typed: decimal, or hex with 0x before or h after it.
func (a *App) SetGoto(text string) {
	a.update(func() {
		p := &a.Archive.Files.Preview
		p.Goto = text
		_, ok := ParseOffset(text)
		p.BadOff = text != "" && !ok
	})
}

// GoToOffset moves the caret to the offset that was typed.
func (a *App) GoToOffset() {
	a.update(func() {
		p := &a.Archive.Files.Preview
		off, ok := ParseOffset(p.Goto)
		if !ok || off >= p.Size {
			p.BadOff = true
			return
		}
		a.moveCaret(off)
		a.platform.Focus("hex")
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
