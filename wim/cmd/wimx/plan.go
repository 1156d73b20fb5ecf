package main

import (
	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// planner turns a selection of an image into the writer's outs.
type planner struct {
	w      *writer
	folder map[wim.Node]int32 // index in outs of folders that lead to selected entries
	first  map[wim.Node]int32 // by FirstHardLink: the out that gets the bytes
	placed map[place]int32    // outs by their place, if the selection may name one place twice; nil for a whole image
	dummy  int
	err    error // the first error
}

// place is a name in a folder; parent is an index in outs.
type place struct {
	parent int32
	name   string
}

// planAll plans the whole image, with its root as the target. It returns an error for a link that cannot be read; nothing
// is written.
func (w *writer) planAll() error {
	p := &planner{w: w, folder: map[wim.Node]int32{}, first: map[wim.Node]int32{}}
	w.outs = append(w.outs, out{node: 0, parent: -1, kind: outDir})
	p.children(0, 0)
	return p.err
}

// planPaths plans entries with everything below them, directly in the target or, with keep, below the folders that lead to
// them. The image's root stands for its children.
func (w *writer) planPaths(nodes []wim.Node, keep []bool) error {
	p := &planner{w: w, folder: map[wim.Node]int32{}, first: map[wim.Node]int32{}, placed: map[place]int32{}}
	for i, n := range nodes {
		parent := int32(-1)
		if keep[i] {
			parent = p.ancestors(w.im.Parent(n))
		}
		if n == 0 {
			p.children(0, -1)
		} else {
			p.entry(n, parent)
		}
	}
	return p.err
}

// ancestors adds the folders from the root to n, once each, and returns the index of n, -1 for the root.
func (p *planner) ancestors(n wim.Node) int32 {
	if n == 0 {
		return -1
	}
	if i, ok := p.folder[n]; ok {
		return i
	}
	parent := p.ancestors(p.w.im.Parent(n))
	if parent == skipped {
		return skipped
	}
	i := p.add(n, parent)
	p.folder[n] = i
	return i
}

// skipped is the index of entries that are left out.
const skipped = -2

// children adds everything below a folder, breadth first: parents before children.
func (p *planner) children(n wim.Node, at int32) {
	type item struct {
		n  wim.Node
		at int32
	}
	queue := []item{{n, at}}
	for len(queue) > 0 {
		it := queue[0]
		queue = queue[1:]
		first, count := p.w.im.Children(it.n)
		for c := first; c < first+wim.Node(count); c++ {
			if i := p.add(c, it.at); i != skipped && p.w.outs[i].kind == outDir {
				queue = append(queue, item{c, i})
			}
		}
	}
}

// entry adds an entry and everything below it.
func (p *planner) entry(n wim.Node, parent int32) {
	if parent == skipped {
		return
	}
	if i := p.add(n, parent); i != skipped && p.w.outs[i].kind == outDir {
		p.children(n, i)
	}
}

// add adds one entry and returns its index, or skipped if it is left out.
func (p *planner) add(n wim.Node, parent int32) int32 {
	w, im := p.w, p.w.im
	raw := ntname.Units(im.StoredName(n))
	name := nativeName(raw)
	if !checkName(raw, onWindows) {
		if !w.o.invalidNames {
			w.t.warn("Not extracting %q: has an invalid filename that is not supported on this platform", nativePath(im, n))
			return skipped
		}
		w.t.warn("%q has an invalid filename that is not supported on this platform; extracting dummy name instead", nativePath(im, n))
		p.dummy++
		name = dummyName(raw, p.dummy, onWindows)
	}
	if p.placed != nil {
		at := place{parent, name}
		if i, ok := p.placed[at]; ok {
			if w.outs[i].node != n && !(w.outs[i].kind == outDir && im.IsDir(n)) {
				w.t.warn("%q: not extracted, since %q goes to the same place", nativePath(im, n), nativePath(im, w.outs[i].node))
				return skipped
			}
			return i
		}
		p.placed[at] = int32(len(w.outs))
	}
	o := out{node: n, parent: parent, name: name, kind: outFile}
	attrs := im.Attributes(n)
	unix, isUnix := im.Items(n).UnixData()
	switch {
	case im.IsDir(n):
		o.kind = outDir
	case attrs&format.AttrReparsePoint != 0:
		target, ok, err := w.linkTarget(n)
		if err != nil && p.err == nil {
			p.err = err
		}
		if ok {
			o.kind, o.target = outSymlink, target
			break
		}
		if attrs&format.AttrDirectory != 0 {
			o.kind = outDir // a directory with another reparse tag becomes an empty folder
		}
		w.lost.reparse++
	case isUnix && w.o.unixData && keepsUnix && special(unix.Mode):
		o.kind = outSpecial
	}
	if o.kind == outFile || o.kind == outSpecial {
		rep := im.FirstHardLink(n)
		if i, ok := p.first[rep]; ok {
			o.kind, o.first = outHard, i
		} else {
			p.first[rep] = int32(len(w.outs))
		}
	}
	if o.kind != outHard { // files count, not names
		w.lost.count(im, n, w.o)
	}
	w.outs = append(w.outs, o)
	return int32(len(w.outs) - 1)
}

// special reports whether a mode is that of a device, pipe or socket.
func special(mode uint32) bool {
	switch mode & 0o170000 {
	case 0o140000, 0o060000, 0o020000, 0o010000:
		return true
	}
	return false
}

// count counts what cannot be written of an entry.
func (l *losses) count(im *wim.Image, n wim.Node, o writeOptions) {
	if im.NamedStreams(n) > 0 {
		l.streams++
	}
	attrs := im.Attributes(n)
	switch {
	case attrs&format.AttrEncrypted == 0:
	case im.IsDir(n):
		l.encryptedDirs++
	default:
		l.encrypted++
	}
	if !onWindows && !o.noAttributes {
		if attrs&format.AttrReadOnly != 0 {
			l.readonly++
		}
		if attrs&format.AttrHidden != 0 {
			l.hidden++
		}
		if attrs&format.AttrSystem != 0 {
			l.system++
		}
	}
	if !o.noACLs && len(im.Security(n)) > 0 {
		l.security++
	}
	if im.ShortName(n) != "" {
		l.short++
	}
	if len(im.Items(n).ObjectID()) > 0 {
		l.objects++
	}
	if !o.unixData {
		if _, ok := im.Items(n).UnixData(); ok {
			l.unix++
		}
		if len(im.Items(n).Xattrs()) > 0 {
			l.xattrs++
		}
	}
}

// warn reports what was not written, to files or, with packed, to a ZIP or TAR.
func (l *losses) warn(t *tool, packed bool) {
	unix, xattrs := "UNIX metadata (uid/gid/mode/rdev) of %d files\n          (use --unix-data mode to extract these)", "extended attributes of %d files\n          (use --unix-data mode to extract these)"
	if packed {
		unix, xattrs = "UNIX owners and devices of %d files", "extended attributes of %d files"
	}
	for _, x := range []struct {
		n    int
		what string
	}{
		{l.encrypted, "Ignoring EFS-encrypted data of %d files\n          (these files are empty now; only Windows can decrypt them, on NTFS)"},
		{l.encryptedDirs, "Ignoring FILE_ATTRIBUTE_ENCRYPTED of %d directories"}, {l.streams, "Ignoring named data streams of %d files"},
		{l.readonly, "Ignoring FILE_ATTRIBUTE_READONLY of %d files"}, {l.hidden, "Ignoring FILE_ATTRIBUTE_HIDDEN of %d files"},
		{l.system, "Ignoring FILE_ATTRIBUTE_SYSTEM of %d files"}, {l.reparse, "Ignoring reparse data of %d non-symlink/junction files"},
		{l.security, "Ignoring Windows NT security descriptors of %d files"},
		{l.unix, "Ignoring " + unix}, {l.xattrs, "Ignoring " + xattrs},
		{l.objects, "Ignoring object IDs of %d files"}, {l.short, "Ignoring DOS names of %d files"},
	} {
		if x.n > 0 {
			t.warn(x.what, x.n)
		}
	}
}
