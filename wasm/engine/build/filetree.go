package build

import (
	"cmp"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"wimscope/wasm/engine"
)

// fileTree is a folder made from Files that were attached one by one, with their paths.
type fileTree struct {
	nodes map[string]*treeNode // by path
}

type treeNode struct {
	name    string
	file    engine.Source // nil for a folder
	when    time.Time     // time of the last change, zero if unknown: browsers report none for folders
	entries []*treeNode   // sorted by name
}

// newFileTree returns a folder with the given paths, and removes its files from attach.
func newFileTree(paths []string, attach *[]any) (*fileTree, error) {
	t := &fileTree{nodes: make(map[string]*treeNode)}
	t.nodes["."] = &treeNode{name: "."}
	for _, p := range paths {
		clean, isDir := strings.CutSuffix(p, "/")
		if !fs.ValidPath(clean) || clean == "." || t.nodes[clean] != nil && (!isDir || t.nodes[clean].file != nil) {
			return nil, badRequest("an invalid or repeated path: " + p)
		}
		n := &treeNode{}
		if !isDir {
			if len(*attach) == 0 {
				return nil, badRequest("fewer files are attached than there are paths")
			}
			f, ok := (*attach)[0].(engine.Source)
			*attach = (*attach)[1:]
			if !ok {
				return nil, badRequest("an attachment is not a file")
			}
			n.file = f
			if m, ok := f.(interface{ ModTime() time.Time }); ok {
				n.when = m.ModTime()
			}
		}
		for { // from the entry up to the first known folder
			if t.nodes[clean] != nil {
				break
			}
			n.name = path.Base(clean)
			t.nodes[clean] = n
			clean = path.Dir(clean)
			up := t.nodes[clean]
			known := up != nil
			if !known {
				up = &treeNode{}
			} else if up.file != nil {
				return nil, badRequest("a file is where a folder must be: " + p)
			}
			up.entries = append(up.entries, n)
			if known {
				break
			}
			n = up
		}
	}
	for _, n := range t.nodes {
		slices.SortFunc(n.entries, func(a, b *treeNode) int { return cmp.Compare(a.name, b.name) })
	}
	return t, nil
}

func (t *fileTree) node(op, name string) (*treeNode, error) {
	n, ok := t.nodes[name]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

// Open implements fs.FS.
func (t *fileTree) Open(name string) (fs.File, error) {
	n, err := t.node("open", name)
	if err != nil {
		return nil, err
	}
	if n.file == nil {
		return &treeDir{treeNode: n}, nil
	}
	return &treeFile{treeNode: n}, nil
}

// Stat implements fs.StatFS.
func (t *fileTree) Stat(name string) (fs.FileInfo, error) {
	n, err := t.node("stat", name)
	if err != nil {
		return nil, err
	}
	return n.Info()
}

// Kept implements Keeper.
func (t *fileTree) Kept(name string) (any, int64, fs.FileInfo) {
	if n := t.nodes[name]; n != nil && n.file != nil {
		return n.file, 0, n
	}
	return nil, 0, nil
}

// ReadDir implements fs.ReadDirFS.
func (t *fileTree) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.node("open", name)
	if err != nil {
		return nil, err
	}
	return n.list(0, len(n.entries)), nil
}

func (n *treeNode) list(from, to int) []fs.DirEntry {
	out := make([]fs.DirEntry, 0, to-from)
	for _, e := range n.entries[from:to] {
		out = append(out, e)
	}
	return out
}

// A treeNode is its own fs.DirEntry and fs.FileInfo.

func (n *treeNode) Name() string               { return n.name }
func (n *treeNode) IsDir() bool                { return n.file == nil }
func (n *treeNode) Info() (fs.FileInfo, error) { return n, nil }
func (n *treeNode) Stat() (fs.FileInfo, error) { return n, nil }
func (n *treeNode) ModTime() time.Time         { return n.when }
func (n *treeNode) Type() fs.FileMode          { return n.Mode().Type() }
func (n *treeNode) Sys() any                   { return nil }
func (n *treeNode) Close() error               { return nil }
func (n *treeNode) Mode() fs.FileMode {
	if n.IsDir() {
		return fs.ModeDir | 0o777
	}
	return 0o666
}

func (n *treeNode) Size() int64 {
	if n.IsDir() {
		return 0
	}
	return n.file.Size()
}

// treeFile is an open file.
type treeFile struct {
	*treeNode
	at int64
}

// ReadAt implements io.ReaderAt.
func (f *treeFile) ReadAt(b []byte, off int64) (int, error) { return f.file.ReadAt(b, off) }

// Read implements io.Reader.
func (f *treeFile) Read(b []byte) (int, error) {
	n, err := f.file.ReadAt(b, f.at)
	f.at += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// treeDir is an open folder.
type treeDir struct {
	*treeNode
	at int
}

// Read implements io.Reader.
func (d *treeDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *treeDir) ReadDir(n int) ([]fs.DirEntry, error) {
	left := len(d.entries) - d.at
	if n > 0 && left == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > left {
		n = left
	}
	d.at += n
	return d.list(d.at-n, d.at), nil
}
