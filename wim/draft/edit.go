package draft

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// Reasons for which a draft rejects a change, for errors.Is; format.ErrNotFound is another. An Error has the path.
var (
	ErrExists   = errors.New("already exists")
	ErrNotDir   = errors.New("is not a folder")
	ErrIsDir    = errors.New("is a folder")
	ErrNotEmpty = errors.New("folder is not empty")
	ErrTree     = errors.New("not allowed")
)

// Error is a rejected change of a draft, which left the draft unchanged.
type Error struct {
	Op   string // "add", "set", "remove", "rename", "link", "graft", "write"
	Path string // in the draft
	Err  error  // wraps one of the errors above
}

func (e *Error) Error() string {
	verb := e.Op
	switch e.Op {
	case "graft":
		verb = "add"
	case "remove":
		verb = "delete"
	case "set":
		verb = "change"
	}
	if to, ok := e.Err.(newPathError); ok {
		return fmt.Sprintf("wim: cannot %s %q to %q: %v", verb, e.Path, to.path, to.err)
	}
	return fmt.Sprintf("wim: cannot %s %q: %v", verb, e.Path, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// newPathError is an error about the new path of a renamed entry.
type newPathError struct {
	path string
	err  error
}

func (e newPathError) Error() string { return fmt.Sprintf("%q: %v", e.path, e.err) }

func (e newPathError) Unwrap() error { return e.err }

var (
	errFolderThere = format.Describe("a file cannot replace the folder at that path", ErrIsDir)
	errFileThere   = format.Describe("a folder cannot replace the file at that path", ErrNotDir)
	errFileAsRoot  = format.Describe("only a folder can be the root of an image", ErrNotDir)
	errNotInImage  = format.Describe("the image has no such file or folder", format.ErrNotFound)
)

// pathUnder returns the path of a name in a folder.
func pathUnder(d *Draft, parent Node, name string) string {
	return strings.TrimSuffix(d.Path(parent), "/") + "/" + ntname.Text(name)
}

// missingNode returns an error if n is not in the tree.
func missingNode(d *Draft, op string, n Node) error {
	if d.Exists(n) {
		return nil
	}
	return &Error{op, fmt.Sprintf("entry %d", n), format.ErrNotFound}
}

// checkPlace returns an error if an entry with a stored name cannot be added to a folder.
func checkPlace(d *Draft, op string, parent Node, name string) error {
	if err := missingNode(d, op, parent); err != nil {
		return err
	}
	if err := placeable(d, parent, name); err != nil {
		return &Error{op, pathUnder(d, parent, name), err}
	}
	return nil
}

func placeable(d *Draft, parent Node, name string) error {
	if !d.IsDir(parent) {
		return fmt.Errorf("%q %w", d.Path(parent), ErrNotDir)
	}
	if err := ntname.Check(name); err != nil {
		return err
	}
	if _, ok := d.child(parent, name, false); ok {
		return ErrExists
	}
	return nil
}

// newNode adds a name for an inode to a folder.
func (d *Draft) newNode(parent Node, name, short string, inode int32) Node {
	n := Node(len(d.nodes))
	node := draftNode{name: name, short: d.addText(short), parent: parent, inode: inode, dir: -1}
	if in := &d.inodes[inode]; in.folder() {
		node.dir = int32(len(d.dirs))
		d.dirs = append(d.dirs, draftDir{sorted: true})
	}
	d.inodes[inode].names++
	d.nodes = append(d.nodes, node)
	d.live++
	d.attach(n)
	return n
}

// folder reports whether an inode can have children.
func (in *draftInode) folder() bool {
	return in.attributes&format.AttrDirectory != 0 && (in.attributes&format.AttrReparsePoint == 0 || !format.IsSurrogate(in.getRare().reparseTag))
}

// attach appends n to the list of its parent.
func (d *Draft) attach(n Node) {
	dir := &d.dirs[d.nodes[d.nodes[n].parent].dir]
	if k := len(dir.kids); k > 0 && dir.sorted {
		dir.sorted = ntname.CompareStored(d.nodes[dir.kids[k-1]].name, d.nodes[n].name) < 0
	}
	dir.kids = append(dir.kids, n)
}

// settle moves the last child of a folder to its place among the others, which are sorted.
func (d *Draft) settle(parent Node) {
	dir := &d.dirs[d.nodes[parent].dir]
	last := len(dir.kids) - 1
	if dir.sorted {
		return
	}
	n := dir.kids[last]
	at, _ := d.search(dir.kids[:last], d.nodes[n].name)
	copy(dir.kids[at+1:], dir.kids[at:last])
	dir.kids[at], dir.sorted = n, true
}

// detach removes n from the list of its parent.
func (d *Draft) detach(n Node) {
	dir := &d.dirs[d.nodes[d.nodes[n].parent].dir]
	at := len(dir.kids) - 1 // fast if all children are removed, last first
	if dir.kids[at] != n {
		at = slices.Index(dir.kids, n)
	}
	dir.kids = slices.Delete(dir.kids, at, at+1)
}

// Mkdir adds an empty folder. when becomes its creation, access and modification time.
func (d *Draft) Mkdir(parent Node, name string, when format.Filetime) (Node, error) {
	return d.Add(parent, Entry{Name: name, Attributes: format.AttrDirectory, Created: when, Accessed: when, Modified: when})
}

// MkdirAll returns the folder at path. It adds the folder and those above it if they do not exist. If fold is set, a name without an
// exact match is compared ignoring case.
func (d *Draft) MkdirAll(path string, fold bool, when format.Filetime) (Node, error) {
	n := Node(0)
	if !d.IsDir(n) {
		return 0, &Error{"add", "/", errFileAsRoot}
	}
	steps := strings.Split(path, "/")
	for _, step := range steps { // check all names before the first change
		if step != "" {
			if err := ntname.Check(ntname.Stored(step)); err != nil {
				return 0, &Error{"add", path, err}
			}
		}
	}
	for _, step := range steps {
		if step == "" {
			continue
		}
		child, ok := d.child(n, ntname.Stored(step), fold)
		if !ok {
			var err error
			if child, err = d.Mkdir(n, step, when); err != nil {
				return 0, err
			}
		} else if !d.IsDir(child) {
			return 0, &Error{"add", path, fmt.Errorf("%q %w", d.Path(child), ErrNotDir)}
		}
		n = child
	}
	return n, nil
}

// Add adds an entry to a folder. Its streams refer to contents that were added before; a file without any gets an empty content.
func (d *Draft) Add(parent Node, e Entry) (Node, error) {
	name := ntname.Stored(e.Name)
	if err := checkPlace(d, "add", parent, name); err != nil {
		return 0, err
	}
	in, short, err := d.makeInode(&e)
	if err != nil {
		return 0, &Error{"add", pathUnder(d, parent, name), err}
	}
	d.inodes = append(d.inodes, in)
	n := d.newNode(parent, name, short, int32(len(d.inodes)-1))
	d.settle(parent)
	return n, nil
}

// Set replaces all fields of n except its name, for all names of the file. A folder cannot become a file or the reverse, and a file with
// several names cannot become a reparse point.
func (d *Draft) Set(n Node, e Entry) error {
	if err := missingNode(d, "set", n); err != nil {
		return err
	}
	in, short, err := d.makeInode(&e)
	if err == nil && in.folder() != d.IsDir(n) {
		err = fmt.Errorf("%w: a folder cannot become a file, nor a file a folder", ErrTree)
	}
	old := d.inode(n)
	if err == nil && old.names > 1 && in.attributes&(format.AttrDirectory|format.AttrReparsePoint) != 0 {
		err = fmt.Errorf("%w: a file with several names cannot become a reparse point", ErrTree)
	}
	if err != nil {
		return &Error{"set", d.Path(n), err}
	}
	rare, kept := in.getRare(), old.getRare()
	rare.link, rare.unused = kept.link, kept.unused
	in.setRare(rare)
	in.names = old.names
	d.nodes[n].short = d.addText(short)
	*old = in
	return nil
}

// makeInode checks an entry and returns its inode and its short name as stored.
func (d *Draft) makeInode(e *Entry) (in draftInode, short string, err error) {
	in = draftInode{
		attributes: e.Attributes, created: e.Created, accessed: e.Accessed, modified: e.Modified,
		security: d.securityIndex(e.Security),
	}
	if e.ShortName != "" {
		short = ntname.Stored(e.ShortName)
		if err := ntname.Check(short); err != nil {
			return in, "", fmt.Errorf("short name: %w", err)
		}
	}
	rare := inodeRare{unknown: e.Unknown}
	if e.Attributes&format.AttrReparsePoint != 0 {
		rare.reparseTag = e.ReparseTag
		if e.NotFixed {
			rare.reparseMore = reparseNotFixed
		}
	}
	if rare.items, err = makeItems(e); err != nil {
		return in, "", err
	}
	in.setRare(rare)
	streams, err := d.makeStreams(e)
	if err != nil {
		return in, "", err
	}
	d.setStreams(&in, streams)
	return in, short, nil
}

// makeItems encodes an entry's tagged items.
func makeItems(e *Entry) (string, error) {
	var b []byte
	if n := len(e.ObjectID); n != 0 {
		if n < 16 || n > 64 {
			return "", fmt.Errorf("%w: object id of %d bytes, must be 16 to 64", ErrTree, n)
		}
		b = format.TaggedItem{Tag: format.TagObjectID, Data: e.ObjectID}.Append(b)
	}
	if e.Unix != nil {
		b = format.TaggedItem{Tag: format.TagUnixData, Data: e.Unix.Append(nil)}.Append(b)
	}
	if len(e.Xattrs) > 0 {
		var list []byte
		for _, x := range e.Xattrs {
			if len(x.Name) == 0 || len(x.Name) > 255 || len(x.Value) > 65535 || strings.Contains(x.Name, "\x00") {
				return "", fmt.Errorf("%w: extended attribute %.40q: its name has %d bytes, must be 1 to 255 without NUL; its value %d, at most 65535",
					ErrTree, x.Name, len(x.Name), len(x.Value))
			}
			list = x.Append(list)
		}
		b = format.TaggedItem{Tag: format.TagXattrs, Data: list}.Append(b)
	}
	for _, it := range e.Items {
		b = it.Append(b)
	}
	return string(b), nil
}

// makeStreams checks an entry's streams and returns them in stored order.
func (d *Draft) makeStreams(e *Entry) ([]inodeStream, error) {
	if len(e.Streams) > 65535 {
		return nil, fmt.Errorf("%w: more than 65535 streams (%d)", ErrTree, len(e.Streams))
	}
	list := make([]inodeStream, 0, max(len(e.Streams), 1))
	var have [format.StreamRaw + 1]bool
	for _, s := range e.Streams {
		if s.Kind > format.StreamRaw || s.Content >= ContentID(len(d.contents)) {
			return nil, fmt.Errorf("%w: stream of kind %d with content %d", ErrTree, s.Kind, s.Content)
		}
		st := inodeStream{content: max(s.Content, NoContent), kind: s.Kind}
		if s.Kind == format.StreamNamed {
			name := ntname.Stored(s.Name)
			if err := ntname.Check(name); err != nil {
				return nil, fmt.Errorf("stream: %w", err)
			}
			st.name = d.addText(name)
		} else if have[s.Kind] {
			return nil, fmt.Errorf("%w: two streams of the same kind", ErrTree)
		}
		have[s.Kind] = true
		list = append(list, st)
	}
	dir, reparse := e.Attributes&format.AttrDirectory != 0, e.Attributes&format.AttrReparsePoint != 0
	encrypted := e.Attributes&format.AttrEncrypted != 0 && !dir
	switch {
	case dir && have[format.StreamData]:
		return nil, fmt.Errorf("%w: a folder has no content", ErrTree)
	case have[format.StreamReparse] && !reparse:
		return nil, fmt.Errorf("%w: reparse data without the reparse point attribute", ErrTree)
	case have[format.StreamRaw] && !encrypted || encrypted && (have[format.StreamData] || have[format.StreamReparse]):
		return nil, fmt.Errorf("%w: only an encrypted file has a raw stream, and it has no content or reparse data", ErrTree)
	case encrypted && !have[format.StreamRaw]:
		list = append(list, inodeStream{content: NoContent, kind: format.StreamRaw})
	}
	if reparse && !encrypted && !have[format.StreamReparse] {
		list = append(list, inodeStream{content: NoContent, kind: format.StreamReparse})
	}
	if !dir && !encrypted && !have[format.StreamData] {
		list = append(list, inodeStream{content: NoContent})
	}
	ordered := make([]inodeStream, 0, len(list))
	for _, kind := range [...]format.StreamKind{format.StreamReparse, format.StreamData, format.StreamRaw, format.StreamNamed} { // a file has data or a raw stream
		for _, s := range list {
			if s.kind == kind {
				ordered = append(ordered, s)
			}
		}
	}
	return ordered, nil
}

// securityIndex returns the index of a security descriptor, which it adds if it is new.
func (d *Draft) securityIndex(sd []byte) int32 {
	if len(sd) == 0 {
		return -1
	}
	if i, ok := d.secIndex[string(sd)]; ok {
		return i
	}
	i := int32(len(d.security))
	s := string(sd)
	d.security = append(d.security, s)
	d.secIndex[s] = i
	return i
}

// Remove removes n and everything below it. The root cannot be removed.
func (d *Draft) Remove(n Node) error {
	if n == 0 {
		return &Error{"remove", "/", format.Describe("the root of an image cannot be removed", ErrTree)}
	}
	if err := missingNode(d, "remove", n); err != nil {
		return err
	}
	d.detach(n)
	for stack := []Node{n}; len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		node := &d.nodes[n]
		if node.dir >= 0 {
			stack = append(stack, d.dirs[node.dir].kids...)
			d.dirs[node.dir] = draftDir{sorted: true}
		}
		d.inodes[node.inode].names--
		node.inode = -1
		d.live--
	}
	return nil
}

// DropContent removes what has a content for which gone returns true: files whose content or reparse data it is, and named streams. From
// an entry that cannot be removed, such as the root, it removes the streams. It returns the number of streams removed.
func (d *Draft) DropContent(gone func(id ContentID) bool) (streams int) {
	type place struct {
		n    Node
		kind format.StreamKind
	}
	var places []place
	d.EachStream(func(n Node, kind format.StreamKind, id ContentID) bool {
		if gone(id) {
			places = append(places, place{n, kind})
		}
		return true
	})
	for _, at := range places {
		if !d.Exists(at.n) {
			continue
		}
		if at.kind == format.StreamNamed {
			d.removeStreams(d.inode(at.n), func(s inodeStream) bool { return s.kind == format.StreamNamed && s.content >= 0 && gone(s.content) })
			continue
		}
		if at.n == d.Root() || d.Remove(at.n) != nil {
			d.removeStreams(d.inode(at.n), func(s inodeStream) bool { return s.content >= 0 && gone(s.content) })
		}
	}
	return len(places)
}

// Rename moves n to a name in a folder, as POSIX rename does: it replaces an existing file if n is a file, and an existing empty folder if
// n is a folder. The short name of n is lost.
func (d *Draft) Rename(n, parent Node, name string) error {
	return d.rename(n, parent, name, false)
}

// rename is Rename. If fold is set, an entry whose name differs only in case is replaced too.
func (d *Draft) rename(n, parent Node, name string, fold bool) error {
	for _, n := range [...]Node{n, parent} {
		if err := missingNode(d, "rename", n); err != nil {
			return err
		}
	}
	stored := ntname.Stored(name)
	fail := func(err error) error {
		return &Error{"rename", d.Path(n), newPathError{pathUnder(d, parent, stored), err}}
	}
	if n == 0 {
		return fail(format.Describe("the root of an image cannot be moved", ErrTree))
	}
	for p := parent; p != 0; p = d.nodes[p].parent {
		if p == n {
			return fail(format.Describe("a folder cannot be moved into itself", ErrTree))
		}
	}
	if err := placeable(d, parent, stored); err != nil && !errors.Is(err, ErrExists) {
		return fail(err)
	}
	if old, ok := d.child(parent, stored, fold); ok && old != n {
		switch {
		case d.IsDir(n) && !d.IsDir(old):
			return fail(errFileThere)
		case !d.IsDir(n) && d.IsDir(old):
			return fail(errFolderThere)
		case len(d.Children(old)) > 0:
			return fail(format.Describe("the folder at that path is not empty", ErrNotEmpty))
		}
		if err := d.Remove(old); err != nil {
			return fail(err)
		}
	}
	node := &d.nodes[n]
	if node.parent == parent && node.name == stored {
		return nil
	}
	d.detach(n)
	node.parent, node.name, node.short = parent, stored, 0
	d.attach(n)
	d.settle(parent)
	return nil
}

// Link adds another name for the file n. Folders and reparse points can have only one.
func (d *Draft) Link(n, parent Node, name string) (Node, error) {
	if err := missingNode(d, "link", n); err != nil {
		return 0, err
	}
	stored := ntname.Stored(name)
	if err := checkPlace(d, "link", parent, stored); err != nil {
		return 0, err
	}
	if in := d.inode(n); in.attributes&(format.AttrDirectory|format.AttrReparsePoint) != 0 {
		return 0, &Error{"link", d.Path(n), format.Describe("a folder or reparse point cannot have a second name", ErrTree)}
	}
	link := d.newNode(parent, stored, "", d.nodes[n].inode)
	d.settle(parent)
	return link, nil
}
