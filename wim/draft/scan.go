package draft

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"wimscope/wim"
	"wimscope/wim/config"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// ScanOptions configures a scan. The zero value, and nil, excludes nothing, keeps links, and ignores Unix owners, modes and special
// files.
type ScanOptions struct {
	Config      *config.Capture // paths to exclude; nil excludes nothing
	Dereference bool            // replace links by what they lead to
	RootLink    bool            // if the scanned path is a link itself, keep it instead of following it
	NoRPFix     bool            // do not rewrite absolute links that lead into the folder
	UnixData    bool            // store owners, modes, device nodes and extended attributes
	NoACLs      bool            // do not store security descriptors
	Escaped     bool            // names are escaped, see ntname.Escape; otherwise they are UTF-8, in which surrogates may occur
	Source      int             // Content.Source of the files
	When        format.Filetime // times for entries that have none, such as folders in a browser

	// Several is set if the draft is going to be merged with other scans of the same capture by Graft. A file that several of them find
	// then becomes one file with several names.
	Several bool

	// Parallel is how many files are examined at a time; 0 means 1. It helps where each call waits: in a browser a scan is five times
	// as fast with 64. The file system must be safe for concurrent use.
	Parallel int

	// UpdateOf is an older image of the same folder. A file whose size and times are the same there is not read: the hash of its content
	// is known. Target is the path of the folder in the image, "" for the root; names below it are case-sensitive.
	UpdateOf *wim.Image
	Target   string
	TimeStep format.Filetime // resolution of times: 10,000 for the milliseconds of a browser; 0 means 1

	// Problem is called for each path that cannot be read or stored. If it returns nil the path is skipped and reported, otherwise the
	// scan ends with the error it returns. If Problem is nil, the first problem ends the scan.
	Problem func(path string, err error) error

	// Excluded, if not nil, is called for each path that Config excludes, but not for the paths below it.
	Excluded func(path string)
}

// ScanReport is the result of a scan.
type ScanReport struct {
	Dirs, Files, Links int           // numbers of folders, files (counted by name), symbolic links and other reparse points
	Bytes              int64         // of files and named streams; each file counts once
	Excluded           int           // number of excluded paths, without the paths below them
	Skipped            []ScanProblem // paths with a problem, and those that are not a file, folder or link
	Fixed              int           // number of absolute links into the folder, which were rewritten to start at its root
	Outside            []string      // paths of absolute links that lead outside of the folder
	Unchanged          int           // number of files whose content UpdateOf has
}

// ScanProblem is a path that cannot be read or stored, and why.
type ScanProblem struct {
	Path string // in the folder, separated by slashes; "" for the folder itself
	Err  error
}

func (p *ScanProblem) Error() string { return fmt.Sprintf("wim: scan %s: %v", p.Path, p.Err) }

func (p *ScanProblem) Unwrap() error { return p.Err }

// ErrFileType is the problem of a device node, pipe or socket if ScanOptions.UnixData is not set.
var ErrFileType = errors.New("is not a file, folder or link")

// Scan returns a draft of a folder of a file system. Instead of a folder root may be a single file; the draft is then for Graft only. Scan
// keeps symbolic links, as reparse points of Windows, if the file system is an fs.ReadLinkFS; hard links, attributes, and times other
// than the modification time if it is a FactsFS. yield, which may be nil, is called regularly with the bytes and entries found so far;
// its error ends the scan.
func Scan(yield func(bytes int64, items int) error, fsys fs.FS, root string, o *ScanOptions) (*Draft, *ScanReport, error) {
	if o == nil {
		o = &ScanOptions{}
	}
	s := &scanner{d: New(), fsys: fsys, root: root, o: o, yield: yield}
	s.d.ids = map[[2]uint64]int32{}
	s.facts, _ = fsys.(FactsFS)
	s.links, _ = fsys.(LinkFS)
	if root != "." {
		s.cut = len(root) + 1
	}
	if o.Parallel > 1 {
		s.ahead = &lookahead{fsys: fsys, slots: make(chan struct{}, o.Parallel)}
		defer s.ahead.end()
	}
	if err := s.scan(); err != nil {
		return nil, nil, err
	}
	if s.tally(); !o.Several {
		s.d.ids = nil
	}
	return s.d, &s.report, nil
}

type scanner struct {
	d      *Draft
	fsys   fs.FS
	facts  FactsFS
	links  LinkFS
	root   string
	cut    int // length of the prefix of paths up to the scanned folder
	o      *ScanOptions
	yield  func(bytes int64, items int) error
	ahead  *lookahead // may be nil
	report ScanReport
	count  int
	steps  [][]byte // path of the current entry, as stored names
	room   struct { // buffers for the current entry
		name    []byte
		streams []Stream
	}
}

// scanDir is a folder whose entries are to be read.
type scanDir struct {
	node   Node
	path   string // in the file system
	id     [2]uint64
	up     *scanDir
	levels int
	old    wim.Node     // in ScanOptions.UpdateOf, -1 if not found
	ahead  chan listing // delivers the entries if they were requested ahead
}

// at returns the path of an entry relative to the scanned folder.
func (s *scanner) at(e string) string { return e[s.cut:] }

func (s *scanner) scan() error {
	e := scanEntry{path: s.root, follow: s.o.Dereference || !s.o.RootLink, old: -1}
	look := fs.Lstat
	if e.follow {
		look = fs.Stat
	}
	if im := s.o.UpdateOf; im != nil {
		if n, ok := im.Lookup(s.o.Target); ok {
			e.old = n
		}
	}
	var err error
	if e.info, err = look(s.fsys, s.root); err != nil {
		return &ScanProblem{"", err}
	}
	if err := s.readFacts(&e); err != nil {
		return &ScanProblem{"", err}
	}
	in, _, err := s.inode(&e)
	if err != nil {
		return &ScanProblem{"", err}
	}
	in.names = 1
	if s.d.inodes[0] = in; !in.folder() {
		s.d.nodes[0].dir, s.d.dirs = -1, nil
		if f := &e.facts; f.Links > 0 && in.attributes&(format.AttrDirectory|format.AttrReparsePoint) == 0 {
			s.d.ids[[2]uint64{f.Device, f.Inode}] = 0
		}
		return s.progress()
	}
	for stack := []*scanDir{{path: s.root, id: [2]uint64{e.facts.Device, e.facts.Inode}, old: e.old}}; len(stack) > 0; {
		s.ahead.start(stack)
		dir := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !s.d.Exists(dir.node) {
			continue
		}
		below, err := s.folder(dir)
		if err != nil {
			return err
		}
		slices.Reverse(below) // so that entries and their contents are in the order of names
		stack = append(stack, below...)
	}
	return s.progress()
}

func (s *scanner) progress() error {
	if s.yield == nil {
		return nil
	}
	return s.yield(s.report.Bytes, max(s.count, s.ahead.looked()))
}

// tally counts the entries of the draft.
func (s *scanner) tally() {
	for i := range s.d.nodes {
		if s.d.nodes[i].inode < 0 {
			continue
		}
		switch a := s.d.inode(Node(i)).attributes; {
		case a&format.AttrReparsePoint != 0:
			s.report.Links++
		case a&format.AttrDirectory != 0:
			s.report.Dirs++
		default:
			s.report.Files++
		}
	}
}

// problem skips a path, or returns the error that ends the scan.
func (s *scanner) problem(at string, err error) error {
	if s.o.Problem == nil {
		return &ScanProblem{at, err}
	}
	if err := s.o.Problem(at, err); err != nil {
		return err
	}
	s.skip(at, err)
	return nil
}

func (s *scanner) skip(at string, err error) {
	s.report.Skipped = append(s.report.Skipped, ScanProblem{at, err})
}

// folder adds the entries of a folder, and returns those that are folders.
func (s *scanner) folder(dir *scanDir) (below []*scanDir, err error) {
	list, err := s.list(dir)
	if err != nil {
		return nil, err
	}
	if list.err != nil { // there may still be entries
		at := ""
		if dir.up != nil {
			at = s.at(dir.path)
		}
		if err := s.problem(at, list.err); err != nil {
			return nil, err
		}
	}
	s.steps = s.steps[:0]
	for up := dir; up.up != nil; up = up.up {
		s.steps = append(s.steps, ntname.RawBytes(s.d.nodes[up.node].name))
	}
	slices.Reverse(s.steps)
	for i, de := range list.entries {
		if s.count++; s.count&255 == 0 {
			if err := s.progress(); err != nil {
				return nil, err
			}
		}
		e := scanEntry{path: de.Name(), old: -1}
		if dir.path != "." {
			e.path = dir.path + "/" + e.path
		}
		sub, err := s.one(dir, &e, de, func() (fs.FileInfo, error) { return list.info(i) })
		if err != nil {
			if err := s.problem(s.at(e.path), err); err != nil {
				return nil, err
			}
			continue
		}
		if sub != nil {
			below = append(below, sub)
		}
	}
	return below, s.dropDuplicates(dir)
}

// dropDuplicates removes all but the first of the entries with one name: a file system may list a name twice, and different invalid
// UTF-8 may be stored as the same units.
func (s *scanner) dropDuplicates(dir *scanDir) error {
	kids := s.d.Children(dir.node)
	for i := len(kids) - 1; i > 0; i-- {
		if name := s.d.nodes[kids[i]].name; name == s.d.nodes[kids[i-1]].name {
			at := pathUnder(s.d, dir.node, name)[1:]
			if err := s.problem(at, format.Describe("listed twice in its folder", ErrExists)); err != nil {
				return err
			}
			if err := s.d.Remove(kids[i]); err != nil {
				return err
			}
			kids = s.d.Children(dir.node)
		}
	}
	return nil
}

// storedName returns a name as stored. With an error it returns the closest storable name, for patterns to match.
func (s *scanner) storedName(name string) (string, error) {
	b := s.room.name[:0]
	for i := 0; i < len(name); i++ {
		if name[i] >= utf8.RuneSelf {
			if s.o.Escaped {
				return ntname.Stored(name), nil
			}
			units, err := ntname.FromUnix(name)
			if err != nil {
				units = utf16.Encode([]rune(name))
			}
			return string(ntname.Bytes(units)), err
		}
		b = append(b, name[i], 0)
	}
	s.room.name = b
	return string(b), nil
}

// one adds an entry. For a folder it returns the folder to read.
func (s *scanner) one(dir *scanDir, e *scanEntry, de fs.DirEntry, info func() (fs.FileInfo, error)) (*scanDir, error) {
	var err error
	e.name, err = s.storedName(de.Name())
	s.steps = append(s.steps, ntname.RawBytes(e.name))
	defer func() { s.steps = s.steps[:len(s.steps)-1] }()
	if s.o.Config.ExcludesSteps(s.steps) {
		s.report.Excluded++
		if s.o.Excluded != nil {
			s.o.Excluded(s.at(e.path))
		}
		return nil, nil
	}
	if err == nil {
		err = ntname.Check(e.name)
	}
	if err != nil {
		return nil, err
	}
	if e.follow = s.o.Dereference && de.Type()&fs.ModeSymlink != 0; e.follow {
		e.info, err = fs.Stat(s.fsys, e.path)
	} else {
		e.info, err = info()
	}
	if err != nil {
		return nil, err
	}
	if err := s.readFacts(e); err != nil {
		return nil, err
	}
	f, mode := &e.facts, e.info.Mode()
	reparse := f.Attributes&format.AttrReparsePoint != 0
	if mode.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0 && !reparse && !s.o.UnixData {
		s.skip(s.at(e.path), ErrFileType)
		return nil, nil
	}
	id := [2]uint64{f.Device, f.Inode}
	linked := s.hardLinked(e)
	if linked {
		if inode, ok := s.d.ids[id]; ok {
			return nil, s.addHardLink(dir, e, inode)
		}
	}
	if im := s.o.UpdateOf; im != nil && dir.old >= 0 {
		if n, ok := im.Child(dir.old, ntname.RawBytes(e.name), true); ok {
			e.old = n
		}
	}
	in, short, err := s.inode(e)
	if err != nil {
		return nil, err
	}
	if in.folder() {
		if dir.levels+1 > wim.MaxTreeDepth {
			return nil, fmt.Errorf("%w: folders nested more than %d levels deep", ErrTree, wim.MaxTreeDepth)
		}
		for up := dir; up != nil && e.follow && id != [2]uint64{}; up = up.up {
			if up.id == id {
				return nil, fmt.Errorf("%w: the link leads to a folder above it", ErrTree)
			}
		}
	}
	inode := int32(len(s.d.inodes))
	s.d.inodes = append(s.d.inodes, in)
	if linked {
		s.d.ids[id] = inode
	}
	n := s.d.newNode(dir.node, e.name, short, inode)
	if !in.folder() {
		return nil, nil
	}
	return &scanDir{node: n, path: e.path, id: id, up: dir, levels: dir.levels + 1, old: e.old}, nil
}
