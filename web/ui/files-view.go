package ui

import (
	"strconv"

	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// FilesView is the Files tab: a path bar over the tree, the list and the inspector.
type FilesView struct{ base }

const (
	minTree, maxTree           = state.MinTree, state.MaxTree
	minInspector, maxInspector = state.MinInspector, state.MaxInspector
)

var panes = [...]state.Pane{state.PaneTree, state.PaneList, state.PaneInspector}

func (c *FilesView) sizes() string {
	return "--tree:" + itoa(c.App.Look.Sizes.Tree) + "px;--inspector:" + itoa(c.App.Look.Sizes.Inspector) + "px"
}

func (c *FilesView) pickImage(v string) {
	if n, err := strconv.Atoi(v); err == nil {
		c.Archive.Files.PickImage(n)
	}
}

func (c *FilesView) imageOption(im protocol.Image) string {
	return imageLabel(&c.base, im)
}

// imageLabel returns the name of an image and its index.
func imageLabel(b *base, im protocol.Image) string {
	name := state.ImageName(&im)
	if name == itoa(im.Index) {
		return b.T("image.unnamed", im.Index)
	}
	return name + " · " + itoa(im.Index)
}

func (c *FilesView) crumb(name string) string {
	if name == "" {
		return c.T("files.root")
	}
	return name
}

func (c *FilesView) here(i int) any {
	if i == len(c.Archive.Files.Path)-1 {
		return "location"
	}
	return nil
}

// summary returns how many entries are shown and selected, and their size.
func (c *FilesView) summary() string {
	l := &c.Archive.Files.List
	s := c.T("files.items", l.View.Total)
	if l.Filter != "" {
		s = c.T("files.items-of", l.View.Total, l.All)
	}
	if n := l.Sel.Count(); n > 0 {
		s += " · " + c.T("files.selected", n)
		if b, ok := l.SelectedBytes(); ok && b > 0 {
			s += ", " + words.Size(b)
		}
	} else if l.Bytes > 0 {
		s += " · " + words.Size(l.Bytes)
	}
	return s
}

func (c *FilesView) filterKey(key string, held state.Keys) bool {
	switch key {
	case "Escape":
		c.Archive.Files.List.SetFilter("")
		c.Archive.Files.List.Focus()
	case "Enter", "ArrowDown":
		c.Archive.Files.List.Focus()
	default:
		return false
	}
	return true
}

func (c *FilesView) splitTree(key string, held state.Keys) bool {
	return c.split(true, c.App.Look.Sizes.Tree, key, 1)
}

func (c *FilesView) splitInspector(key string, held state.Keys) bool {
	return c.split(false, c.App.Look.Sizes.Inspector, key, -1)
}

// split moves a separator by a key. Grows is 1 if its pane grows to the right, -1 if to the left.
func (c *FilesView) split(tree bool, width int, key string, grows int) bool {
	least, most := minTree, maxTree
	if !tree {
		least, most = minInspector, maxInspector
	}
	switch key {
	case "ArrowRight":
		width += 16 * grows
	case "ArrowLeft":
		width -= 16 * grows
	case "Home":
		width = least
	case "End":
		width = most
	default:
		return false
	}
	c.App.Look.SizePane(tree, width, true)
	return true
}
