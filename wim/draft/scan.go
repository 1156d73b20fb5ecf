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

// ScanOptions says how a folder is scanned. The zero value, and nil, take everything as it is, and leave owners, modes and
// what only Unix has aside.
type ScanOptions struct {
	Config      *config.Capture // what is left out; nil: nothing
	Dereference bool            // what links lead to is taken in their place
	RootLink    bool            // if what is scanned is a link itself, it is taken, and not what it leads to
	NoRPFix     bool            // absolute links stand as they are, if they lead into the folder too
	UnixData    bool            // owners, modes, device nodes, extended attributes
	NoACLs      bool            // no security descriptors
	Escaped     bool            // names are escaped as ntname.Escape does; otherwise they are UTF-8 with, perhaps, surrogates
	Source      int             // Content.Source of what is found
	When        format.Filetime // the times of what has none, such as folders of a browser

	// Several says that the draft goes into one with other scans of the same capture, by Graft. What is found by more than
	// one of them is one file with several names then.
	Several bool

	// Parallel is how many files are looked at at a time, 0 for one. It pays where every look waits for an answer: in a
	// browser five times as many are looked at if there are 64. The file system must be safe for that.
	Parallel int

	// UpdateOf is an image of the same folder from another time. A file whose size and times are those that it has there
	// is not to be read: its content's hash is known. Target is where in the image the folder was, "" for its root. Names
	// below are compared exactly.
	UpdateOf *wim.Image
	Target   string
	TimeStep format.Filetime // how exact times are, 10,000 for the milliseconds of a browser; 0: to the last unit

	// Problem is told what cannot be read or stored. If it gives nil, it is left out and reported, otherwise the scan ends
	// with what it gives. If Problem is nil, the first problem ends the scan.
	Problem func(path string, err error) error

	// Excluded, if not nil, is called for each path that Config leaves out, but not for the paths below it.
	Excluded func(path string)
}

// ScanReport is what happened in a scan.
type ScanReport struct {
	Dirs, Files, Links int           // what was taken: folders, files (by their names), symbolic links and other reparse points
	Bytes              int64         // of the files and their named streams, each once
	Excluded           int           // paths that the configuration left out, without what is below them
	Skipped            []ScanProblem // what was left out because of a problem, or because it is no file, folder or link
	Fixed              int           // absolute links that lead into the folder, and were made paths from its root
	Outside            []string      // absolute links that lead elsewhere
	Unchanged          int           // files that UpdateOf has
}

// ScanProblem is a path and what is wrong with it.
type ScanProblem struct {
	Path string // in the folder, separated by slashes; "" for the folder itself
	Err  error
}

func (p *ScanProblem) Error() string { return fmt.Sprintf("wim: scan %s: %v", p.Path, p.Err) }

func (p *ScanProblem) Unwrap() error { return p.Err }

// ErrFileType is what is wrong with a device node, pipe or socket where ScanOptions.UnixData is not set.
var ErrFileType = errors.New("is no file, folder or link")

// Scan makes a draft of a folder of a file system, or of a single file, which is the draft's root then and for Graft only.
// rest, which may be nil, is called now and then with the bytes and entries found so far. Symbolic links are kept, as
// reparse points like those of Windows, if the file system is an fs.ReadLinkFS; hard links, attributes, and times but the
// last modification's if it is a FactsFS.
func Scan(rest func(bytes int64, items int) error, fsys fs.FS, root string, o *ScanOptions) (*Draft, *ScanReport, error) {
	if o == nil {
		o = &ScanOptions{}
	}
	s := &scanner{d: New(), fsys: fsys, root: root, o: o, rest: rest}
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
	cut    int // where in a path of the file system that from the scanned folder begins
	o      *ScanOptions
	rest   func(bytes int64, items int) error
	ahead  *lookahead // nil: none
	report ScanReport
	count  int
	steps  [][]byte // the folder at hand, as stored names
	room   struct { // for the entry at hand
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
	old    wim.Node     // in ScanOptions.UpdateOf, -1: not there
	ahead  chan listing // its entries, once they were asked for
}

// at is the path of an entry from the scanned folder.
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
	if err := s.ask(&e); err != nil {
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
		return s.tell()
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
		slices.Reverse(below) // so that entries and their contents are in the order of their names
		stack = append(stack, below...)
	}
	return s.tell()
}

func (s *scanner) tell() error {
	if s.rest == nil {
		return nil
	}
	return s.rest(s.report.Bytes, max(s.count, s.ahead.looked()))
}

// tally counts what is in the draft.
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

// problem leaves a path out, or ends the scan.
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

// folder takes in the entries of a folder, and gives those that are folders.
func (s *scanner) folder(dir *scanDir) (below []*scanDir, err error) {
	list, err := s.list(dir)
	if err != nil {
		return nil, err
	}
	if list.err != nil { // there may be entries all the same
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
			if err := s.tell(); err != nil {
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
	return below, s.twins(dir)
}

// twins leaves out all but the first of what has the same name: a file system may list one twice, and bytes that are no
// UTF-8 may stand for the same units as others.
func (s *scanner) twins(dir *scanDir) error {
	kids := s.d.Children(dir.node)
	for i := len(kids) - 1; i > 0; i-- {
		if name := s.d.nodes[kids[i]].name; name == s.d.nodes[kids[i-1]].name {
			at := pathUnder(s.d, dir.node, name)[1:]
			if err := s.problem(at, format.Describe("its folder lists the name twice", ErrExists)); err != nil {
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

// storedName gives a name as it is stored. What cannot be is as near to it as can be, for patterns to match.
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

// one takes in an entry. Of a folder it gives what is to be read.
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
	if err := s.ask(e); err != nil {
		return nil, err
	}
	f, mode := &e.facts, e.info.Mode()
	reparse := f.Attributes&format.AttrReparsePoint != 0
	if mode.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0 && !reparse && !s.o.UnixData {
		s.skip(s.at(e.path), ErrFileType)
		return nil, nil
	}
	id := [2]uint64{f.Device, f.Inode}
	// Where links are followed, a file may be met by several ways whatever its number of names, and so with several sources.
	linked := (f.Links > 1 || (s.o.Dereference || s.o.Several) && f.Links > 0) && !mode.IsDir() && mode&fs.ModeSymlink == 0 && !reparse
	if linked {
		if inode, ok := s.d.ids[id]; ok {
			short := ntname.Stored(f.ShortName)
			if short != "" {
				err = ntname.Check(short)
			}
			if err == nil {
				s.d.newNode(dir.node, e.name, short, inode)
			}
			return nil, err
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
			return nil, fmt.Errorf("%w: folders are nested more than %d deep", ErrTree, wim.MaxTreeDepth)
		}
		for up := dir; up != nil && e.follow && id != [2]uint64{}; up = up.up {
			if up.id == id {
				return nil, fmt.Errorf("%w: the link leads to a folder that it is in", ErrTree)
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
