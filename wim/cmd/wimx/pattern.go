package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"
)

// cleanPath gives the names along a path into an image: either slash separates, leading and repeated ones do not count.
func cleanPath(p string) []string {
	return strings.FieldsFunc(p, func(r rune) bool { return r == '/' || r == '\\' })
}

// hasGlob reports whether a path has wildcards.
func hasGlob(p string) bool { return strings.ContainsAny(p, "*?") }

// matchName matches one name against a pattern with * (any run of characters) and ? (one). fold ignores case.
// Time is at most len(pattern)*len(name).
func matchName(pattern, name string, fold bool) bool {
	if fold {
		pattern, name = strings.ToUpper(pattern), strings.ToUpper(name)
	}
	p, n := []rune(pattern), []rune(name)
	star, back := -1, 0
	i, j := 0, 0
	for j < len(n) {
		switch {
		case i < len(p) && p[i] == '*':
			star, back = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == n[j]):
			i++
			j++
		case star >= 0:
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// listFile reads the paths of a list file, one a line; "-" is standard input. It may be UTF-8, or UTF-16LE with a
// byte order mark. Blanks around a path, empty lines and lines that begin with ; or # do not count.
func (t *tool) listFile(name string) ([]string, error) {
	var b []byte
	var err error
	if name == "-" {
		b, err = io.ReadAll(t.stdin)
	} else {
		b, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, coded(exitOpen, err)
	}
	text := string(b)
	if len(b) >= 2 && b[0] == 0xFF && b[1] == 0xFE {
		units := make([]uint16, 0, len(b)/2)
		for i := 2; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i])|uint16(b[i+1])<<8)
		}
		text = string(utf16.Decode(units))
	}
	var out []string
	for line := range strings.Lines(strings.TrimPrefix(text, "\uFEFF")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == ';' || line[0] == '#' {
			continue
		}
		if len(line) >= 2 && (line[0] == '"' || line[0] == '\'') && line[len(line)-1] == line[0] {
			line = line[1 : len(line)-1]
		}
		out = append(out, line)
	}
	return out, nil
}

// ignoreCase says whether paths are matched ignoring case: as the environment says, or as the system does.
func ignoreCase(byDefault bool) (bool, error) {
	switch v := os.Getenv("WIMLIB_IMAGEX_IGNORE_CASE"); strings.ToLower(v) {
	case "":
		return byDefault, nil
	case "no", "0":
		return false, nil
	case "yes", "1":
		return true, nil
	default:
		return false, usageError{fmt.Sprintf("WIMLIB_IMAGEX_IGNORE_CASE is %q; it may be \"yes\", \"no\", \"0\" or \"1\"", v)}
	}
}
