package main

import (
	"container/list"
	"os"
)

// maxDirFiles is how many descriptors a dirCache uses. It leaves room for the archive and what is being written where a
// process has 256.
const maxDirFiles = 128

// dirCache keeps folders of the target open by their index in writer.outs; -1 is the target itself. When it uses too
// many descriptors, the folder that was used least recently is closed. Each folder is opened in the one above it, so
// that the length of a path does not matter.
type dirCache struct {
	open  map[int32]*cachedDir
	order list.List // of *cachedDir, the one used last in front
	files int       // descriptors in use
}

// cachedDir is an open folder.
type cachedDir struct {
	root *os.Root
	file *os.File // for calls that want a descriptor; opened when first asked for

	cache *dirCache
	key   int32
	place *list.Element
	pins  int // users who keep it while they use other folders
}

// get gives a folder that is open and marks it as used.
func (c *dirCache) get(key int32) (*cachedDir, bool) {
	d, ok := c.open[key]
	if ok {
		c.order.MoveToFront(d.place)
	}
	return d, ok
}

func (c *dirCache) put(key int32, root *os.Root) *cachedDir {
	d := &cachedDir{root: root, cache: c, key: key}
	if c.open == nil {
		c.open = map[int32]*cachedDir{}
	}
	c.open[key], d.place = d, c.order.PushFront(d)
	c.files++
	c.trim()
	return d
}

// trim closes folders until there are few enough. The one in hand was used last, and its turn does not come.
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

// handle is the folder as an open file.
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

// pin keeps the folder open until unpin.
func (d *cachedDir) pin()   { d.pins++ }
func (d *cachedDir) unpin() { d.pins-- }

// dir opens the folder of index i. It is good until another folder is asked for, or unpinned.
func (w *writer) dir(i int32) (*cachedDir, error) {
	c := &w.dirs
	if d, ok := c.get(i); ok {
		return d, nil
	}
	// The chain of folders up to one that is open; from there on down, each is opened in the one above it.
	var chain []int32
	up := i
	d, ok := c.get(up)
	for !ok && up >= 0 && w.outs[up].name != "" {
		chain = append(chain, up)
		up = w.outs[up].parent
		d, ok = c.get(up)
	}
	if !ok {
		r, err := w.root.OpenRoot(".")
		if err != nil {
			return nil, err
		}
		d = c.put(up, r)
	}
	for k := len(chain) - 1; k >= 0; k-- {
		r, err := d.root.OpenRoot(w.outs[chain[k]].name)
		if err != nil {
			return nil, err
		}
		d = c.put(chain[k], r) // d was used last, so that it is open so far
	}
	return d, nil
}
