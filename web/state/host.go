package state

import (
	"sync"
	"time"

	"wimscope/web/words"
)

// host is what all parts of the model share: the lock, the browser, the catalogue and the messages to the user. Its
// unexported methods, except update, are called with the lock held.
type host struct {
	mu       sync.Mutex
	platform Platform
	words    *words.Catalogue
	show     func()

	Caps         Caps
	Notes        []Note // on the page now
	Announcement string // text of the live region

	width      float64 // of the window, in CSS pixels
	noteSerial int
}

// Note is a message that disappears after some seconds.
type Note struct {
	ID   int
	Text string
	Bad  bool
}

// noteTime is how long a note stays.
const noteTime = 6 * time.Second

// Read calls f while nothing changes the model.
func (h *host) Read(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// update calls f, which changes the model, under the lock and requests a rendering.
func (h *host) update(f func()) {
	h.mu.Lock()
	f()
	h.mu.Unlock()
	h.show()
}

// T returns the message of key. It needs no lock.
func (h *host) T(key string, args ...any) string { return h.words.T(key, args...) }

// Words returns the catalogue.
func (h *host) Words() *words.Catalogue { return h.words }

// announce puts the message of key into the live region, which screen readers read out.
func (h *host) announce(key string, args ...any) { h.Announcement = h.T(key, args...) }

// note shows and announces text.
func (h *host) note(text string, bad bool) {
	h.noteSerial++
	id := h.noteSerial
	h.Notes = append(h.Notes, Note{ID: id, Text: text, Bad: bad})
	h.Announcement = text
	time.AfterFunc(noteTime, func() { h.DismissNote(id) })
}

// DismissNote removes a note.
func (h *host) DismissNote(id int) {
	h.update(func() {
		for i := range h.Notes {
			if h.Notes[i].ID == id {
				h.Notes = append(h.Notes[:i:i], h.Notes[i+1:]...)
				return
			}
		}
	})
}

// Narrow reports whether the window has space for one pane only.
func (h *host) Narrow() bool { return h.width < 720 }

// The height of a row of a list or tree, in CSS pixels, for a mouse and for a finger.
const (
	RowHeight   = 26
	TouchHeight = 44
)

// rowHeight returns the row height for this browser.
func (h *host) rowHeight() float64 {
	if h.Caps.Coarse {
		return TouchHeight
	}
	return RowHeight
}
