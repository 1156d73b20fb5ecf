package wim

import (
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hack-pad/hackpadfs"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// FS is an image, or a folder of one, as a read-only file system of io/fs and hackpadfs. Names are escaped (see ntname.Escape) and
// case-sensitive. Links are followed within the image; Open and Stat of a link whose target is not in the image return the link itself,
// which cannot be read. "file:stream" opens a named stream, unless there is a file of that name. FileInfo.Sys returns an FSEntry. A file
// that is read from start to end is checked: the read of its last bytes returns a *blobs.ChecksumError if the SHA-1 does not match.
type FS struct {
	im   *Image
	root Node
}

var (
	_ fs.ReadLinkFS           = (*FS)(nil)
	_ hackpadfs.ReadDirFS     = (*FS)(nil)
	_ hackpadfs.ReadFileFS    = (*FS)(nil)
	_ hackpadfs.StatFS        = (*FS)(nil)
	_ hackpadfs.LstatFS       = (*FS)(nil)
	_ hackpadfs.SubFS         = (*FS)(nil)
	_ hackpadfs.SeekerFile    = (*fsFile)(nil)
	_ io.ReaderAt             = (*fsFile)(nil)
	_ hackpadfs.DirReaderFile = (*fsDir)(nil)
)

// FSEntry is the result of FileInfo.Sys: the image's entry.
type FSEntry struct {
	Image *Image
	Node  Node
}

// FS returns the image as a file system.
func (im *Image) FS() *FS { return &FS{im: im} }

// Sub returns a folder as a file system. Links in it may still lead elsewhere in the image.
func (f *FS) Sub(dir string) (fs.FS, error) {
	t, err := f.find("sub", dir, true)
	if err != nil {
		return nil, err
	}
	if !t.mode.IsDir() {
		return nil, &fs.PathError{Op: "sub", Path: dir, Err: hackpadfs.ErrNotDir}
	}
	return &FS{im: f.im, root: t.node}, nil
}

// Open opens a file, a folder or a named stream.
func (f *FS) Open(name string) (fs.File, error) {
	t, err := f.find("open", name, true)
	if err != nil {
		return nil, err
	}
	if t.mode.IsDir() {
		return &fsDir{info: *t, path: name}, nil
	}
	file := &fsFile{info: *t, path: name}
	if t.mode&fs.ModeSymlink == 0 && !t.hash.IsZero() {
		if f.im.a == nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: &blobs.MissingError{Hash: t.hash}}
		}
		r, err := f.im.a.st.OpenBlob(t.hash)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		file.r, file.size = r, r.Size()
	}
	return file, nil
}

// Stat describes the entry at a path and follows a link there.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	t, err := f.find("stat", name, true)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Lstat describes the entry at a path, without following a link there.
func (f *FS) Lstat(name string) (fs.FileInfo, error) {
	t, err := f.find("lstat", name, false)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// ReadLink returns the target of a link: for an absolute target within the image, whether it exists or not, the relative path to it; for
// all others the target as stored, with slashes.
func (f *FS) ReadLink(name string) (string, error) {
	t, err := f.find("readlink", name, false)
	if err != nil {
		return "", err
	}
	if t.mode&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: hackpadfs.ErrInvalid}
	}
	l, err := f.im.Link(t.node)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	target, _ := l.Path(f.im, t.node)
	return target, nil
}

// ReadDir lists a folder, sorted by name as Go compares strings.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	t, err := f.find("open", name, true) // "open" is the Op in the error of os.ReadDir and of hackpadfs
	if err != nil {
		return nil, err
	}
	if !t.mode.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: hackpadfs.ErrNotDir}
	}
	return dirEntries(f.im, t.node), nil
}

// ReadFile reads a whole file. It uses at most twice the memory of the bytes that are really there, whatever size the archive claims.
func (f *FS) ReadFile(name string) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size := int64(0)
	if ff, ok := file.(*fsFile); ok {
		size = ff.size
	}
	b := make([]byte, 0, min(size, 1<<20)+1)
	for {
		n, err := file.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
		if len(b) == cap(b) {
			b = slices.Grow(b, int(min(int64(len(b)), max(0, size-int64(len(b)))))+1)
		}
	}
}

// find returns the entry at a path. follow is whether to follow a link at its end.
func (f *FS) find(op, name string, follow bool) (*fsInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: hackpadfs.ErrInvalid}
	}
	im := f.im
	n := f.root
	if name == "." {
		return statInfo(im, n, "."), nil
	}
	links := follower{im, maxLinkHops}
	rest, more := name, true
	for more {
		var step string
		step, rest, more = strings.Cut(rest, "/")
		if !im.IsDir(n) {
			dir, err := links.resolve(n)
			if err != nil {
				return nil, &fs.PathError{Op: op, Path: name, Err: err}
			}
			if n = dir; !im.IsDir(n) {
				return nil, &fs.PathError{Op: op, Path: name, Err: hackpadfs.ErrNotDir}
			}
		}
		units, ok := ntname.Unescape(step)
		child := Node(0)
		if ok {
			child, ok = im.Child(n, ntname.Bytes(units), true)
		}
		if !ok && !more {
			if t := streamInfo(&links, n, step); t != nil {
				return t, nil
			}
		}
		if !ok {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		n = child
	}
	if follow {
		if target, err := links.resolve(n); err == nil {
			n = target
		}
	}
	return statInfo(im, n, path.Base(name)), nil
}

// streamInfo returns the named stream of a child of dir for a step of the form "file:stream", nil if there is none.
func streamInfo(links *follower, dir Node, step string) *fsInfo {
	im := links.Image
	i := strings.LastIndexByte(step, ':')
	if i <= 0 || i == len(step)-1 {
		return nil
	}
	units, ok := ntname.Unescape(step[:i])
	if !ok {
		return nil
	}
	n, ok := im.Child(dir, ntname.Bytes(units), true)
	if !ok {
		return nil
	}
	if target, err := links.resolve(n); err == nil {
		n = target
	}
	s, ok := im.Stream(n, step[i+1:])
	if !ok || s.Name != step[i+1:] {
		return nil
	}
	t := statInfo(im, n, step)
	t.mode &= fs.ModePerm
	t.hash, t.size = s.Hash, s.Size
	return t
}

// fsInfo is a fs.FileInfo and a fs.DirEntry.
type fsInfo struct {
	im   *Image
	node Node
	name string
	mode fs.FileMode
	hash format.Hash
	size int64
}

func statInfo(im *Image, n Node, name string) *fsInfo {
	t := &fsInfo{im: im, node: n, name: name, mode: modeOf(im, n)}
	if t.mode.IsDir() || t.mode&fs.ModeSymlink != 0 {
		return t
	}
	t.hash = im.Hash(n)
	t.size = blobSize(im, t.hash)
	return t
}

// modeOf returns the type and permissions of n for io/fs. The permissions are those of its Unix data, or else 0755 for folders, 0644 for
// files and 0444 for read-only files. Reparse points that stand for a path are symbolic links; those whose content is not in the image
// are irregular files.
func modeOf(im *Image, n Node) fs.FileMode {
	e := im.Dentry(n)
	attrs := e.Attributes()
	mode := fs.FileMode(0644)
	unix, isUnix := im.Items(n).UnixData()
	switch {
	case isUnix:
		mode = fs.FileMode(unix.Mode & 0777)
		if unix.Mode&04000 != 0 {
			mode |= fs.ModeSetuid
		}
		if unix.Mode&02000 != 0 {
			mode |= fs.ModeSetgid
		}
		if unix.Mode&01000 != 0 {
			mode |= fs.ModeSticky
		}
	case attrs&format.AttrDirectory != 0:
		mode = 0755
	case attrs&format.AttrReadOnly != 0:
		mode = 0444
	}
	if attrs&format.AttrReparsePoint != 0 {
		switch tag := e.ReparseTag(); {
		case tag == format.TagSymlink, tag == format.TagMountPoint, tag == format.TagLxSymlink:
			return fs.ModeSymlink | 0777
		case format.IsSurrogate(tag):
			return mode | fs.ModeIrregular
		case attrs&format.AttrDirectory == 0 && im.Hash(n).IsZero():
			return mode | fs.ModeIrregular
		}
	}
	if attrs&format.AttrDirectory != 0 {
		return mode | fs.ModeDir
	}
	if isUnix {
		switch unix.Mode & 0170000 {
		case 0140000:
			mode |= fs.ModeSocket
		case 0060000:
			mode |= fs.ModeDevice
		case 0020000:
			mode |= fs.ModeDevice | fs.ModeCharDevice
		case 0010000:
			mode |= fs.ModeNamedPipe
		}
	}
	return mode
}

func (t *fsInfo) Name() string               { return t.name }
func (t *fsInfo) Size() int64                { return t.size }
func (t *fsInfo) Mode() fs.FileMode          { return t.mode }
func (t *fsInfo) Type() fs.FileMode          { return t.mode.Type() }
func (t *fsInfo) ModTime() time.Time         { return t.im.Modified(t.node).Time() }
func (t *fsInfo) IsDir() bool                { return t.mode.IsDir() }
func (t *fsInfo) Sys() any                   { return FSEntry{t.im, t.node} }
func (t *fsInfo) Info() (fs.FileInfo, error) { return t, nil }
func (t *fsInfo) String() string             { return fs.FormatFileInfo(t) }

// dirEntries returns the children of n sorted by name.
func dirEntries(im *Image, n Node) []fs.DirEntry {
	first, count := im.Children(n)
	infos := make([]*fsInfo, count)
	for i := range infos {
		c := first + Node(i)
		infos[i] = statInfo(im, c, im.Name(c))
	}
	slices.SortFunc(infos, func(a, b *fsInfo) int { return strings.Compare(a.name, b.name) })
	list := make([]fs.DirEntry, count)
	for i, t := range infos {
		list[i] = t
	}
	return list
}

// fsFile is an open file, named stream, or link whose target is not in the image.
type fsFile struct {
	info fsInfo
	path string
	r    *blobs.Reader // nil if the file is empty
	size int64
	sum  blobs.OrderSum

	mu     sync.Mutex
	off    int64
	closed bool
}

func (f *fsFile) fail(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.path, Err: err}
}

// check returns an error if the file cannot be read. f.mu is held.
func (f *fsFile) check(op string) error {
	if f.closed {
		return f.fail(op, fs.ErrClosed)
	}
	if f.info.mode&fs.ModeSymlink != 0 {
		links := follower{f.info.im, maxLinkHops}
		_, err := links.resolve(f.info.node)
		if err == nil {
			err = fs.ErrNotExist // the path has too many links
		}
		return f.fail(op, err)
	}
	return nil
}

func (f *fsFile) Stat() (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, f.fail("stat", fs.ErrClosed)
	}
	return &f.info, nil
}

func (f *fsFile) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check("read"); err != nil {
		return 0, err
	}
	off := f.off
	n, err := f.readAt(p, off)
	f.off += int64(n)
	if n > 0 && (err == nil || err == io.EOF) {
		if err = f.sum.Add(f.r, p[:n], off); err != nil {
			err = f.fail("read", err)
		}
	}
	return n, err
}

func (f *fsFile) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	err := f.check("read")
	f.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, f.fail("read", hackpadfs.ErrInvalid)
	}
	return f.readAt(p, off)
}

func (f *fsFile) readAt(p []byte, off int64) (int, error) {
	if off >= f.size {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	want := int(min(int64(len(p)), f.size-off))
	n, err := f.r.ReadAt(p[:want], off)
	if n == want {
		err = nil
		if want < len(p) {
			err = io.EOF
		}
	}
	if err != nil && err != io.EOF {
		err = f.fail("read", err)
	}
	return n, err
}

func (f *fsFile) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, f.fail("seek", fs.ErrClosed)
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.off
	case io.SeekEnd:
		offset += f.size
	default:
		return 0, f.fail("seek", hackpadfs.ErrInvalid)
	}
	if offset < 0 {
		return 0, f.fail("seek", hackpadfs.ErrInvalid)
	}
	f.off = offset
	return offset, nil
}

func (f *fsFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.fail("close", fs.ErrClosed)
	}
	f.closed = true
	return nil
}

// fsDir is an open folder.
type fsDir struct {
	info fsInfo
	path string

	mu     sync.Mutex
	list   []fs.DirEntry
	listed bool
	closed bool
}

func (d *fsDir) Stat() (fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, &fs.PathError{Op: "stat", Path: d.path, Err: fs.ErrClosed}
	}
	return &d.info, nil
}

func (d *fsDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: hackpadfs.ErrIsDir}
}

// ReadDir returns the next n entries in the order of names, all remaining ones if n is not positive.
func (d *fsDir) ReadDir(n int) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, &fs.PathError{Op: "readdir", Path: d.path, Err: fs.ErrClosed}
	}
	if !d.listed {
		d.list, d.listed = dirEntries(d.info.im, d.info.node), true
	}
	if n <= 0 {
		list := d.list
		d.list = nil
		return list, nil
	}
	if len(d.list) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.list))
	list := d.list[:n:n]
	d.list = d.list[n:]
	return list, nil
}

func (d *fsDir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return &fs.PathError{Op: "close", Path: d.path, Err: fs.ErrClosed}
	}
	d.closed = true
	return nil
}
