package main

import (
	"container/list"
	"os"
	"slices"

	"wimscope/wim/extract"
)

// maxDirFiles is the most descriptors that a dirCache uses. Where a process may have 256, that leaves enough for the archive
// and the files being written.
const maxDirFiles = 128

// dirCache keeps folders of the target open, by their places. Above maxDirFiles it closes the
// least recently used folder. Each folder is opened relative to its parent, so paths may have any length.
type dirCache struct {
	open  map[extract.Place]*cachedDir
	order list.List // of *cachedDir, most recently used first
	files int       // descriptors in use
}

// cachedDir is an open folder.
type cachedDir struct {
	root *os.Root
	file *os.File // for calls that need a descriptor; opened on first use

	cache *dirCache
	key   extract.Place
	place *list.Element
	pins  int // how many users keep it open while they use other folders
}

// get returns an open folder and marks it as used.
func (c *dirCache) get(key extract.Place) (*cachedDir, bool) {
	d, ok := c.open[key]
	if ok {
		c.order.MoveToFront(d.place)
	}
	return d, ok
}

func (c *dirCache) put(key extract.Place, root *os.Root) *cachedDir {
	d := &cachedDir{root: root, cache: c, key: key}
	if c.open == nil {
		c.open = map[extract.Place]*cachedDir{}
	}
	c.open[key], d.place = d, c.order.PushFront(d)
	c.files++
	c.trim()
	return d
}

// trim closes folders until there are few enough. The folder in use is the most recent one and is never closed.
func (c *dirCache) trim() {
	for e := c.order.Back(); e != nil && c.files > maxDirFiles; {
		d := e.Value.(*cachedDir)
		e = e.Prev()
		if d.pins == 0 {
			c.drop(d)
		}
	}
}

func (c *dirCache) drop(d *cachedDir) {
	d.root.Close()
	c.files--
	if d.file != nil {
		d.file.Close()
		c.files--
	}
	c.order.Remove(d.place)
	delete(c.open, d.key)
}

func (c *dirCache) close() {
	for _, d := range c.open {
		c.drop(d)
	}
}

// handle returns the folder as an open file.
func (d *cachedDir) handle() (*os.File, error) {
	if d.file == nil {
		f, err := d.root.Open(".")
		if err != nil {
			return nil, err
		}
		d.file = f
		d.cache.files++
		d.cache.trim()
	}
	return d.file, nil
}

// pin keeps the folder open until unpin is called.
func (d *cachedDir) pin()   { d.pins++ }
func (d *cachedDir) unpin() { d.pins-- }

// dir opens the folder at a place. The result is valid until the next call of dir, or while it is pinned.
func (w *folderTarget) dir(p extract.Place) (*cachedDir, error) {
	c := &w.dirs
	if d, ok := c.get(p); ok {
		return d, nil
	}
	// Walk up to an open folder, then open each folder below it relative to its parent.
	var chain []extract.Place
	d, ok := c.get(p)
	for !ok && p != (extract.Place{}) {
		chain = append(chain, p)
		p = p.Folder(w.im)
		d, ok = c.get(p)
	}
	if !ok {
		r, err := w.root.OpenRoot(".")
		if err != nil {
			return nil, err
		}
		d = c.put(p, r)
	}
	for _, p := range slices.Backward(chain) {
		r, err := d.root.OpenRoot(w.name(p))
		if err != nil {
			return nil, err
		}
		d = c.put(p, r) // d is the most recent one, so put does not close it
	}
	return d, nil
}
