package state

import (
	"slices"
	"strings"

	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// Mode is how a file is shown.
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
)

// Preview shows the content of a file in place of the list.
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
	Widest  int      // bytes of the longest line
	Partial bool     // Lines is not the whole text
	Text    Viewport

	URL  string // ModePicture
	MIME string

	Hex Hex // ModeHex

	ar     *opened
	raw    string
	loaded int // bytes of text requested
	serial int
}

// open shows a file of an image, or one of its streams. Mode "" chooses the first that the content allows.
func (p *Preview) open(image int, row protocol.Row, stream string, mode Mode) {
	p.close()
	ar, serial := p.ar, p.serial
	*p = Preview{Open: true, Image: image, Node: row.Node, Name: row.Name, Stream: stream, Size: row.Size, Loading: true,
		Text: Viewport{Row: LineHeight, Height: 600}, Hex: p.Hex, ar: ar, serial: serial}
	ar.announce("preview.opened", row.Name)
	p.loadText(textStep, func(rep *protocol.ReadReply) {
		p.Size, p.Check = rep.Size, rep.Check
		p.Hex.setSize(rep.Size)
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

// close shows the list again and releases the picture.
func (p *Preview) close() {
	if p.URL != "" {
		p.ar.platform.RevokeURL(p.URL)
	}
	*p = Preview{Hex: newHex(p.ar, p.read), ar: p.ar, serial: p.serial + 1}
}

// Close shows the list again and moves the focus there.
func (p *Preview) Close() {
	p.ar.update(func() {
		if p.Open {
			p.close()
			p.ar.platform.Focus("list")
		}
	})
}

// loadText requests the first n bytes as text. Then is called within update with the reply; an error is shown.
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

// read requests n bytes at off. Done is called within update; if ok is false they could not be read, and why is shown.
func (p *Preview) read(off int64, n int, done func(data []byte, ok bool)) {
	serial := p.serial
	req := p.request(off, n)
	go func() {
		_, data, err := p.ar.Session.Read(p.ar.ctx, req)
		p.ar.update(func() {
			if p.serial != serial {
				return
			}
			if err != nil {
				p.fail(err)
			}
			done(data, err == nil)
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

// layText splits the text into lines, after indenting it in ModeXML.
func (p *Preview) layText() {
	s := p.raw
	if p.Mode == ModeXML {
		s = words.IndentXML(s)
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	p.Lines = strings.Split(s, "\n")
	p.Widest = 0
	for i, l := range p.Lines {
		// A line of megabytes would freeze the browser. The hex view shows the rest.
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

// SetMode shows the content in another mode.
func (p *Preview) SetMode(m Mode) { p.ar.update(func() { p.setMode(m) }) }

func (p *Preview) setMode(m Mode) {
	p.Mode = m
	switch m {
	case ModeHex:
		p.Hex.fill()
		p.ar.platform.ScrollTo("hex", p.Hex.View.Top)
	case ModePicture:
		p.loadPicture()
	case ModeText, ModeXML:
		p.layText()
		p.Text.Top = 0
		p.ar.platform.ScrollTo("text", 0)
	}
}

// MoreText loads as much of a long text as one reply holds. The hex view shows the rest.
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

// textScrolled sets the scroll position and the visible height of the text.
func (p *Preview) textScrolled(top, height float64) { p.Text.Top, p.Text.Height = top, height }
