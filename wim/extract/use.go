package extract

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// extractUse is an entry to write, in few bytes: paths may be long, and are built when needed.
type extractUse struct {
	id     int32 // index of the blob; -1 for none
	node   wim.Node
	size   int32     // bytes of the path in the output
	kind   EntryKind // a named stream is an EntryFile
	stream bool      // a named stream of node
	aux    uint32    // hard link: node of the first name; symbolic link: index into targets; stream: offset of its entry
	first  int32     // hard link: bytes of the first name's path
	top    int32     // index into tops
	link   int32     // hard link: index into tops of the first name
}

const (
	// maxOutPath bounds a path in an output, in bytes: longer than any that Windows allows (32767 UTF-16 units).
	maxOutPath = 1 << 17

	// maxContentNames bounds the bytes of paths of the entries of one blob: half a million paths of the usual length.
	maxContentNames = 64 << 20

	// maxTargets bounds the bytes of the targets of all symbolic links.
	maxTargets = 64 << 20

	// maxHeaderPath is a length above which no path fits in a TAR header, whatever its characters.
	maxHeaderPath = 255

	entryRoom = 128 // bytes of an entry besides its path and target
)

// useBytes estimates the memory for the entry of a use.
func (p *Plan) useBytes(u *extractUse) int64 {
	n := int64(u.size) + entryRoom
	switch u.kind {
	case EntrySymlink:
		n += int64(len(p.targets[u.aux]))
	case EntryHardLink:
		n += int64(u.first)
	}
	return n
}

// nameBytes is useBytes for all entries of a blob.
func (p *Plan) nameBytes(id int32) int64 {
	n := int64(0)
	uses := p.usesOf(id)
	for i := range uses {
		n += p.useBytes(&uses[i])
	}
	return n
}

// usesOf returns the entries that a blob is written to.
func (p *Plan) usesOf(id int32) []extractUse {
	find := func(id int32) int {
		at, _ := slices.BinarySearchFunc(p.uses, id, func(u extractUse, id int32) int { return cmp.Compare(u.id, id) })
		return at
	}
	return p.uses[find(id):find(id+1)]
}

// link returns the target of a symbolic link, "" for another entry. An absolute target within the image is made relative to
// the link, so that it is valid wherever the output is unpacked; an absolute target outside is kept, and noted. The errors
// are those of Image.ReparseData. Damaged data yields no target, except with Options.Recover, which is noted too.
func (p *Plan) link(n wim.Node) (string, error) {
	im := p.sel.Image
	if !format.IsLinkTag(im.ReparseTag(n)) || im.IsDir(n) {
		return "", nil
	}
	if p.linkLen >= maxTargets {
		return "", fmt.Errorf("there are too many links: %w", format.ErrTooLarge)
	}
	l, err := im.Link(n)
	if p.o.Recover && errors.Is(err, format.ErrChecksum) {
		data, _ := im.ReparseData(n)
		l = im.ParseLink(n, data)
	}
	if l.Kind == "" || l.Kind == "app" {
		return "", err
	}
	target, outside := l.Path(im, n)
	target = strings.ToValidUTF8(target, "\ufffd")
	if target == "" || strings.ContainsRune(target, 0) {
		return "", err
	}
	switch {
	case err != nil:
		p.Damaged++
		p.problem(&p.Noted, n, "damaged", "written", nil)
	case outside:
		p.problem(&p.Noted, n, "link", target, nil)
	}
	return target, nil
}

// appendOut appends the path of n, which is below tops[at], in the output.
func (p *Plan) appendOut(b []byte, n wim.Node, at int32) []byte {
	if p.raw != "" {
		return append(b, p.raw...)
	}
	im := p.sel.Image
	var room [32]wim.Node
	steps := room[:0]
	t := p.tops[at]
	for n != t.node {
		steps = append(steps, n)
		n = im.Parent(n)
	}
	start := len(b)
	b = append(b, p.sel.rootPath(t)...)
	for _, s := range slices.Backward(steps) {
		if len(b) > start {
			b = append(b, '/')
		}
		b = ntname.AppendEscaped(b, im.StoredName(s))
	}
	return b
}

// path returns the path of a use in the output.
func (p *Plan) path(u *extractUse) string {
	var room [256]byte
	out := p.appendOut(room[:0], u.node, u.top)
	if u.stream {
		if v, err := format.ViewStream(p.sel.Image.Metadata(), uint64(u.aux)); err == nil { // selecting it succeeded before
			out = ntname.AppendEscaped(append(out, ':'), v.Name())
		}
	}
	return string(out)
}

// entry returns the entry of a use.
func (p *Plan) entry(u *extractUse) Entry {
	im, n := p.sel.Image, u.node
	e := Entry{
		Kind: u.kind, Size: p.contentSize(u),
		Modified: im.Modified(n), Accessed: im.Accessed(n), Created: im.Created(n), Attrs: im.Attributes(n),
	}
	if p.o.Placing != nil {
		p.o.Placing.place(p, u, &e)
		return e
	}
	e.Path = p.path(u)
	if d, ok := im.Items(n).UnixData(); ok {
		e.Mode = d.Mode & 0o7777
	}
	switch {
	case u.stream:
		e.Attrs &^= format.AttrDirectory | format.AttrReparsePoint
	case u.kind == EntrySymlink:
		e.Target = p.targets[u.aux]
	case u.kind == EntryHardLink:
		e.Target = string(p.appendOut(nil, wim.Node(u.aux), u.link))
	}
	return e
}

func (p *Plan) entries(uses []extractUse) []Entry {
	list := make([]Entry, len(uses))
	for i := range uses {
		list[i] = p.entry(&uses[i])
	}
	return list
}

// contentSize returns the Size of a use's entry.
func (p *Plan) contentSize(u *extractUse) int64 {
	if u.id < 0 {
		return 0
	}
	return p.Store.Records[u.id].Size
}

// measure computes OutSize. It visits the entries in the order in which they will be written. It does not build long paths,
// of which only the length matters.
func (p *Plan) measure() error {
	var zip zipSize
	var tar tarSize
	long := strings.Repeat("x", maxOutPath)
	add := func(uses []extractUse) error {
		for i := range uses {
			if err := p.rest(false); err != nil {
				return err
			}
			u := &uses[i]
			if p.o.Form != OutputZIP && p.o.Form != OutputTAR {
				p.OutSize += p.contentSize(u)
				continue
			}
			e := Entry{Kind: u.kind, Size: p.contentSize(u), Modified: p.sel.Image.Modified(u.node), Path: long[:u.size]}
			if u.kind == EntrySymlink {
				e.Target = p.targets[u.aux]
			}
			if p.o.Form == OutputZIP {
				zip.Add(&e)
				continue
			}
			if u.kind == EntryHardLink {
				if e.Target = long[:u.first]; u.first <= maxHeaderPath {
					e.Target = string(p.appendOut(nil, wim.Node(u.aux), u.link))
				}
			}
			if u.size <= maxHeaderPath {
				e.Path = p.path(u)
			}
			tar.Add(&e)
		}
		return nil
	}
	err := add(p.lead)
	for i := 0; i < len(p.Shards) && err == nil; i++ {
		s := &p.Shards[i]
		if s.From == 0 {
			for _, id := range p.Order[s.First:s.Last] {
				if err = add(p.usesOf(id)); err != nil {
					return err
				}
			}
		}
		for _, x := range s.Solid {
			if x.From > 0 {
				continue
			}
			if err = add(p.usesOf(x.ID)); err != nil {
				return err
			}
		}
	}
	switch p.o.Form {
	case OutputZIP:
		p.OutSize = zip.Size()
	case OutputTAR:
		p.OutSize = tar.Size()
	}
	return err
}

// Entries returns where the bytes of shard i go.
func (p *Plan) Entries(i int) (SegmentEntries, error) {
	if i >= 0 && i < len(p.leads) {
		from := 0
		if i > 0 {
			from = p.leads[i-1]
		}
		return SegmentEntries{{Entries: p.entries(p.lead[from:p.leads[i]]), Last: true}}, nil
	}
	s, err := p.Shard(i)
	if err != nil {
		return nil, err
	}
	var out SegmentEntries
	for _, sp := range s.Spans {
		for j := range sp.Pieces {
			x := &sp.Pieces[j]
			piece := EntryPiece{Off: x.From, Len: x.Len, Last: x.From+x.Len == x.Size}
			if x.From == 0 {
				piece.Entries = p.entries(p.usesOf(x.ID))
			}
			out = append(out, piece)
		}
	}
	return out, nil
}
