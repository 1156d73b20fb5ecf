package core

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// FillWindows writes to the XML document what the Windows in an image that is a draft, index from 1, says of itself: the
// element WINDOWS, and beside it FLAGS, DISPLAYNAME and DISPLAYDESCRIPTION. sources are the file systems of Content.Source.
// What lies in a solid resource is not read, nor what it would tell changed. It gives nil if there is no Windows. Nothing
// that the files hold makes it fail: see WindowsInfo.Problems.
func (e *Edit) FillWindows(index int, sources ...fs.FS) *WindowsInfo {
	w := e.ReadWindows(index, sources...)
	if w != nil {
		w.Fill(e.ImageElement(index))
	}
	return w
}

// ReadWindows reads what FillWindows writes.
func (e *Edit) ReadWindows(index int, sources ...fs.FS) *WindowsInfo {
	d := e.images[index-1].draft
	if d == nil {
		return nil
	}
	return readWindows(draftWindows{e, d, sources})
}

// Fill writes all fields to an IMAGE element. That a content was not read unasked is a problem only where nothing was said
// of Windows before.
func (w *WindowsInfo) Fill(image *XMLNode) {
	if image.Child("WINDOWS") != nil {
		w.Problems = slices.DeleteFunc(w.Problems, func(err error) bool { return errors.Is(err, errUnread) })
	}
	for i := range w.Fields {
		w.Fields[i].put(image)
	}
}

// put sets the field in an IMAGE element.
func (f *WindowsField) put(image *XMLNode) {
	path := strings.Split(f.Path, "/")
	image.SetContent(f.Values[0], path...)
	parent, name := image.Child(path[:len(path)-1]...), path[len(path)-1]
	at := slices.IndexFunc(parent.Children, func(n *XMLNode) bool { return n.Name == name })
	parent.drop(name)
	for i, v := range f.Values {
		parent.Children = slices.Insert(parent.Children, at+i, textElement(name, v))
	}
}

// values are the texts that an IMAGE element has in the field's place.
func (f *WindowsField) values(image *XMLNode) (list []string) {
	path := strings.Split(f.Path, "/")
	parent, name := image.Child(path[:len(path)-1]...), path[len(path)-1]
	if parent != nil {
		for _, n := range parent.Children {
			if s := n.Content(); n.Name == name && s != "" {
				list = append(list, s)
			}
		}
	}
	return list
}

// WindowsChange is a field that an XML document lacks or has wrong.
type WindowsChange struct {
	WindowsField
	Old []string // nil: it is lacking
}

// Differences compares an IMAGE element with what the image itself says. Not different are texts in other case and
// languages in other order, names that people choose, and where it counts what Microsoft's programs write from other
// sources than the registry: the kernel's version, the update build revision.
func (w *WindowsInfo) Differences(image *XMLNode) (list []WindowsChange) {
	for _, f := range w.Fields {
		old := f.values(image)
		if !f.right(old) {
			list = append(list, WindowsChange{f, old})
		}
	}
	return list
}

// right says that these texts may stand in the field's place.
func (f *WindowsField) right(texts []string) bool {
	if len(texts) == 0 {
		return false
	}
	if f.free || len(texts) == 1 && texts[0] != "" && hasText(f.also, texts[0]) {
		return true
	}
	missing := func(s string) bool { return !hasText(texts, s) }
	return len(texts) == len(f.Values) && !slices.ContainsFunc(f.Values, missing)
}

// hasText says that a text is in a list, ignoring case.
func hasText(list []string, text string) bool {
	stored := func(s string) []byte { return appendUTF16(nil, s) }
	return slices.ContainsFunc(list, func(s string) bool { return nameEqualFold(stored(s), stored(text)) })
}

// RepairWindows writes to an IMAGE element what it lacks or has wrong, and tells what that was.
func (w *WindowsInfo) RepairWindows(image *XMLNode) []WindowsChange {
	list := w.Differences(image)
	for i := range list {
		list[i].put(image)
	}
	return list
}
