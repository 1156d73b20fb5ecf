package windows

import (
	"errors"
	"slices"
	"strings"

	"wimscope/wim/ntname"
	"wimscope/wim/xmldoc"
)

// Fill writes all fields to an IMAGE element. If the element already has a WINDOWS element, it removes the problems about files in solid
// resources, which were not read.
func (w *Info) Fill(image *xmldoc.Node) {
	if image.Child("WINDOWS") != nil {
		w.Problems = slices.DeleteFunc(w.Problems, func(err error) bool { return errors.Is(err, errUnread) })
	}
	for i := range w.Fields {
		w.Fields[i].put(image)
	}
}

// put sets the field in an IMAGE element.
func (f *Field) put(image *xmldoc.Node) {
	path := strings.Split(f.Path, "/")
	image.SetContent(f.Values[0], path...)
	parent, name := image.Child(path[:len(path)-1]...), path[len(path)-1]
	at := slices.IndexFunc(parent.Children, func(n *xmldoc.Node) bool { return n.Name == name })
	parent.Drop(name)
	for i, v := range f.Values {
		parent.Children = slices.Insert(parent.Children, at+i, xmldoc.TextElement(name, v))
	}
}

// values returns the texts of the field in an IMAGE element.
func (f *Field) values(image *xmldoc.Node) (list []string) {
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

// Change is a field that is missing or wrong in an XML document.
type Change struct {
	Field
	Old []string // the wrong values, nil if the field is missing
}

// Differences returns the fields that are missing or wrong in an IMAGE element. It ignores case, the order of languages, and names that
// people choose. It accepts values that Microsoft's programs take from other sources than the registry: the kernel's version, the update
// build revision.
func (w *Info) Differences(image *xmldoc.Node) (list []Change) {
	for _, f := range w.Fields {
		old := f.values(image)
		if !f.right(old) {
			list = append(list, Change{f, old})
		}
	}
	return list
}

// right reports whether these texts are valid for the field.
func (f *Field) right(texts []string) bool {
	if len(texts) == 0 {
		return false
	}
	if f.free || len(texts) == 1 && texts[0] != "" && hasText(f.also, texts[0]) {
		return true
	}
	missing := func(s string) bool { return !hasText(texts, s) }
	return len(texts) == len(f.Values) && !slices.ContainsFunc(f.Values, missing)
}

// hasText reports whether a list has a text, ignoring case.
func hasText(list []string, text string) bool {
	stored := func(s string) []byte { return xmldoc.AppendUTF16(nil, s) }
	return slices.ContainsFunc(list, func(s string) bool { return ntname.EqualFold(stored(s), stored(text)) })
}

// Repair corrects the fields that are missing or wrong in an IMAGE element, and returns the changes.
func (w *Info) Repair(image *xmldoc.Node) []Change {
	list := w.Differences(image)
	for i := range list {
		list[i].put(image)
	}
	return list
}
