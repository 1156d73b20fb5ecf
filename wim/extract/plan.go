package extract

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/shard"
)

// Form is the kind of output of an extraction.
type Form string

const (
	OutputZIP    Form = "zip"    // NewZIP
	OutputTAR    Form = "tar"    // NewTAR
	OutputRaw    Form = "raw"    // the bytes of one stream
	OutputFolder Form = "folder" // files in a folder
)

// Options controls how a selection is extracted. The zero value writes a ZIP.
type Options struct {
	Form      Form        // "" means OutputZIP
	Stream    string      // OutputRaw: a named stream, by its name in Image.Streams; "" for the unnamed one
	Streams   bool        // also write named streams, as name:stream; otherwise they are reported as left out
	Recover   bool        // write damaged blobs, with zeros for what cannot be read, and mark their entries
	Platform  string      // OutputFolder: leave out names that a browser refuses on this platform (PlatformWindows, …); "" leaves out none
	Rest      shard.Yield // called now and then while planning, with the number of entries so far; may be nil
	PieceSize int64       // size of the pieces of large blobs, which several shards extract: a power of two; 0 means 32 MiB
	Placing   Placing     // OutputFolder: entries have places instead of paths; see ByPlace

	// Problem, if set, is called for each problem of the plan, including those that the lists only count. err is the error of
	// a blob or of link data that cannot be read, nil for another problem. An error ends New.
	Problem func(n wim.Node, reason, detail string, err error) error
	// Written, if set, is called for each entry that is written, except other names of a file and named streams.
	Written func(im *wim.Image, n wim.Node, kind EntryKind)
	// Damaged, if set, is called by Run and RunFolder for each blob that turns out to be damaged, with its entries. An error
	// ends the job.
	Damaged func(entries []Entry, why string) error
}

// Problem is an entry that is left out or not written exactly, and the reason: "missing" (its blob is in no open file),
// "damaged" (its blob, or the data of a link), "too-large" (it needs more memory than allowed), "reparse" (a reparse point
// that is not a link), "encrypted" (the archive holds only the encrypted backup of it), "stream" (a named stream),
// "case-twin" (another name differs only in case), "same-place" (another entry of the selection, Detail, has its path),
// "link" (an absolute target outside of the image), "name" (refused by Rules), "name-long" and the other reasons of
// ntname.ValidInBrowser. A Folder adds "name-refused" and "folder-refused".
type Problem struct {
	Image  int    `json:"image,omitempty"`
	Path   string `json:"path"` // in the image, with a leading slash
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// Error makes a Problem an error of a Target.
func (p *Problem) Error() string { return p.Reason }

// Problems counts problems and keeps the first ones.
type Problems struct {
	Count int
	List  []Problem // at most maxProblems; none is added once their text reaches maxProblemText bytes

	text int
}

const (
	maxProblems    = 1000    // kept in a list
	maxProblemText = 4 << 20 // bytes of their paths and details: paths in a hostile tree have 30 KB
)

// full reports whether further problems are only counted.
func (p *Problems) full() bool { return len(p.List) >= maxProblems || p.text >= maxProblemText }

func (p *Problems) add(x Problem) {
	p.Count++
	if !p.full() {
		p.List = append(p.List, x)
		p.text += len(x.Path) + len(x.Detail)
	}
}

// Plan is the extraction of a selection. Its shards unpack blobs in the order in which they are stored; Entries returns
// where each shard's bytes go. The first shards may hold no bytes: their entries are folders, links and empty files.
type Plan struct {
	shard.Layout
	o       Options
	sel     Selection
	tops    []top
	lead    []extractUse
	leads   []int                   // end in lead of each of the first shards
	uses    []extractUse            // sorted by blob
	targets []string                // of symbolic links
	linkLen int                     // bytes of targets
	raw     string                  // OutputRaw: the path of its one entry
	seen    int                     // entries visited
	firsts  map[wim.Node]extractUse // the first selected name of each file with several names, by FirstHardLink
	stop    error                   // error of Options.Problem

	Files   int    // files to write; each name of a file and each named stream counts
	Dirs    int    // folders
	Links   int    // symbolic links
	OutSize int64  // exact size in bytes of a ZIP, TAR or raw output, provided that nothing is found damaged; for a folder, the sum of its files
	Name    string // suggested name for the output, with an extension only for OutputRaw

	Refused Problems // names that Platform does not allow
	Skipped Problems // everything else that is left out
	Noted   Problems // entries that are written, but not exactly as in the image
	Damaged int      // entries in Skipped and Noted that were found damaged before anything was unpacked
}

// restEntries is the number of entries between calls of Rest: they take a few milliseconds.
const restEntries = 2048

// New plans the extraction of a selection.
func New(a *wim.Archive, sel Selection, o *Options) (*Plan, error) {
	p := &Plan{Layout: shard.Layout{Store: a.Store(), Op: shard.OpExtract, Extract: true}, sel: sel}
	if o != nil {
		p.o = *o
	}
	p.Cut, p.Names = p.o.PieceSize, p.nameBytes
	if p.o.Form == "" {
		p.o.Form = OutputZIP
	}
	p.Name = p.suggestName()
	var err error
	if p.o.Form == OutputRaw {
		err = p.selectRaw()
	} else {
		err = p.selectEntries()
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.uses, func(x, y extractUse) int { return cmp.Compare(x.id, y.id) })
	p.dropExcess()
	var plain, solid []int32
	for i := range p.uses {
		id := p.uses[i].id
		switch {
		case i > 0 && p.uses[i-1].id == id:
		case a.Store().Records[id].Run >= 0:
			solid = append(solid, id)
		default:
			plain = append(plain, id)
		}
	}
	p.planLead()
	if err := p.Divide(plain, solid); err != nil {
		return nil, err
	}
	p.dropUnread()
	return p, cmp.Or(p.stop, p.measure())
}

// planLead adds the shards of entries without a blob.
func (p *Plan) planLead() {
	names := int64(0)
	for i := range p.lead {
		n := p.useBytes(&p.lead[i])
		if i > 0 && names+n > shard.MaxShardNames {
			p.leads = append(p.leads, i)
			p.Add(shard.Outline{}, 0)
			names = 0
		}
		names += n
	}
	if len(p.lead) > 0 {
		p.leads = append(p.leads, len(p.lead))
	}
	if len(p.lead) > 0 || len(p.uses) == 0 {
		p.Add(shard.Outline{}, 0)
	}
}

// rest counts an entry. It calls Rest now and then, and always if long is set: the next entry takes longer.
func (p *Plan) rest(long bool) error {
	if p.seen++; p.o.Rest == nil || !long && p.seen%restEntries != 0 {
		return nil
	}
	return p.o.Rest(0, p.seen)
}

// suggestName returns a name for the output, taken from the selection.
func (p *Plan) suggestName() string {
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
func (p *Plan) selectRaw() error {
	im := p.sel.Image
	if len(p.sel.Roots) != 1 {
		return fmt.Errorf("wim: raw output of %d entries: %w", len(p.sel.Roots), format.ErrUnsupported)
	}
	n := p.sel.Roots[0]
	s, ok := im.Stream(n, p.o.Stream)
	if !ok {
		return fmt.Errorf("wim: %s:%s: %w", im.Path(n), p.o.Stream, format.ErrNotFound)
	}
	p.raw = im.Name(n)
	if p.o.Stream != "" {
		p.raw += ":" + p.o.Stream
		p.Name = p.raw
	}
	p.Files = 1
	u := extractUse{id: -1, node: n, size: int32(len(p.raw))}
	if s.Hash.IsZero() {
		p.lead = append(p.lead, u)
		return nil
	}
	var err error
	if u.id, err = p.find(s.Hash); err != nil {
		return err
	}
	p.uses = append(p.uses, u)
	return nil
}

// problem adds a problem of a node to a list. It builds the path only if the list keeps it.
func (p *Plan) problem(list *Problems, n wim.Node, reason, detail string, err error) {
	if p.o.Problem != nil && p.stop == nil {
		p.stop = p.o.Problem(n, reason, detail, err)
	}
	if list.full() {
		list.Count++
		return
	}
	list.add(Problem{Image: p.sel.Image.Index(), Path: p.sel.Image.Path(n), Reason: reason, Detail: detail})
}

func (p *Plan) skip(n wim.Node, reason, detail string) { p.problem(&p.Skipped, n, reason, detail, nil) }

// skipFor leaves out an entry whose blob or reparse data cannot be read. detail "" means err.
func (p *Plan) skipFor(n wim.Node, detail string, err error) {
	reason := "damaged"
	switch {
	case errors.Is(err, blobs.ErrMissing):
		reason = "missing"
	case errors.Is(err, format.ErrTooLarge):
		reason = "too-large"
	default:
		p.Damaged++
	}
	p.problem(&p.Skipped, n, reason, cmp.Or(detail, err.Error()), err)
}

// selectEntries walks the selection and adds its entries.
func (p *Plan) selectEntries() error {
	im := p.sel.Image
	p.tops = p.sel.tops()
	longest := maxOutPath
	if p.o.Form == OutputZIP {
		longest = 65535 - 1 // a folder's name gets a slash
	}
	twins := p.twins()
	p.firsts = map[wim.Node]extractUse{}
	defer func() { p.firsts = nil }()
	var refusedDir []byte // path of a refused folder, with a slash at its end: everything in it is refused too
	refusedReason := ""
	var stop error
	var taken placer
	if p.sel.overlaps() {
		taken = p.sel.places()
	}
	p.sel.each(p.tops, p.o.Placing == nil, func(top int, n wim.Node, out []byte, over bool) bool {
		if stop = p.rest(format.IsLinkTag(im.ReparseTag(n))); stop != nil {
			return false
		}
		u := extractUse{id: -1, node: n, size: int32(len(out)), top: int32(top)}
		if p.o.Placing != nil {
			stop = p.o.Placing.add(p, u, taken)
			return stop == nil && p.stop == nil
		}
		if len(refusedDir) > 0 && bytes.HasPrefix(out, refusedDir) {
			p.problem(&p.Refused, n, refusedReason, string(refusedDir[:min(len(refusedDir)-1, 256)]), nil)
			return true
		}
		if reason := p.refuse(n, twins); reason != "" {
			p.problem(&p.Refused, n, reason, "", nil)
			if im.IsDir(n) {
				refusedDir, refusedReason = append(append(refusedDir[:0], out...), '/'), reason
			}
			return true
		}
		if over || len(out) > longest {
			p.skip(n, "name-long", "")
			return true
		}
		if taken != nil && !taken.take(p, u) {
			return true
		}
		target, err := p.link(n)
		switch {
		case im.IsDir(n):
			u.kind = EntryDir
			p.add(u)
		case target != "":
			p.symlink(u, target)
		case err != nil:
			p.skipFor(n, "", err)
		case im.ReparseTag(n) != 0 && im.Hash(n).IsZero():
			p.skip(n, "reparse", format.ReparseName(im.ReparseTag(n)))
		case im.Attributes(n)&format.AttrEncrypted != 0:
			p.skip(n, "encrypted", "")
		default:
			p.file(u, false)
		}
		p.streams(n, int32(top), len(out), longest)
		return p.stop == nil
	})
	return cmp.Or(stop, p.stop)
}

// add adds an entry without a blob.
func (p *Plan) add(u extractUse) {
	p.lead = append(p.lead, u)
	p.count(&u)
}

// count counts an entry that is written.
func (p *Plan) count(u *extractUse) {
	switch u.kind {
	case EntryDir:
		p.Dirs++
	case EntrySymlink:
		p.Links++
	default:
		p.Files++
	}
	if p.o.Written != nil && u.kind != EntryHardLink {
		p.o.Written(p.sel.Image, u.node, u.kind)
	}
}

func (p *Plan) symlink(u extractUse, target string) {
	u.kind, u.aux = EntrySymlink, uint32(len(p.targets))
	p.targets = append(p.targets, target)
	p.linkLen += len(target)
	p.add(u)
}

// twins returns the entries whose names differ from another one only in case, if the target ignores case. The value is
// false for the first of each group, which is kept.
func (p *Plan) twins() map[wim.Node]bool {
	if p.o.Form != OutputFolder || p.o.Platform != ntname.PlatformWindows && p.o.Platform != ntname.PlatformMac {
		return nil
	}
	im := p.sel.Image
	later, seen, parent := map[wim.Node]bool{}, map[string]bool{}, wim.Node(-1)
	list := slices.Clone(im.CaseTwins())
	slices.SortStableFunc(list, func(x, y wim.Node) int { return cmp.Compare(im.Parent(x), im.Parent(y)) })
	for _, n := range list {
		if im.Parent(n) != parent {
			clear(seen)
			parent = im.Parent(n)
		}
		units := ntname.Units(im.StoredName(n))
		for i, u := range units {
			units[i] = ntname.Upper(u)
		}
		key := string(ntname.Bytes(units))
		later[n] = seen[key]
		seen[key] = true
	}
	return later
}

// refuse returns why the target cannot hold an entry, "" if it can.
func (p *Plan) refuse(n wim.Node, twins map[wim.Node]bool) string {
	if p.o.Form != OutputFolder || p.o.Platform == "" {
		return ""
	}
	if ok, reason := ntname.ValidInBrowser(p.sel.Image.Name(n), p.o.Platform); !ok {
		return reason
	}
	if twins[n] {
		return "case-twin"
	}
	return ""
}

// file adds a file or special file, or another name of one that was added before. empty: without its content.
func (p *Plan) file(u extractUse, empty bool) {
	im := p.sel.Image
	first, several := im.FirstHardLink(u.node), im.HardLinkCount(u.node) > 1 || p.sel.overlaps()
	if several {
		if f, ok := p.firsts[first]; ok {
			u.kind, u.aux, u.first, u.link = EntryHardLink, uint32(f.node), f.size, f.top
		}
	}
	if h := im.Hash(u.node); empty || h.IsZero() {
		p.add(u)
	} else {
		var err error
		if u.id, err = p.find(h); err != nil {
			p.skipFor(u.node, h.String(), err)
			return
		}
		p.uses = append(p.uses, u)
		p.count(&u)
	}
	if several && u.kind != EntryHardLink {
		p.firsts[first] = u
	}
}

// find returns the ID of a blob. Errors: *blobs.MissingError, *format.Error for a blob whose location is invalid.
func (p *Plan) find(h format.Hash) (id int32, err error) {
	id, ok := p.Store.BlobID(h)
	if !ok || p.Store.Records[id].Fault == blobs.FaultAbsent {
		return -1, p.Store.MissingBlob(h)
	}
	if b := &p.Store.Records[id]; b.Fault != blobs.FaultNone {
		return -1, format.Errorf("content "+h.String(), p.Store.Parts[b.Src].Name, b.Off, "%v", b.Fault)
	}
	return id, nil
}

// streams adds the named streams of an entry whose path has size bytes, or reports them as left out.
func (p *Plan) streams(n wim.Node, top int32, size, longest int) {
	im := p.sel.Image
	s := im.ExtraStreams(n)
	for {
		at := s.Off
		if !s.Next() {
			return
		}
		if len(s.Name) == 0 {
			continue
		}
		u := extractUse{id: -1, node: n, stream: true, aux: uint32(at), top: top}
		name := string(ntname.AppendEscaped(nil, s.Name))
		u.size = int32(size + 1 + len(name))
		if !p.o.Streams || p.o.Form == OutputFolder || int(u.size) > longest {
			p.skip(n, "stream", name)
			continue
		}
		if s.Hash.IsZero() {
			p.lead = append(p.lead, u)
			p.Files++
			continue
		}
		var err error
		if u.id, err = p.find(s.Hash); err != nil {
			p.skipFor(n, name, err)
			continue
		}
		p.uses = append(p.uses, u)
		p.Files++
	}
}

// dropUnread leaves out blobs that would need too much memory.
func (p *Plan) dropUnread() {
	for _, r := range p.Unread {
		detail := r.Err.Error()
		err := fmt.Errorf("wim: content %v: %w", p.Store.Records[r.ID].Hash, r.Err)
		uses := p.usesOf(r.ID)
		p.Files -= len(uses)
		for i := range uses {
			p.skipFor(uses[i].node, detail, err)
		}
	}
}

// dropExcess leaves out entries of blobs that have too many bytes of names: all names of a blob are in memory at once.
func (p *Plan) dropExcess() {
	kept := p.uses[:0]
	names := int64(0)
	for i := range p.uses {
		u := p.uses[i]
		if i == 0 || u.id != p.uses[i-1].id {
			names = 0
		}
		if names += p.useBytes(&u); names > maxContentNames && p.o.Placing == nil {
			p.Files--
			p.skip(u.node, "too-large", "its content has too many names")
			continue
		}
		kept = append(kept, u)
	}
	p.uses = kept
}

// Merge implements shard.Plan. It returns the ranges that were read and those that are damaged.
func (p *Plan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	s, err := p.Shard(i)
	if err != nil {
		return nil, err
	}
	return s.Marks(r), nil
}
