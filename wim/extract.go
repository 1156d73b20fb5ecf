package wim

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// OutputForm is what an extraction writes.
type OutputForm string

const (
	OutputZIP    OutputForm = "zip"    // NewZIPWriter
	OutputTAR    OutputForm = "tar"    // NewTARWriter
	OutputRaw    OutputForm = "raw"    // the bytes of one stream
	OutputFolder OutputForm = "folder" // files in a folder
)

// ExtractOptions is how a selection is extracted. The zero value writes a ZIP.
type ExtractOptions struct {
	Form     OutputForm // "" means OutputZIP
	Stream   string     // OutputRaw: a named stream, as Image.Streams names it; "" the content
	Streams  bool       // write named streams too, as name:stream; otherwise they are told of as left out
	Recover  bool       // write what can be had of damaged contents, with zeros for what cannot, and mark them
	cut      int64      // a power of two: cut large contents into pieces of so many bytes; 0 means cutBytes
	Platform string     // OutputFolder: leave out names that a browser there refuses (PlatformWindows, …); "" leaves out none
}

// Problem is an entry that is not written, or not as it should be, and why. Reasons: "missing" (its content is in no
// open file), "damaged", "too-large" (it needs more memory than allowed), "reparse" (a reparse point that is no link),
// "encrypted" (only the system's own backup of it is there), "stream" (a named stream), "case-twin" (another name
// differs in case only), "name-long" and the other reasons of PlanName.
type Problem struct {
	Image  int    `json:"image,omitempty"`
	Path   string `json:"path"` // in the image, with a leading slash
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// Problems counts problems and keeps the first of them.
type Problems struct {
	Count int
	List  []Problem // at most maxProblems
}

// maxProblems is how many problems of a kind are kept.
const maxProblems = 1000

func (p *Problems) add(x Problem) {
	p.Count++
	if len(p.List) < maxProblems {
		p.List = append(p.List, x)
	}
}

// ExtractPlan is the extraction of a selection. Its shards unpack contents in the order in which they lie in the
// archive; Entries says what becomes of each shard's bytes. The first shard may hold no bytes: its entries are
// folders, links and empty files.
type ExtractPlan struct {
	layout
	o    ExtractOptions
	sel  Selection
	lead []Entry
	uses []contentUse // by place of the content in the shards

	Files   int    // files to write, those with several names once for each
	Dirs    int    // folders
	Links   int    // symbolic links
	OutSize int64  // exact bytes of a ZIP, TAR or raw output if nothing is found damaged; of a folder, the sum of its files
	Name    string // suggested for the output, without extension but for OutputRaw

	Refused Problems // names that Platform does not allow
	Skipped Problems // what else is left out
}

// contentUse is an entry to write with a content.
type contentUse struct {
	id    int32
	entry Entry
}

// PlanExtract makes the plan of extracting a selection.
func (a *Archive) PlanExtract(sel Selection, o *ExtractOptions) (*ExtractPlan, error) {
	p := &ExtractPlan{layout: layout{a: a, op: OpExtract, extract: true}, sel: sel}
	if o != nil {
		p.o = *o
	}
	p.cut = p.o.cut
	if p.o.Form == "" {
		p.o.Form = OutputZIP
	}
	p.Name = p.suggestName()
	if p.o.Form == OutputRaw {
		if err := p.selectRaw(); err != nil {
			return nil, err
		}
	} else {
		p.selectEntries()
	}
	slices.SortStableFunc(p.uses, func(x, y contentUse) int { return cmp.Compare(x.id, y.id) })
	var plain, solid []int32
	for i := range p.uses {
		id := p.uses[i].id
		switch {
		case i > 0 && p.uses[i-1].id == id:
		case a.blobs[id].run >= 0:
			solid = append(solid, id)
		default:
			plain = append(plain, id)
		}
	}
	if len(p.lead) > 0 || len(p.uses) == 0 {
		p.add(shardPlan{}, 0)
	}
	if err := p.plan(plain, solid); err != nil {
		return nil, err
	}
	p.dropRefused()
	return p, p.measure()
}

// suggestName names the output for what is selected.
func (p *ExtractPlan) suggestName() string {
	im := p.sel.Image
	name := ""
	switch {
	case len(p.sel.Roots) == 1 && p.sel.Roots[0] != 0:
		name = im.Name(p.sel.Roots[0])
	case p.sel.Base != 0:
		name = im.Name(p.sel.Base)
	default:
		name = im.Info().Name
	}
	if name == "" {
		name = fmt.Sprintf("image %d", im.Index())
	}
	return name
}

// selectRaw selects the one stream of OutputRaw.
func (p *ExtractPlan) selectRaw() error {
	im := p.sel.Image
	if len(p.sel.Roots) != 1 {
		return fmt.Errorf("wim: raw output of %d entries: %w", len(p.sel.Roots), ErrUnsupported)
	}
	n := p.sel.Roots[0]
	s, ok := im.Stream(n, p.o.Stream)
	if !ok {
		return fmt.Errorf("wim: %s:%s: %w", im.Path(n), p.o.Stream, ErrNotFound)
	}
	e := p.entry(n, im.Name(n))
	if p.o.Stream != "" {
		e.Path += ":" + p.o.Stream
		p.Name = e.Path
	}
	p.Files = 1
	if s.Hash.IsZero() {
		p.lead = append(p.lead, e)
		return nil
	}
	id, ok := p.a.index[s.Hash]
	if !ok || p.a.blobs[id].bad == faultAbsent {
		return &MissingBlobError{Hash: s.Hash, Parts: p.a.missing, Total: p.a.total}
	}
	if bad := p.a.blobs[id].bad; bad != faultNone {
		b := &p.a.blobs[id]
		return formatErrorf("content "+s.Hash.String(), p.a.parts[b.src].Name, b.off, "%v", bad)
	}
	e.Size = p.a.blobs[id].size
	p.uses = append(p.uses, contentUse{id, e})
	return nil
}

// entry makes the entry of a node with all but what it is.
func (p *ExtractPlan) entry(n Node, out string) Entry {
	im := p.sel.Image
	e := Entry{
		Path: out, Modified: im.Modified(n), Accessed: im.Accessed(n), Created: im.Created(n), Attrs: im.Attributes(n),
	}
	if u, ok := im.UnixData(n); ok {
		e.Mode = u.Mode & 0o7777
	}
	return e
}

// selectEntries goes through the selection.
func (p *ExtractPlan) selectEntries() {
	im := p.sel.Image
	problem := func(n Node, reason, detail string) Problem {
		return Problem{Image: im.Index(), Path: im.Path(n), Reason: reason, Detail: detail}
	}
	skip := func(n Node, reason, detail string) { p.Skipped.add(problem(n, reason, detail)) }
	twins := p.twins()
	firsts := map[Node]string{} // path of the first selected name of a file with several
	refusedDir := ""            // a folder that is refused, with a slash: so is all in it
	refusedReason := ""
	p.sel.Each(func(n Node, out string) bool {
		if refusedDir != "" && strings.HasPrefix(out, refusedDir) {
			p.Refused.add(problem(n, refusedReason, strings.TrimSuffix(refusedDir, "/")))
			return true
		}
		if reason := p.refuse(n, out, twins); reason != "" {
			p.Refused.add(problem(n, reason, ""))
			if im.IsDir(n) {
				refusedDir, refusedReason = out+"/", reason
			}
			return true
		}
		if p.o.Form == OutputZIP && len(out) > 65535-1 {
			skip(n, "name-long", "")
			return true
		}
		e := p.entry(n, out)
		switch {
		case im.IsDir(n):
			e.Kind = EntryDir
			p.Dirs++
			p.lead = append(p.lead, e)
		case im.ReparseTag(n) != 0 && p.link(n, &e):
			p.Links++
			p.lead = append(p.lead, e)
		case im.ReparseTag(n) != 0 && im.Hash(n).IsZero():
			skip(n, "reparse", ReparseName(im.ReparseTag(n)))
		case im.Attributes(n)&AttrEncrypted != 0:
			skip(n, "encrypted", "")
		default:
			p.file(n, e, firsts, skip)
		}
		p.streams(n, out, skip)
		return true
	})
}

// twins are the entries whose name differs from another's in case only, if the target does not tell them apart.
// The first of each lot stays.
func (p *ExtractPlan) twins() map[Node]bool {
	if p.o.Form != OutputFolder || p.o.Platform != PlatformWindows && p.o.Platform != PlatformMac {
		return nil
	}
	im := p.sel.Image
	later, seen, parent := map[Node]bool{}, map[string]bool{}, Node(-1)
	list := slices.Clone(im.CaseTwins())
	slices.SortStableFunc(list, func(x, y Node) int { return cmp.Compare(im.Parent(x), im.Parent(y)) })
	for _, n := range list {
		if im.Parent(n) != parent {
			clear(seen)
			parent = im.Parent(n)
		}
		units := decodeUTF16(im.rawName(n))
		for i, u := range units {
			units[i] = upcase(u)
		}
		key := string(encodeUTF16(units))
		later[n] = seen[key]
		seen[key] = true
	}
	return later
}

// refuse says why the target cannot have an entry; "" if it can.
func (p *ExtractPlan) refuse(n Node, out string, twins map[Node]bool) string {
	if p.o.Form != OutputFolder || p.o.Platform == "" {
		return ""
	}
	if ok, reason := PlanName(path.Base(out), p.o.Platform); !ok {
		return reason
	}
	if twins[n] {
		return "case-twin"
	}
	return ""
}

// file adds a file: its content, or a further name of one that was added.
func (p *ExtractPlan) file(n Node, e Entry, firsts map[Node]string, skip func(Node, string, string)) {
	im := p.sel.Image
	first, several := im.FirstLink(n), im.LinkCount(n) > 1
	if several {
		if target, ok := firsts[first]; ok {
			e.Kind, e.Target = EntryHardLink, target
		}
	}
	h := im.Hash(n)
	if h.IsZero() {
		p.lead = append(p.lead, e)
	} else {
		id, reason := p.find(h)
		if reason != "" {
			skip(n, reason, h.String())
			return
		}
		e.Size = p.a.blobs[id].size
		p.uses = append(p.uses, contentUse{id, e})
	}
	if several && e.Kind == EntryFile {
		firsts[first] = e.Path
	}
	p.Files++
}

// find finds a content that can be read, or says why not.
func (p *ExtractPlan) find(h Hash) (id int32, reason string) {
	id, ok := p.a.index[h]
	if !ok || p.a.blobs[id].bad == faultAbsent {
		return 0, "missing"
	}
	if p.a.blobs[id].bad != faultNone {
		return 0, "damaged"
	}
	return id, ""
}

// streams adds the named streams of an entry, or tells that they are left out.
func (p *ExtractPlan) streams(n Node, out string, skip func(Node, string, string)) {
	im := p.sel.Image
	if im.NamedStreams(n) == 0 {
		return
	}
	for _, s := range im.Streams(n) {
		if s.Kind != StreamNamed {
			continue
		}
		if !p.o.Streams || p.o.Form == OutputFolder || p.o.Form == OutputZIP && len(out)+1+len(s.Name) > 65535 {
			skip(n, "stream", s.Name)
			continue
		}
		e := p.entry(n, out+":"+s.Name)
		e.Attrs &^= AttrDirectory | AttrReparsePoint
		if s.Hash.IsZero() {
			p.lead = append(p.lead, e)
			p.Files++
			continue
		}
		id, reason := p.find(s.Hash)
		if reason != "" {
			skip(n, reason, s.Name)
			continue
		}
		e.Size = p.a.blobs[id].size
		p.uses = append(p.uses, contentUse{id, e})
		p.Files++
	}
}

// link makes e a symbolic link if n is one. A target within the image is told relative to the link, so that it
// holds wherever the output is unpacked.
func (p *ExtractPlan) link(n Node, e *Entry) bool {
	im := p.sel.Image
	l := im.Link(n)
	switch l.Kind {
	case "symlink", "junction", "wsl":
	default:
		return false
	}
	e.Kind = EntrySymlink
	e.Target = strings.ToValidUTF8(im.LinkTarget(n), "\ufffd")
	return e.Target != "" && !strings.ContainsRune(e.Target, 0)
}

// dropRefused leaves out contents that would need too much memory.
func (p *ExtractPlan) dropRefused() {
	for _, r := range p.refused {
		for _, u := range p.usesOf(r.id) {
			p.Files--
			p.Skipped.add(Problem{Image: p.sel.Image.Index(), Path: "/" + u.entry.Path, Reason: r.reason(), Detail: r.err(p.a.opts.MaxMemory).Error()})
		}
	}
}

// usesOf gives the entries that a content is written to.
func (p *ExtractPlan) usesOf(id int32) []contentUse {
	from, _ := slices.BinarySearchFunc(p.uses, id, func(u contentUse, id int32) int { return cmp.Compare(u.id, id) })
	to := from
	for to < len(p.uses) && p.uses[to].id == id {
		to++
	}
	return p.uses[from:to]
}

// measure reckons OutSize, going through the entries as they will be written.
func (p *ExtractPlan) measure() error {
	var zip ZIPSize
	var tar TARSize
	add := func(e *Entry) {
		switch p.o.Form {
		case OutputZIP:
			zip.Add(e)
		case OutputTAR:
			tar.Add(e)
		default:
			p.OutSize += e.Size
		}
	}
	for i := range p.shards {
		s, err := p.Entries(i)
		if err != nil {
			return err
		}
		for j := range s {
			for k := range s[j].Entries {
				add(&s[j].Entries[k])
			}
		}
	}
	switch p.o.Form {
	case OutputZIP:
		p.OutSize = zip.Size()
	case OutputTAR:
		p.OutSize = tar.Size()
	}
	return nil
}

// NumShards implements Plan.
func (p *ExtractPlan) NumShards() int { return len(p.shards) }

// Bytes implements Plan.
func (p *ExtractPlan) Bytes() int64 { return p.bytes }

// Items implements Plan.
func (p *ExtractPlan) Items() int { return p.items }

// Shard implements Plan.
func (p *ExtractPlan) Shard(i int) (*Shard, error) { return p.shard(i) }

// Merge implements Plan. It tells what was read and what of it is bad.
func (p *ExtractPlan) Merge(i int, r *ShardResult) ([]BlockMark, error) {
	s, err := p.shard(i)
	if err != nil {
		return nil, err
	}
	return extractMarks(s, r), nil
}

func extractMarks(s *Shard, r *ShardResult) []BlockMark {
	marks := make([]BlockMark, 0, len(s.Spans)+len(r.Bad))
	srcs := make([]int32, 0, 64)
	for _, sp := range s.Spans {
		marks = append(marks, BlockMark{int(sp.Src), sp.Off, sp.End - sp.Off, false})
		for range sp.Pieces {
			srcs = append(srcs, sp.Src)
		}
	}
	for _, b := range r.Bad {
		if int(b.Piece) < len(srcs) {
			marks = append(marks, BlockMark{int(srcs[b.Piece]), b.Off, b.Len, true})
		}
	}
	return marks
}

// Entries says what becomes of the bytes of shard i.
func (p *ExtractPlan) Entries(i int) (SegmentEntries, error) {
	s, err := p.shard(i)
	if err != nil {
		return nil, err
	}
	var out SegmentEntries
	if i == 0 && len(p.lead) > 0 {
		out = append(out, EntryPiece{Entries: p.lead, Last: true})
	}
	for _, sp := range s.Spans {
		for j := range sp.Pieces {
			x := &sp.Pieces[j]
			piece := EntryPiece{Off: x.From, Len: x.Len, Last: x.From+x.Len == x.Size}
			if x.From == 0 {
				for _, u := range p.usesOf(x.ID) {
					piece.Entries = append(piece.Entries, u.entry)
				}
			}
			out = append(out, piece)
		}
	}
	return out, nil
}

// Segment is a shard's result made ready for an OutputWriter.
type Segment struct {
	Data    []byte
	Entries SegmentEntries
	CRCs    []uint32 // of each piece of Entries
	Damaged []Entry  // entries whose content is not what it should be; those written all the same are Marked
}

// SegmentMaker makes segments of results, which must come in the order of their shards. It sees to contents that are
// damaged: they are left out, or with Recover written as far as they could be had, and marked. Of a content that is
// cut into pieces damage shows only at its end: it is written, and told of. The zero value leaves them out.
type SegmentMaker struct {
	Recover bool

	open    []Entry // of the content that is coming in pieces
	openBad bool
	sha     cutHash
}

// Make makes a segment of a shard's bytes, result and entries. The entries are changed.
func (m *SegmentMaker) Make(data []byte, r *ShardResult, entries SegmentEntries) (*Segment, error) {
	out := &Segment{Data: data, Entries: entries, CRCs: make([]uint32, len(entries))}
	bad := map[int32]bool{}
	for i := range r.Bad {
		bad[r.Bad[i].Piece] = true
	}
	cuts := map[int32]*Cut{}
	for i := range r.Cuts {
		cuts[r.Cuts[i].Piece] = &r.Cuts[i]
	}
	piece := int32(0)
	for i := range entries {
		e := &entries[i]
		if e.Len == 0 {
			continue // folders, links and empty files: no piece of the shard
		}
		if int(piece) >= len(r.CRCs) || e.Len > int64(len(data)) {
			return nil, errSegment
		}
		out.CRCs[i] = r.CRCs[piece]
		body := data[:e.Len]
		data = data[e.Len:]
		switch cut := cuts[piece]; {
		case cut != nil:
			m.cut(out, e, cut, body, bad[piece])
		case bad[piece]:
			for j := range e.Entries {
				e.Entries[j].Marked = m.Recover
			}
			out.Damaged = append(out.Damaged, e.Entries...)
			if !m.Recover {
				e.Entries = nil
			}
		}
		piece++
	}
	if int(piece) != len(r.CRCs) || len(data) != 0 {
		return nil, errSegment
	}
	return out, nil
}

// cut follows a content through its pieces.
func (m *SegmentMaker) cut(out *Segment, e *EntryPiece, c *Cut, body []byte, bad bool) {
	if c.From == 0 {
		m.open, m.openBad = e.Entries, false
		m.sha.reset()
	}
	m.openBad = m.openBad || bad
	m.sha.write(body)
	if !e.Last {
		return
	}
	if m.openBad || m.sha.sum() != c.Hash {
		for _, x := range m.open {
			x.Marked = true
			out.Damaged = append(out.Damaged, x)
		}
	}
	m.open = nil
}
