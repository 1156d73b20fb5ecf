package state

import (
	"strings"
	"time"

	"wimscope/worker/protocol"
)

// Pane is which pane a narrow page shows.
type Pane string

// The panes of the Files tab.
const (
	PaneTree      Pane = "tree"
	PaneList      Pane = "list"
	PaneInspector Pane = "inspector"
)

// Files is the Files tab: one folder of one image. It directs its parts to a folder or an entry; of them only List reports
// back, by onLoad, onFail and onSelect.
type Files struct {
	Image   int            // from 1
	Entry   protocol.Crumb // the folder
	Path    []protocol.Crumb
	Loading bool
	Problem *Problem // why the image or folder cannot be shown

	List      List
	Tree      Tree
	Inspector Inspector
	Preview   Preview
	Pane      Pane

	ar            *opened
	addressSerial int
}

func (f *Files) init(ar *opened) {
	f.ar = ar
	f.Pane = PaneList
	f.List = List{ar: ar, onLoad: f.loaded, onFail: f.failed, onSelect: f.selected, Sort: "name"}
	f.List.View.Height = 600
	f.List.clear()
	f.Tree.ar = ar
	f.Tree.View.Height = 600
	f.Tree.clear()
	f.Inspector.ar = ar
	f.Preview.ar = ar
	f.Preview.close()
}

// FolderPath returns the path of the folder: "/" or "/Windows/System32".
func (f *Files) FolderPath() string {
	var b strings.Builder
	for _, c := range f.Path {
		if c.Name != "" {
			b.WriteByte('/')
			b.WriteString(c.Name)
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

func join(folder, name string) string {
	if folder == "/" {
		return "/" + name
	}
	return folder + "/" + name
}

// route returns the current place of the tab.
func (f *Files) route() Route {
	r := Route{ID: f.ar.ID, Tab: TabFiles, Image: f.Image}
	if f.Path != nil {
		r.Path = f.FolderPath()
		if row, ok := f.List.Row(f.List.Cursor); ok {
			r.Path = join(r.Path, row.Name)
		}
	}
	if r.Path == "/" {
		r.Path = ""
	}
	return r
}

// goTo shows the place r. Without an image it stays at the current one; the first time it shows image 1.
func (f *Files) goTo(r Route) {
	if len(f.ar.Info.Images) == 0 {
		return
	}
	image := r.Image
	switch {
	case f.ar.hasImage(image):
	case image == 0 && f.Image != 0:
		image = f.Image
	default:
		image = 1
	}
	if f.Image == image && f.Path != nil {
		here := f.route()
		if here.Path == r.Path || r.Path == "" && r.Image == 0 {
			return
		}
	}
	f.setImage(image)
	f.goPath(r.Path)
}

// setImage switches to an image, with nothing of it loaded.
func (f *Files) setImage(image int) {
	if f.Image == image {
		return
	}
	f.Image, f.Entry, f.Path = image, protocol.Crumb{}, nil
	f.Loading, f.Problem = false, nil
	f.Pane = PaneList
	f.addressSerial++
	f.List.clear()
	f.Tree.clear()
	f.Inspector.show(image, protocol.Row{}, false)
	f.Preview.close()
}

// PickImage shows another image, at the same path if it exists there.
func (f *Files) PickImage(image int) {
	f.ar.update(func() {
		if image == f.Image || !f.ar.hasImage(image) {
			return
		}
		at := ""
		if f.Path != nil {
			at = f.FolderPath()
		}
		f.setImage(image)
		f.ar.at.move(Route{ID: f.ar.ID, Tab: TabFiles, Image: image, Path: at}, false)
		f.goPath(at)
	})
}

// OpenImage goes from another tab to the files of an image.
func (f *Files) OpenImage(image int) {
	f.ar.update(func() {
		r := Route{ID: f.ar.ID, Tab: TabFiles, Image: image}
		if f.Image == image {
			r = f.route()
		}
		f.ar.at.goTo(r)
	})
}

// goPath shows the folder at a path, or the folder of a file with the cursor on the file. If the path does not exist, it
// shows the nearest existing folder above.
func (f *Files) goPath(at string) {
	f.Loading, f.Problem = true, nil
	image := f.Image
	gen := f.List.rows.reset()
	at = "/" + strings.Trim(at, "/")
	go func() {
		var folder, find int32 = 0, 0
		for at != "/" {
			row, err := f.ar.Session.Find(f.ar.ctx, protocol.FindRequest{Image: image, Path: at})
			parent := at[:max(strings.LastIndexByte(at, '/'), 1)]
			if parent != "/" {
				parent = strings.TrimSuffix(parent, "/")
			}
			if err == nil && row.Dir {
				folder = row.Node
				break
			}
			if err == nil {
				find = row.Node
			}
			at = parent
		}
		f.ar.update(func() {
			if gen == f.List.rows.gen {
				f.openFolder(folder, find)
			}
		})
	}()
}

// OpenFolder shows a folder of the image.
func (f *Files) OpenFolder(node int32) {
	f.ar.update(func() { f.goFolder(node, 0) })
}

// PickFolder shows the folder of row i of the tree.
func (f *Files) PickFolder(i int) {
	f.ar.update(func() {
		if row, ok := f.Tree.Row(i); ok {
			f.Tree.Cursor = i
			f.Pane = PaneList
			f.Preview.close()
			f.goFolder(row.Node, 0)
		}
	})
}

// Up shows the folder above.
func (f *Files) Up() {
	f.ar.update(func() {
		if n := len(f.Path); n > 1 {
			f.goFolder(f.Path[n-2].Node, f.Path[n-1].Node)
		}
	})
}

// goFolder removes the filter and shows a folder. The entry find, if not 0, gets the cursor.
func (f *Files) goFolder(node, find int32) {
	f.List.Filter = ""
	f.openFolder(node, find)
}

func (f *Files) openFolder(node, find int32) {
	f.Loading, f.Problem = true, nil
	f.Entry.Node = node
	f.List.open(f.Image, node, find)
}

// loaded is List.onLoad.
func (f *Files) loaded(rep *protocol.ListReply, moved bool) {
	f.Loading = false
	f.Path = rep.Path
	if n := len(rep.Path); n > 0 {
		f.Entry = rep.Path[n-1]
	}
	if moved {
		f.Tree.show(f.Image, f.Path, f.Entry.Node)
	}
	f.setAddress(moved)
}

// failed is List.onFail.
func (f *Files) failed(err error) {
	f.Loading = false
	f.Problem = f.ar.problem(err, "")
}

// selected is List.onSelect: the inspector shows the entry under the cursor if only that is selected.
func (f *Files) selected() {
	l := &f.List
	row, ok := l.Row(l.Cursor)
	f.Inspector.show(f.Image, row, ok && l.Sel.Count() == 1 && l.Sel.Has(l.Cursor))
	f.setAddress(false)
}

// setAddress updates the address: at once and with an entry in the history if another folder is shown, after a pause and
// without one if only the cursor moved.
func (f *Files) setAddress(folder bool) {
	f.addressSerial++
	at := f.ar.at
	here := func() bool { return at.Route.Tab == TabFiles && at.Route.ID == f.ar.ID }
	if !here() {
		return
	}
	if folder {
		r := f.route()
		// The first folder after opening is the place that the address already names, if less exactly.
		at.move(r, at.Route.Path == "" && r.Path == "" || at.Route.Path == r.Path || at.Route.Image == 0)
		return
	}
	serial := f.addressSerial
	time.AfterFunc(addressDelay, func() {
		f.ar.Read(func() {
			if !f.ar.left && serial == f.addressSerial && here() {
				at.move(f.route(), true)
			}
		})
	})
}

// Enter opens row i: a folder in the list, a link at its target, a file in the preview.
func (f *Files) Enter(i int) {
	f.ar.update(func() {
		row, ok := f.List.Row(i)
		if !ok {
			return
		}
		if row.Dir && row.Link == "" {
			f.goFolder(row.Node, 0)
			return
		}
		if f.List.Cursor != i {
			f.List.place(i)
		}
		switch {
		case row.Link != "":
			f.followLink(row)
		case row.BadLink:
			f.ar.note(f.ar.T("files.link-bad"), true)
		default:
			f.Preview.open(f.Image, row, "", "")
		}
	})
}

// OpenPreview shows the file under the cursor, or one of its streams. Mode "" chooses the mode by the content.
func (f *Files) OpenPreview(stream string, mode Mode) {
	f.ar.update(func() {
		if row, ok := f.List.Row(f.List.Cursor); ok && (!row.Dir || stream != "") {
			f.Preview.open(f.Image, row, stream, mode)
		}
	})
}

// followLink goes to the target of a symbolic link or junction, if that is in this image.
func (f *Files) followLink(row protocol.Row) {
	image := f.Image
	go func() {
		d, err := f.ar.Session.Stat(f.ar.ctx, protocol.StatRequest{Image: image, Node: row.Node})
		f.ar.update(func() {
			switch {
			case f.Image != image:
			case err != nil || !d.LinkFound:
				f.ar.note(f.ar.T("files.link-outside", row.Link), true)
			default:
				f.goNode(d.LinkNode)
			}
		})
	}()
}

// RevealNode shows an entry of the image: a folder, or the folder that holds a file.
func (f *Files) RevealNode(node int32) { f.ar.update(func() { f.goNode(node) }) }

func (f *Files) goNode(node int32) {
	image := f.Image
	go func() {
		d, err := f.ar.Session.Stat(f.ar.ctx, protocol.StatRequest{Image: image, Node: node})
		f.ar.update(func() {
			if err == nil && f.Image == image {
				f.goPath(d.FullPath)
			}
		})
	}()
}

// Reveal shows a path of an image, from any tab.
func (f *Files) Reveal(image int, path string) {
	f.ar.update(func() {
		if !f.ar.hasImage(image) {
			return
		}
		f.ar.at.move(Route{ID: f.ar.ID, Tab: TabFiles, Image: image, Path: path}, false)
		f.setImage(image)
		f.Pane = PaneList
		f.Preview.close()
		f.goPath(path)
		f.ar.platform.Focus("list")
	})
}

// ShowPane chooses the pane that a narrow page shows.
func (f *Files) ShowPane(p Pane) {
	f.ar.update(func() { f.Pane = p })
}

// Keys are the modifier keys that were held.
type Keys struct{ Shift, Ctrl, Alt bool }

// ListKey handles a key in the list. It reports whether the key was used.
func (f *Files) ListKey(key string, held Keys) bool {
	if held.Alt {
		if key == "ArrowUp" {
			f.Up()
			return true
		}
		return false
	}
	if f.List.key(key, held) {
		return true
	}
	switch key {
	case "Enter", "ArrowRight":
		var cursor int
		f.ar.Read(func() { cursor = f.List.Cursor })
		if cursor >= 0 {
			f.Enter(cursor)
		}
	case "ArrowLeft", "Backspace":
		f.Up()
	default:
		return false
	}
	return true
}

// TreeKey handles a key in the tree. It reports whether the key was used.
func (f *Files) TreeKey(key string, held Keys) bool {
	if held.Alt || held.Ctrl {
		return false
	}
	if f.Tree.key(key) {
		return true
	}
	if key == "Enter" || key == " " {
		var i int
		f.ar.Read(func() { i = f.Tree.Cursor })
		f.PickFolder(i)
		return true
	}
	return false
}
