package state

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// Problem is an error as the page shows it: a title, the cause, what to do, and details to copy.
type Problem struct {
	Err  *protocol.Error
	Name string // of the file concerned, "" if none
}

// NewProblem returns the Problem of an error.
func NewProblem(e *protocol.Error, name string) *Problem { return &Problem{Err: e, Name: name} }

// problem returns the Problem of an error while reading the archive. Entry is the entry that was read, "" for the
// archive itself. A problem with a file on disk names that file, whatever was read from it.
func (o *opened) problem(err error, entry string) *Problem {
	e := protocol.AsError(err)
	name := e.Name
	switch e.Code {
	case protocol.CodeMissingBlob, protocol.CodeTooLarge, protocol.CodeNotFound, protocol.CodeChecksum:
		if entry != "" {
			name = entry
		}
	}
	if name == "" {
		name = o.Info.Name
	}
	p := NewProblem(e, name)
	o.checkChanged(p, o.Parts, o.Refs)
	return p
}

// checkChanged looks at a file that changed while open, if the browser allows it, and adds to p whether it is gone, cut
// or replaced.
func (h *host) checkChanged(p *Problem, lists ...[]File) {
	if p.Err.Code != protocol.CodeChanged || p.Err.Record == protocol.FileGone {
		return
	}
	for _, f := range slices.Concat(lists...) {
		if f.Name != p.Name || f.Handle == nil {
			continue
		}
		go func() {
			now, err := h.platform.FileOf(f.Handle)
			became := protocol.FileReplaced
			switch {
			case err != nil && protocol.AsError(err).Code == protocol.CodeChanged:
				became = protocol.FileGone
			case err != nil, now.Size == f.Size && now.Modified == f.Modified:
				return // nothing more is known
			case now.Size < f.Size:
				became = protocol.FileCut
			}
			h.update(func() {
				e := *p.Err
				e.Record = became
				p.Err = &e
			})
		}()
		return
	}
}

// codes lists the codes that have messages of their own: error.<code>.title, .cause and .todo.
var codes = map[protocol.Code]bool{
	protocol.CodeNotWIM: true, protocol.CodeOldVersion: true, protocol.CodeTruncated: true, protocol.CodeFormat: true,
	protocol.CodeChecksum: true, protocol.CodeMissingPart: true, protocol.CodeWrongPart: true, protocol.CodeMissingBlob: true,
	protocol.CodeEncrypted: true, protocol.CodeUnsupported: true, protocol.CodeTooLarge: true, protocol.CodeNotFound: true,
	protocol.CodeChanged: true, protocol.CodePermission: true, protocol.CodeNoSpace: true, protocol.CodeBlocked: true,
	protocol.CodeCancelled: true, protocol.CodeCrashed: true, protocol.CodeInternal: true, protocol.CodeBadRequest: true,
	protocol.CodeName: true, protocol.CodeBrowser: true, protocol.CodeRefused: true,
}

func (p *Problem) key(what string) string {
	code := p.Err.Code
	if !codes[code] {
		code = protocol.CodeInternal
	}
	key := "error." + string(code) + "." + what
	if code == protocol.CodeChanged && slices.Contains([]string{protocol.FileGone, protocol.FileCut, protocol.FileReplaced}, p.Err.Record) {
		key += "-" + p.Err.Record
	}
	return key
}

// TitleKey returns the key of the title. The messages of TitleKey, CauseKey and TodoKey take Args.
func (p *Problem) TitleKey() string { return p.key("title") }

// CauseKey returns the key of the cause.
func (p *Problem) CauseKey() string {
	switch {
	case p.Err.Code == protocol.CodeTruncated && p.Err.Missing == 0:
		return "error.truncated.cause-open"
	case p.inStore() && p.Err.Need > 0:
		return "error.no-space.cause-room"
	case p.inStore():
		return "error.no-space.cause-store"
	}
	return p.key("cause")
}

// TodoKey returns the key of what to do.
func (p *Problem) TodoKey() string {
	if p.inStore() {
		return "error.no-space.todo-store"
	}
	return p.key("todo")
}

func (p *Problem) inStore() bool {
	return p.Err.Code == protocol.CodeNoSpace && p.Err.Record == protocol.InStore
}

// GuessKey returns the key of what a file that is not a WIM seems to be.
func (p *Problem) GuessKey() string {
	if slices.Contains(protocol.FileKinds(), p.Err.Guess) {
		return "guess." + string(p.Err.Guess)
	}
	return "guess.unknown"
}

// Args returns the arguments of the messages: 0 the file's name; 1 a size, a version, a part number or a record; 2 the
// number of parts or another size; 3 the name of a missing part; 4 the numbers of all missing parts.
func (p *Problem) Args() []any {
	args := []any{p.Name, "", 0, "", ""}
	switch p.Err.Code {
	case protocol.CodeTruncated:
		args[1] = words.Size(p.Err.Missing)
	case protocol.CodeOldVersion:
		args[1] = p.Err.Version
	case protocol.CodeMissingPart:
		args[2] = p.Err.Total
		if len(p.Err.Numbers) > 0 {
			args[1] = p.Err.Numbers[0]
			args[3] = partName(nil, firstPart(p.Name), p.Err.Numbers[0])
		}
		args[4] = numbers(p.Err.Numbers)
	case protocol.CodeFormat:
		args[1] = p.Err.Record
	case protocol.CodeNoSpace:
		args[1], args[2] = words.Size(p.Err.Need), words.Size(p.Err.Room)
	}
	if args[0] == "" {
		args[0] = "-"
	}
	return args
}

// firstPart guesses the name of part 1 from that of another: install.swm from install3.swm.
func firstPart(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return name
	}
	return strings.TrimRight(name[:i], "0123456789") + name[i:]
}

func numbers(list []int) string {
	s := make([]string, len(list))
	for i, n := range list {
		s[i] = strconv.Itoa(n)
	}
	return strings.Join(s, ", ")
}

// First returns the first bytes of a file that is not a WIM, as hex and as text.
func (p *Problem) First() string {
	b := p.Err.First
	if len(b) == 0 {
		return ""
	}
	text := make([]byte, len(b))
	for i, c := range b {
		if c < 0x20 || c > 0x7e {
			c = '.'
		}
		text[i] = c
	}
	var h strings.Builder
	for i := range b {
		if i > 0 {
			h.WriteByte(' ')
		}
		h.WriteString(hex.EncodeToString(b[i : i+1]))
	}
	return h.String() + "  " + string(text)
}

// Details returns the text to copy.
func (p *Problem) Details() string {
	var b strings.Builder
	b.WriteString("code: " + string(p.Err.Code) + "\n")
	if p.Name != "" {
		b.WriteString("file: " + p.Name + "\n")
	}
	if p.Err.Record != "" {
		b.WriteString("record: " + p.Err.Record + " at " + words.Hex(p.Err.Off) + "\n")
	}
	if f := p.First(); f != "" {
		b.WriteString("first bytes: " + f + "\n")
	}
	b.WriteString("message: " + p.Err.Message + "\n")
	return b.String()
}
