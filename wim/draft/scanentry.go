package draft

import (
	"fmt"
	"io/fs"
	"strings"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
)

// scanEntry is an entry of a folder, or the scanned folder itself.
type scanEntry struct {
	path   string // in the file system
	name   string // as stored, "" of the scanned folder
	info   fs.FileInfo
	facts  Facts
	follow bool     // info and facts are those of the link's target
	old    wim.Node // in ScanOptions.UpdateOf, -1 if not found
}

// readFacts reads the facts of an entry if the file system has them.
func (s *scanner) readFacts(e *scanEntry) (err error) {
	if s.facts == nil {
		return nil
	}
	e.facts, err = s.facts.FileFacts(e.path, FactsWanted{Follow: e.follow, Unix: s.o.UnixData, Security: !s.o.NoACLs, Info: e.info})
	if err == nil && e.facts.Unix != nil && s.o.UnixData && !sameType(e.facts.Unix.Mode, e.info.Mode()) {
		err = fmt.Errorf("its type changed: %w", blobs.ErrChanged)
	}
	return err
}

// sameType reports whether a Unix mode, 0 if unknown, is consistent with the mode of a file.
func sameType(unix uint32, mode fs.FileMode) bool {
	switch unix & 0o170000 {
	case 0o040000:
		return mode.IsDir()
	case 0o100000:
		return mode.IsRegular()
	case 0o120000:
		return mode&fs.ModeSymlink != 0
	}
	return unix == 0 || mode.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0
}

// inode returns the inode of an entry and its short name.
func (s *scanner) inode(se *scanEntry) (draftInode, string, error) {
	f, mode := &se.facts, se.info.Mode()
	e := Entry{
		Created: f.Created, Accessed: f.Accessed, Modified: f.Modified, ShortName: f.ShortName, ObjectID: f.ObjectID,
		Streams: s.room.streams[:0],
	}
	if e.Modified == 0 {
		e.Modified = s.o.When
		if t := se.info.ModTime(); !t.IsZero() {
			e.Modified = format.FiletimeOf(t)
		}
	}
	if e.Created == 0 {
		e.Created = e.Modified
	}
	if e.Accessed == 0 {
		e.Accessed = e.Modified
	}
	if s.o.UnixData {
		e.Unix, e.Xattrs = f.Unix, f.Xattrs
	} else if f.Unix == nil {
		e.Xattrs = f.Xattrs // of a system other than Unix
	}
	if !s.o.NoACLs {
		e.Security = f.Security
	}
	e.Attributes = f.Attributes
	switch {
	case f.Attributes&format.AttrReparsePoint != 0:
		e.ReparseTag, e.NotFixed = f.ReparseTag, true
		e.Streams = append(e.Streams, Stream{Kind: format.StreamReparse, Content: s.d.AddContent(Content{Bytes: f.ReparseData})})
	case mode&fs.ModeSymlink != 0:
		if err := s.symlink(se.path, &e); err != nil {
			return draftInode{}, "", err
		}
	case mode.IsDir():
		e.Attributes |= format.AttrDirectory
	case !mode.IsRegular():
		// A device node, pipe or socket: its Unix data has the type. Like wimlib, set no attribute.
	default:
		if err := s.content(se, &e); err != nil {
			return draftInode{}, "", err
		}
	}
	for _, st := range f.Streams {
		id := s.d.AddContent(Content{Size: st.Size, Source: s.o.Source, Path: se.path, Stream: st.Name, ModTime: e.Modified})
		e.Streams = append(e.Streams, Stream{Kind: format.StreamNamed, Name: st.Name, Content: id})
		s.report.Bytes += st.Size
	}
	s.room.streams = e.Streams
	return s.d.makeInode(&e)
}

// content adds the content of a file to the draft, and its stream to e.
func (s *scanner) content(se *scanEntry, e *Entry) error {
	if e.Attributes == 0 {
		e.Attributes = format.AttrNormal
		if se.facts.Sparse {
			e.Attributes = format.AttrSparse
		}
	}
	c := Content{Size: se.info.Size(), Source: s.o.Source, Path: se.path, ModTime: e.Modified}
	if c.Size < 0 {
		return fmt.Errorf("its size is %d", c.Size)
	}
	kind := format.StreamData
	if e.Attributes&format.AttrEncrypted != 0 {
		kind = format.StreamRaw
	}
	s.report.Bytes += c.Size
	c.Unpacked = s.o.Config.UnpackedSteps(s.steps)
	if h, ok := s.unchanged(se, e, c.Size); ok {
		c.Hash, c.Known = h, true
		s.report.Unchanged++
	}
	e.Streams = append(e.Streams, Stream{Kind: kind, Content: s.d.AddContent(c)})
	return nil
}

// unchanged returns the hash of a file's content from the older image, if the file has the same size and times there.
func (s *scanner) unchanged(se *scanEntry, e *Entry, size int64) (format.Hash, bool) {
	im, n := s.o.UpdateOf, se.old
	if n < 0 || size == 0 || e.Attributes&format.AttrEncrypted != 0 || im.Attributes(n)&(format.AttrDirectory|format.AttrReparsePoint|format.AttrEncrypted) != 0 ||
		!s.sameTime(im.Modified(n), e.Modified) || se.facts.Created != 0 && !s.sameTime(im.Created(n), se.facts.Created) ||
		im.Missing(n) || im.Size(n) != size {
		return format.Hash{}, false
	}
	return im.Hash(n), true
}

func (s *scanner) sameTime(a, b format.Filetime) bool {
	step := max(1, s.o.TimeStep)
	return a/step == b/step
}

// symlink makes e the reparse point of a symbolic link.
func (s *scanner) symlink(full string, e *Entry) error {
	target, err := fs.ReadLink(s.fsys, full)
	if err != nil {
		return err
	}
	e.Attributes |= format.AttrReparsePoint
	e.ReparseTag, e.NotFixed = format.TagSymlink, true
	absolute := strings.HasPrefix(target, "/")
	if absolute && !s.o.NoRPFix && s.links != nil {
		if rest, ok := s.links.LinkInside(s.root, target); ok {
			target, e.NotFixed = rest, false
			s.report.Fixed++
		} else {
			s.report.Outside = append(s.report.Outside, s.at(full))
		}
	}
	data, err := format.SymlinkData(target, absolute)
	if err != nil {
		return err
	}
	e.Streams = append(e.Streams, Stream{Kind: format.StreamReparse, Content: s.d.AddContent(Content{Bytes: data})})
	// Windows distinguishes links to folders from links to files by the link's own attribute.
	if info, err := fs.Stat(s.fsys, full); err == nil && info.IsDir() {
		e.Attributes |= format.AttrDirectory
	}
	return nil
}
