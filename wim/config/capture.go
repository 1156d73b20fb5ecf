package config

import (
	"fmt"
	"strings"

	"wimscope/wim/ntname"
)

// maxWarnings bounds the warnings that a configuration keeps.
const maxWarnings = 100

// Capture is a capture configuration such as WimScript.ini: which files of a folder to leave out, which to store
// uncompressed, and more.
//
// A pattern that begins with a slash or backslash is a path from the captured folder; any other is compared with names in
// every folder, or with the ends of paths if it has separators. * matches any number of characters of a name, ? exactly
// one. Everything in a matching folder matches too. Case is ignored unless Exact is set.
type Capture struct {
	Exclusion            []string // [ExclusionList]: left out
	Exception            []string // included nevertheless, as are the folders that lead there
	CompressionExclusion []string // stored uncompressed
	CompressionFolder    []string // compressed nevertheless
	Prepopulate          []string // files that WIMBoot writes to the disk in full
	Exact                bool     // case matters, as for wimlib on systems other than Windows
	Warnings             []string // what was ignored in the file

	// Compiled at the first use, with the value of Exact at that time.
	exclusion, exception, raw, packed, prepopulate *patternList
}

// Error reports a line that is malformed or names something unknown.
type Error struct {
	Line int // from 1
	Text string
	Err  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("wim: line %d: %q: %s", e.Line, e.Text, e.Err)
}

// DefaultCapture returns the default configuration from wimlib's manual: it excludes files that only the running Windows
// needs.
func DefaultCapture() *Capture {
	return &Capture{Exclusion: []string{
		`/$ntfs.log`, `/hiberfil.sys`, `/pagefile.sys`, `/swapfile.sys`, `/System Volume Information`, `/RECYCLER`,
		`/$RECYCLE.BIN`, `/$Recycle.Bin`, `/Windows/CSC`,
	}}
}

// ParseCapture reads a configuration. Unknown sections, and lines before the first section, become warnings.
func ParseCapture(b []byte) (*Capture, error) {
	text, err := decodeText(b)
	if err != nil {
		return nil, err
	}
	c := &Capture{}
	none := new([]string)
	list := none
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' && line[len(line)-1] == ']' {
			if list = c.section(line[1 : len(line)-1]); list == nil {
				c.warnf("line %d: unknown section %s", number, line)
			}
			continue
		}
		if list == nil {
			continue // in an unknown section
		}
		if list == none {
			c.warnf("line %d: %s precedes the first section", number, line)
			continue
		}
		if n := len(line); n >= 2 && (line[0] == '"' || line[0] == '\'') && line[n-1] == line[0] {
			line = line[1 : n-1]
		}
		pattern, drive, err := cleanPattern(line)
		if err != "" {
			return nil, &Error{number, line, err}
		}
		if drive {
			c.warnf("line %d: the drive letter of %s is ignored", number, line)
		}
		if pattern != "" {
			*list = append(*list, pattern)
		}
	}
	return c, nil
}

func (c *Capture) warnf(format string, args ...any) {
	if len(c.Warnings) < maxWarnings {
		c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
	}
}

func (c *Capture) section(name string) *[]string {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "exclusionlist":
		return &c.Exclusion
	case "exclusionexception":
		return &c.Exception
	case "compressionexclusionlist":
		return &c.CompressionExclusion
	case "compressionfolderlist":
		return &c.CompressionFolder
	case "prepopulatelist":
		return &c.Prepopulate
	}
	return nil
}

// cleanPattern turns separators into slashes, and removes a drive letter and a trailing slash.
func cleanPattern(s string) (pattern string, drive bool, err string) {
	s = strings.ReplaceAll(s, `\`, "/")
	if len(s) >= 2 && s[1] == ':' && (s[0]|0x20)-'a' < 26 {
		if len(s) == 2 || s[2] != '/' {
			return "", true, "a path after a drive letter must begin with a backslash"
		}
		s, drive = s[2:], true
	}
	steps := strings.FieldsFunc(s, func(r rune) bool { return r == '/' })
	pattern = strings.Join(steps, "/")
	if strings.HasPrefix(s, "/") {
		pattern = "/" + pattern
	}
	return pattern, drive, ""
}

// String returns the configuration as a text that ParseCapture reads.
func (c *Capture) String() string {
	var b strings.Builder
	section := func(name string, list []string) {
		if len(list) == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "[%s]\n", name)
		for _, p := range list {
			p = strings.ReplaceAll(p, "/", `\`)
			if strings.TrimSpace(p) != p || strings.ContainsAny(p[:1], `#;["'`) {
				p = `"` + p + `"`
			}
			b.WriteString(p + "\n")
		}
	}
	section("ExclusionList", c.Exclusion)
	section("ExclusionException", c.Exception)
	section("CompressionExclusionList", c.CompressionExclusion)
	section("CompressionFolderList", c.CompressionFolder)
	section("PrepopulateList", c.Prepopulate)
	return b.String()
}

// Excludes reports whether the file or folder at a path is left out, with everything below it. Paths are relative to the
// captured folder and have slashes. The captured folder itself, whose path is "", is never left out.
func (c *Capture) Excludes(path string) bool { return c.ExcludesSteps(patternSteps(path)) }

// ExcludesSteps is Excludes for a path that is given as stored names.
func (c *Capture) ExcludesSteps(steps [][]byte) bool {
	return c != nil && len(c.Exclusion) > 0 && len(steps) > 0 && c.compiled(&c.exclusion, c.Exclusion).match(steps, false) &&
		!c.compiled(&c.exception, c.Exception).match(steps, true)
}

// Unpacked reports whether a file is to be stored uncompressed.
func (c *Capture) Unpacked(path string) bool { return c.UnpackedSteps(patternSteps(path)) }

// UnpackedSteps is Unpacked for a path that is given as stored names.
func (c *Capture) UnpackedSteps(steps [][]byte) bool {
	return c != nil && len(c.CompressionExclusion) > 0 && c.compiled(&c.raw, c.CompressionExclusion).matchBelow(steps) &&
		!c.compiled(&c.packed, c.CompressionFolder).matchBelow(steps)
}

// Prepopulates reports whether WIMBoot writes the whole file to the disk.
func (c *Capture) Prepopulates(path string) bool {
	if c == nil || len(c.Prepopulate) == 0 {
		return false
	}
	return c.compiled(&c.prepopulate, c.Prepopulate).matchBelow(patternSteps(path))
}

func (c *Capture) compiled(at **patternList, list []string) *patternList {
	if *at == nil || (*at).fold == c.Exact || len((*at).patterns) != len(list) {
		*at = newPatternList(list, !c.Exact)
	}
	return *at
}

// patternList is a list of compiled patterns.
type patternList struct {
	patterns []pathPattern
	fold     bool
}

type pathPattern struct {
	steps    []ntname.Pattern
	anchored bool
}

func newPatternList(list []string, fold bool) *patternList {
	l := &patternList{fold: fold}
	for _, text := range list {
		rest, anchored := strings.CutPrefix(text, "/")
		p := pathPattern{anchored: anchored}
		for step := range strings.SplitSeq(rest, "/") {
			if step != "" {
				p.steps = append(p.steps, ntname.NewGlob(step, fold))
			}
		}
		l.patterns = append(l.patterns, p)
	}
	return l
}

// patternSteps splits a path into stored names.
func patternSteps(path string) [][]byte {
	var steps [][]byte
	for step := range strings.SplitSeq(path, "/") {
		if step != "" {
			steps = append(steps, ntname.RawBytes(ntname.Stored(step)))
		}
	}
	return steps
}

// match reports whether a path matches a pattern, or is below a match of a pattern that starts at the root. With ancestors,
// it also reports folders on the way to what such a pattern may match.
func (l *patternList) match(path [][]byte, ancestors bool) bool {
	for i := range l.patterns {
		p := &l.patterns[i]
		if !p.anchored {
			if n := len(path) - len(p.steps); n >= 0 && p.run(path[n:]) {
				return true
			}
			continue
		}
		if len(path) < len(p.steps) && !ancestors {
			continue
		}
		if p.run(path[:min(len(path), len(p.steps))]) {
			return true
		}
	}
	return false
}

// matchBelow reports whether a path matches or is below a match.
func (l *patternList) matchBelow(path [][]byte) bool {
	for n := len(path); n > 0; n-- {
		if l.match(path[:n], false) {
			return true
		}
	}
	return false
}

// run matches names with the first steps of a pattern.
func (p *pathPattern) run(names [][]byte) bool {
	for i, name := range names {
		if !p.steps[i].Match(name) {
			return false
		}
	}
	return true
}
