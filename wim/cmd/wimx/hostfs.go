package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"wimscope/wim/draft"
)

// hostFS is a folder of this system as a file system for the engine's scan. Unlike other file systems of io/fs it does not
// check names, because those of the system may contain characters that io/fs does not allow. It is only used with paths that
// it returned itself.
type hostFS struct {
	top string
	far *farFolder
}

// The interfaces that the engine looks for.
var _ interface {
	fs.ReadDirFS
	fs.StatFS
	fs.ReadLinkFS
	draft.FactsFS
	draft.LinkFS
} = hostFS{}

func (h hostFS) path(name string) string {
	if name == "." {
		return h.top
	}
	return filepath.Join(h.top, filepath.FromSlash(name))
}

func (h hostFS) ReadDir(name string) ([]fs.DirEntry, error) { return h.far.readDir(h.path(name)) }
func (h hostFS) Stat(name string) (fs.FileInfo, error)      { return h.far.stat(h.path(name)) }
func (h hostFS) Lstat(name string) (fs.FileInfo, error)     { return h.far.lstat(h.path(name)) }
func (h hostFS) ReadLink(name string) (string, error)       { return h.far.readLink(h.path(name)) }

// LinkInside compares the folder with each leading part of the target by identity, so that it does not matter which path
// either is reached by.
func (h hostFS) LinkInside(root, target string) (rest string, ok bool) {
	want, err := os.Stat(h.path(root))
	if err != nil {
		return "", false
	}
	for at := 0; at < len(target); {
		for at < len(target) && os.IsPathSeparator(target[at]) {
			at++
		}
		if at == len(target) {
			break
		}
		for at < len(target) && !os.IsPathSeparator(target[at]) {
			at++
		}
		have, err := os.Stat(target[:at])
		if err != nil {
			break
		}
		if os.SameFile(want, have) {
			return filepath.ToSlash(target[at:]), true
		}
	}
	return "", false
}

// hostSource returns the file system to scan for a path, and the path in it. With keepLink, a path that is a symbolic link
// means the link itself.
func hostSource(name string, keepLink bool) (h hostFS, root string, err error) {
	look := os.Stat
	if keepLink {
		look = os.Lstat
	}
	fi, err := look(name)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return h, "", coded(exitStat, &fs.PathError{Op: "capture", Path: name, Err: cause(err)})
	}
	if fi.IsDir() {
		return hostFS{name, &farFolder{}}, ".", nil
	}
	return hostFS{filepath.Dir(name), &farFolder{}}, filepath.Base(name), nil
}
