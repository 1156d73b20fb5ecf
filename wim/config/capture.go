package config

import (
	"fmt"
	"strings"
	"wimscope/wim/ntname"
)

// maxWarnings is how many warnings a configuration keeps.
const maxWarnings = 100

// Capture is a configuration list such as WimScript.ini: which files of a folder to leave out when it is captured,
// not to pack, and more.
//
// A pattern that begins with a slash or backslash is a path from the captured folder; any other is compared with names
// in every folder, or with the ends of paths if it has separators. * stands for any number of characters of a name, ?
// for one. What is below a folder that matches matches too. Case is ignored, unless Exact is set.
type Capture struct {
	Exclusion            []string // [ExclusionList]: left out
	Exception            []string // [ExclusionException]: not left out all the same, nor the folders that lead there
	CompressionExclusion []string // [CompressionExclusionList]: stored without being packed
	CompressionFolder    []string // [CompressionFolderList]: packed all the same
	Prepopulate          []string // [PrepopulateList]: files that WIMBoot puts on the disk in full
	Exact                bool     // upper and lower case are not the same; wimlib has it so but on Windows
	Warnings             []string // what was passed over in the file

	// Compiled when first asked for, with Exact as it is then.
	exclusion, exception, raw, packed, prepopulate *patternList
}

// Error is a line of a text that cannot be followed.
type Error struct {
	Line int // from 1
	Text string
	Err  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("wim: line %d: %q: %s", e.Line, e.Text, e.Err)
}

// DefaultCapture is what wimlib's manual documents as the default: files of Windows that belong to the running
// system alone.
func DefaultCapture() *Capture {
	return &Capture{Exclusion: []string{
		`/$ntfs.log`, `/hiberfil.sys`, `/pagefile.sys`, `/swapfile.sys`, `/System Volume Information`, `/RECYCLER`,
		`/$RECYCLE.BIN`, `/$Recycle.Bin`, `/Windows/CSC`,
	}}
}

// ParseCapture reads a configuration list: UTF-8, or UTF-16 in either order, with a byte order mark or without.
// Sections that are not known, and lines before the first, become warnings.
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
				c.warnf("line %d: section %s is not known", number, line)
			}
			continue
		}
		if list == nil {
			continue // of an unknown section
		}
		if list == none {
			c.warnf("line %d: %s stands before the first section", number, line)
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
			c.warnf("line %d: the drive letter of %s does not count", number, line)
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

// cleanPattern turns separators into slashes, one at a time, takes off a drive letter and a slash at the end.
func cleanPattern(s string) (pattern string, drive bool, err string) {
	s = strings.ReplaceAll(s, `\`, "/")
	if len(s) >= 2 && s[1] == ':' && (s[0]|0x20)-'a' < 26 {
		if len(s) == 2 || s[2] != '/' {
			return "", true, "a path behind a drive letter begins with a backslash"
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

// String writes the configuration as a file that ParseCapture reads.
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

// Excludes says that what has this path from the captured folder, separated by slashes, is left out, with all below it.
// The folder itself, with the path "", never is.
func (c *Capture) Excludes(path string) bool { return c.ExcludesSteps(patternSteps(path)) }

func (c *Capture) ExcludesSteps(steps [][]byte) bool {
	return c != nil && len(c.Exclusion) > 0 && len(steps) > 0 && c.compiled(&c.exclusion, c.Exclusion).match(steps, false) &&
		!c.compiled(&c.exception, c.Exception).match(steps, true)
}

// Unpacked says that a file's content is to be stored without being packed.
func (c *Capture) Unpacked(path string) bool { return c.UnpackedSteps(patternSteps(path)) }

func (c *Capture) UnpackedSteps(steps [][]byte) bool {
	return c != nil && len(c.CompressionExclusion) > 0 && c.compiled(&c.raw, c.CompressionExclusion).matchBelow(steps) &&
		!c.compiled(&c.packed, c.CompressionFolder).matchBelow(steps)
}

// Prepopulates says that WIMBoot puts a file on the disk in full.
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

// patternList is patterns of paths, made ready.
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

// patternSteps gives the stored names of a path.
func patternSteps(path string) [][]byte {
	var steps [][]byte
	for step := range strings.SplitSeq(path, "/") {
		if step != "" {
			steps = append(steps, ntname.RawBytes(ntname.Stored(step)))
		}
	}
	return steps
}

// match says that a path matches a pattern, or is below what does by a pattern from the root; with ancestors, also that
// it leads to what a pattern from the root may match.
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

// matchBelow says that a path matches, or is below what does.
func (l *patternList) matchBelow(path [][]byte) bool {
	for n := len(path); n > 0; n-- {
		if l.match(path[:n], false) {
			return true
		}
	}
	return false
}

// run compares names with the first of a pattern's steps.
func (p *pathPattern) run(names [][]byte) bool {
	for i, name := range names {
		if !p.steps[i].Match(name) {
			return false
		}
	}
	return true
}
