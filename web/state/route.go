package state

import (
	"strconv"
	"strings"
)

// Tab is one of an archive's screens.
type Tab string

const (
	TabFiles   Tab = "files"
	TabImages  Tab = "images"
	TabVerify  Tab = "verify"
	TabDetails Tab = "details"
	TabSearch  Tab = "search" // the search results, which have no tab
)

// tabs are the tabs in their order.
var tabs = [...]Tab{TabFiles, TabImages, TabVerify, TabDetails}

// Tabs returns the tabs in their order.
func Tabs() []Tab { return tabs[:] }

// Route is a place on the page: the part of its address after the #. The zero Route is the start screen.
type Route struct {
	ID    string // of an archive; "" is the start screen
	Tab   Tab
	Image int    // Files: from 1; 0 is the default, see Files.goTo
	Path  string // Files: of a folder or file, as in /Windows/notepad.exe
	Query string // Search
}

// ParseRoute parses the part of an address after the #. What it does not understand leads to the start screen, or to the
// Files tab.
func ParseRoute(hash string) Route {
	hash = strings.TrimPrefix(hash, "#")
	path, query, _ := strings.Cut(hash, "?")
	step := strings.Split(strings.Trim(path, "/"), "/")
	if len(step) < 2 || step[0] != "a" || step[1] == "" {
		return Route{}
	}
	id, ok := unescape(step[1], false)
	if !ok {
		return Route{}
	}
	r := Route{ID: id, Tab: TabFiles}
	if len(step) > 2 {
		switch t := Tab(step[2]); t {
		case TabImages, TabVerify, TabDetails, TabSearch:
			r.Tab = t
		}
	}
	for pair := range strings.SplitSeq(query, "&") {
		key, v, _ := strings.Cut(pair, "=")
		v, ok := unescape(v, true)
		switch {
		case !ok:
		case r.Tab == TabFiles && key == "img":
			if n, err := strconv.Atoi(v); err == nil && n > 0 {
				r.Image = n
			}
		case r.Tab == TabFiles && key == "path":
			r.Path = v
		case r.Tab == TabSearch && key == "q":
			r.Query = v
		}
	}
	return r
}

// String returns the route as ParseRoute reads it, with the #.
func (r Route) String() string {
	if r.ID == "" {
		return "#/"
	}
	s := "#/a/" + strings.ReplaceAll(escape(r.ID), "/", "%2F") + "/" + string(r.Tab)
	switch r.Tab {
	case TabFiles:
		sep := "?"
		if r.Image != 0 {
			s += sep + "img=" + strconv.Itoa(r.Image)
			sep = "&"
		}
		if r.Path != "" {
			s += sep + "path=" + escape(r.Path)
		}
	case TabSearch:
		s += "?q=" + escape(r.Query)
	}
	return s
}

// escape returns s with a space as + and all bytes as %XX that are not letters, digits or one of /-_.~. (net/url could
// do it, but would make the page's program a good deal larger.)
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("/-_.~", c) >= 0:
			b.WriteByte(c)
		case c == ' ':
			b.WriteByte('+')
		default:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// unescape reverses escape, and what browsers escape. If plus is set, a + is a space.
func unescape(s string, plus bool) (string, bool) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) {
				return "", false
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", false
			}
			b = append(b, byte(n))
			i += 2
		case c == '+' && plus:
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return string(b), true
}
