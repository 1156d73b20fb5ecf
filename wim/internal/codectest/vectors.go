package codectest

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Case is one test vector. Parse describes its text.
type Case struct {
	Name  string
	Line  int // line of its name
	Steps []Step
	Want  []byte
	Error string // part of the text of the expected error; Want is then the output before the error
}

// Step is one line of a vector: a word and its arguments.
type Step struct {
	Word string
	Args []string
	Line int
}

// Parse reads test vectors. Each begins with its name in brackets; a # begins a comment. The lines after the name are steps, which
// the test of a codec runs, except for
//
//	want "text" 0d0a "ab"*3 00*100     the output, in pieces: quoted texts without blanks, or hex bytes
//	error text                         a part of the text of the error
func Parse(text string) ([]Case, error) {
	var cases []Case
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if strings.HasPrefix(fields[0], "[") {
			cases = append(cases, Case{Name: strings.Trim(strings.TrimSpace(line), "[]"), Line: i + 1})
			continue
		}
		if len(cases) == 0 {
			return nil, fmt.Errorf("line %d: no [name] before it", i+1)
		}
		c := &cases[len(cases)-1]
		switch fields[0] {
		case "want":
			for _, f := range fields[1:] {
				b, err := piece(f)
				if err != nil {
					return nil, fmt.Errorf("line %d: %w", i+1, err)
				}
				c.Want = append(c.Want, b...)
			}
		case "error":
			c.Error = strings.Join(fields[1:], " ")
		default:
			c.Steps = append(c.Steps, Step{fields[0], fields[1:], i + 1})
		}
	}
	return cases, nil
}

// piece reads "text" or hex, which *N repeats.
func piece(s string) ([]byte, error) {
	n := 1
	if i := strings.LastIndex(s, "*"); i > 0 {
		var err error
		if n, err = strconv.Atoi(s[i+1:]); err != nil {
			return nil, err
		}
		s = s[:i]
	}
	var b []byte
	if strings.HasPrefix(s, `"`) {
		text, err := strconv.Unquote(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s, err)
		}
		b = []byte(text)
	} else {
		var err error
		if b, err = hex.DecodeString(s); err != nil {
			return nil, err
		}
	}
	return []byte(strings.Repeat(string(b), n)), nil
}

// Put runs the steps that all codecs share, and reports whether s is one of them:
//
//	bits 101 0011       bits in the order of reading
//	bytes 05 ffff       bytes after the units fetched so far, each argument as in want
//	align               skip the rest of the current unit, or a whole one if no bit of it is written
//	cut 3               drop that many bytes from the end
func (s Step) Put(w *Writer) (bool, error) {
	switch s.Word {
	case "bits":
		for _, a := range s.Args {
			v, err := strconv.ParseUint(a, 2, 32)
			if err != nil {
				return true, err
			}
			w.Bits(uint32(v), len(a))
		}
	case "bytes":
		for _, a := range s.Args {
			b, err := piece(a)
			if err != nil {
				return true, err
			}
			w.Bytes(b...)
		}
	case "align":
		w.Align()
	case "cut":
		n, err := s.Int(0)
		if err != nil || n > len(w.Buf) {
			return true, fmt.Errorf("bad cut: %w", err)
		}
		w.Buf = w.Buf[:len(w.Buf)-n]
	default:
		return false, nil
	}
	return true, nil
}

// Int returns argument i as a number; see Number.
func (s Step) Int(i int) (int, error) {
	if i >= len(s.Args) {
		return 0, fmt.Errorf("line %d: %s: too few arguments", s.Line, s.Word)
	}
	return Number(s.Args[i])
}

// Number parses a number, decimal or with 0x, or a character in single quotes.
func Number(a string) (int, error) {
	if strings.HasPrefix(a, "'") {
		r, _, _, err := strconv.UnquoteChar(a[1:], '\'')
		return int(r), err
	}
	n, err := strconv.ParseInt(a, 0, 64)
	return int(n), err
}

// Lens sets code lengths from arguments like 'a':1 0x100:2 or 0-15:4 (a range).
func Lens(lens []uint8, args []string) error {
	for _, a := range args {
		colon := strings.LastIndex(a, ":")
		if colon < 0 {
			return fmt.Errorf("%s: not symbol:length", a)
		}
		from, to, isRange := strings.Cut(a[:colon], "-")
		lo, err := Number(from)
		if err != nil {
			return err
		}
		hi := lo
		if isRange {
			if hi, err = Number(to); err != nil {
				return err
			}
		}
		l, err := Number(a[colon+1:])
		if err != nil {
			return err
		}
		if lo < 0 || hi >= len(lens) {
			return fmt.Errorf("%s: symbol out of range", a)
		}
		for s := lo; s <= hi; s++ {
			lens[s] = uint8(l)
		}
	}
	return nil
}
