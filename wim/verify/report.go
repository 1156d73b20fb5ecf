package verify

import (
	"fmt"
	"strings"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
)

// Report is the result of a verification. It can be written as JSON.
type Report struct {
	Name         string            `json:"name"` // of part 1
	OK           bool              `json:"ok"`   // Verdict is Good
	Verdict      Verdict           `json:"verdict"`
	Blobs        int               `json:"blobs"`
	Bytes        int64             `json:"bytes"` // number of bytes hashed
	Damaged      []Damage          `json:"damaged,omitempty"`
	Missing      []Missing         `json:"missing,omitempty"`
	Images       []ImageProblem    `json:"images,omitempty"`
	Losses       []wim.Loss        `json:"losses,omitempty"` // the first wim.MaxLosses
	LossesN      int               `json:"lossesN,omitempty"`
	Integrity    []IntegrityReport `json:"integrity"`
	RefCounts    []WrongRefCount   `json:"refCounts,omitempty"`
	Unused       []UnusedRange     `json:"unused,omitempty"`
	UnusedBytes  int64             `json:"unusedBytes"`
	PathsLeftOff int               `json:"pathsLeftOff,omitempty"` // number of uses that are counted but not listed, to limit memory
	MissingParts []int             `json:"missingParts,omitempty"`
	TotalParts   int               `json:"totalParts"`
	Warnings     []string          `json:"warnings,omitempty"`
}

// Damage is a damaged blob or metadata resource, with everything that uses it.
type Damage struct {
	Kind  string      `json:"kind"` // "blob" or "metadata"
	Hash  format.Hash `json:"hash"` // the expected hash
	Size  int64       `json:"size"`
	Part  int         `json:"part"` // index into Store.Parts
	Name  string      `json:"name"` // of the part
	Off   int64       `json:"off"`  // the damaged range of the part, as exactly as known
	Len   int64       `json:"len"`
	Lost  int64       `json:"lost,omitempty"` // bytes that cannot be unpacked; 0 if only the hash is wrong
	Error string      `json:"error"`
	Count int         `json:"count"`          // number of uses
	Uses  []Use       `json:"uses,omitempty"` // every path in every image; for metadata, the images
}

// Use is a stream, or an image's metadata, that uses a blob.
type Use struct {
	Image   int    `json:"image"`
	Path    string `json:"path,omitempty"`
	Stream  string `json:"stream,omitempty"` // a named stream
	Reparse bool   `json:"reparse,omitempty"`
}

func (u Use) String() string {
	s := fmt.Sprintf("image %d: %s", u.Image, u.Path)
	if u.Stream != "" {
		s += ":" + u.Stream
	}
	if u.Reparse {
		s += " (reparse data)"
	}
	return s
}

// Missing is a blob that images need and no open file holds.
type Missing struct {
	Hash  format.Hash `json:"hash"`
	Count int         `json:"count"`
	Uses  []Use       `json:"uses,omitempty"`
}

// ImageProblem is an image whose tree cannot be read although its metadata has the right hash.
type ImageProblem struct {
	Image int    `json:"image"`
	Error string `json:"error"`
}

// IntegrityReport is the result of checking a part's integrity table.
type IntegrityReport struct {
	Part      int        `json:"part"`
	Name      string     `json:"name"`
	State     string     `json:"state"` // "ok", "bad", "none", "unreadable"
	Blocks    int        `json:"blocks,omitempty"`
	BlockSize int64      `json:"blockSize,omitempty"`
	Bad       []BadBlock `json:"bad,omitempty"`
}

// BadBlock is a block whose hash differs from the integrity table.
type BadBlock struct {
	Block int   `json:"block"` // from 0
	Off   int64 `json:"off"`
	Len   int64 `json:"len"`
}

// WrongRefCount is a blob that images use more or less often than the blob table records.
type WrongRefCount struct {
	Hash   format.Hash `json:"hash"`
	Stored uint32      `json:"stored"`
	Used   uint32      `json:"used"`
}

// UnusedRange is a range of bytes to which no structure refers.
type UnusedRange struct {
	Part int    `json:"part"`
	Name string `json:"name"`
	Off  int64  `json:"off"`
	Len  int64  `json:"len"`
}

// Verdict is the result of a verification.
type Verdict string

const (
	// Good: everything that the images need is present and sound. Reference counts and unused bytes do not matter. Nor does a missing
	// part if references hold its blobs or no image needs them.
	Good Verdict = "good"
	// Incomplete: what is present is sound, but blobs, names, or a structure are missing.
	Incomplete Verdict = "incomplete"
	// Damaged: something that is present is wrong. The archive may be incomplete as well.
	Damaged Verdict = "damaged"
)

// lose adds n losses, of which list holds the first.
func (r *Report) lose(list []wim.Loss, n int) {
	r.LossesN += n
	r.Losses = append(r.Losses, list[:min(len(list), wim.MaxLosses-len(r.Losses))]...)
}

// Sound reports whether everything that is present is sound, even if something is missing.
func (r *Report) Sound() bool {
	for i := range r.Integrity {
		if s := r.Integrity[i].State; s != "ok" && s != "none" {
			return false
		}
	}
	return len(r.Damaged) == 0 && len(r.Images) == 0
}

// judge sets Verdict and OK.
func (r *Report) judge() {
	damaged := len(r.Damaged) > 0 || len(r.Images) > 0
	for i := range r.Integrity {
		damaged = damaged || r.Integrity[i].State == "bad"
	}
	switch {
	case damaged:
		r.Verdict = Damaged
	case len(r.Missing) > 0 || r.LossesN > 0:
		r.Verdict = Incomplete
	default:
		r.Verdict = Good
	}
	r.OK = r.Verdict == Good
}

// Summary returns the verdict in one line, with the most serious fault and its place.
func (r *Report) Summary() string {
	first, n := r.faults()
	s := fmt.Sprintf("%s: %s", r.Name, r.Verdict)
	if n > 0 {
		s += ": " + first
	}
	if n > 1 {
		s += fmt.Sprintf("; and %d more", n-1)
	}
	return s
}

// faults returns the most serious fault because of which the archive is not good, and the number of such faults.
func (r *Report) faults() (first string, n int) {
	add := func(count int, text func() string) {
		if n += count; first == "" && count > 0 {
			first = text()
		}
	}
	use := func(uses []Use) string {
		if len(uses) == 0 {
			return ""
		}
		return ", used by " + uses[0].String()
	}
	add(len(r.Damaged), func() string {
		d := &r.Damaged[0]
		return fmt.Sprintf("%s %v at 0x%x of %s: %s%s", d.Kind, d.Hash, d.Off, d.Name, d.Error, use(d.Uses))
	})
	add(len(r.Images), func() string { return fmt.Sprintf("image %d cannot be read: %s", r.Images[0].Image, r.Images[0].Error) })
	for i := range r.Integrity {
		t := &r.Integrity[i]
		add(len(t.Bad), func() string {
			return fmt.Sprintf("block %d of the integrity table of %s, at 0x%x, does not match", t.Bad[0].Block, t.Name, t.Bad[0].Off)
		})
	}
	add(r.LossesN, func() string {
		l := r.Losses[0]
		if l.Part == r.Name {
			l.Part = "" // the line begins with it
		}
		return l.String()
	})
	add(len(r.Missing), func() string {
		return fmt.Sprintf("blob %v not found in any open file%s", r.Missing[0].Hash, use(r.Missing[0].Uses))
	})
	return first, n
}

// Text returns the report as text. Its first line is the Summary.
func (r *Report) Text() string {
	var b strings.Builder
	line := func(text string, args ...any) { fmt.Fprintf(&b, text+"\n", args...) }
	line("%s", r.Summary())
	line("")
	line("Blobs and metadata resources checked: %d, %d bytes", r.Blobs, r.Bytes)
	line("Damaged: %d", len(r.Damaged))
	line("Missing: %d", len(r.Missing))
	line("Other losses: %d", r.LossesN)
	for _, t := range r.Integrity {
		switch t.State {
		case "none":
			line("Integrity table of %s: none", t.Name)
		case "unreadable":
			line("Integrity table of %s: unreadable", t.Name)
		default:
			line("Integrity table of %s: %d of %d blocks do not match", t.Name, len(t.Bad), t.Blocks)
		}
	}
	line("Unused bytes: %d", r.UnusedBytes)
	line("Wrong reference counts: %d", len(r.RefCounts))
	if len(r.MissingParts) > 0 {
		line("Missing parts, of %d: %s", r.TotalParts, blobs.NumberList(r.MissingParts))
	}
	if r.PathsLeftOff > 0 {
		line("Paths omitted below: %d", r.PathsLeftOff)
	}
	for _, d := range r.Damaged {
		line("")
		line("Damaged %s %v, %d bytes", d.Kind, d.Hash, d.Size)
		line("  at: %s, 0x%x, %d bytes", d.Name, d.Off, d.Len)
		line("  error: %s", d.Error)
		if d.Lost > 0 {
			line("  lost: %d bytes", d.Lost)
		}
		useLines(&b, d.Uses, d.Count)
	}
	for _, t := range r.Integrity {
		for _, x := range t.Bad {
			line("")
			line("Bad block %d of %s: 0x%x, %d bytes", x.Block, t.Name, x.Off, x.Len)
		}
	}
	for _, m := range r.Missing {
		line("")
		line("Missing blob %v", m.Hash)
		useLines(&b, m.Uses, m.Count)
	}
	for _, p := range r.Images {
		line("")
		line("Image %d cannot be read: %s", p.Image, p.Error)
	}
	if r.LossesN > 0 {
		line("")
		line("Losses")
	}
	for i := range r.Losses {
		line("  %s", r.Losses[i].String())
	}
	if n := r.LossesN - len(r.Losses); n > 0 {
		line("  and %d more", n)
	}
	section := func(title string, n int) {
		if n > 0 {
			line("")
			line("%s", title)
		}
	}
	section("Unused ranges", len(r.Unused))
	for _, u := range r.Unused {
		line("  %s, 0x%x, %d bytes", u.Name, u.Off, u.Len)
	}
	section("Wrong reference counts", len(r.RefCounts))
	for _, c := range r.RefCounts {
		line("  %v: stored %d, used %d", c.Hash, c.Stored, c.Used)
	}
	section("Warnings", len(r.Warnings))
	for _, w := range r.Warnings {
		line("  %s", w)
	}
	return b.String()
}

func useLines(b *strings.Builder, uses []Use, count int) {
	for _, u := range uses {
		fmt.Fprintf(b, "  used by %v\n", u)
	}
	if n := count - len(uses); n > 0 {
		fmt.Fprintf(b, "  and %d more\n", n)
	}
}
