package write

import (
	"io/fs"

	"wimscope/wim/windows"
)

// FillWindows records the Windows installation in a draft image, index from 1, in the XML document: in the element WINDOWS,
// and in FLAGS, DISPLAYNAME and DISPLAYDESCRIPTION beside it. sources are the file systems of draft.Content.Source. It does
// not read files in solid resources, and leaves their fields unchanged. It returns nil if there is no Windows. Unreadable
// files do not make it fail, see windows.Info.Problems.
func (e *Builder) FillWindows(index int, sources ...fs.FS) *windows.Info {
	w := e.ReadWindows(index, sources...)
	if w != nil {
		w.Fill(e.ImageElement(index))
	}
	return w
}

// ReadWindows returns the information that FillWindows records.
func (e *Builder) ReadWindows(index int, sources ...fs.FS) *windows.Info {
	d := e.images[index-1].draft
	if d == nil {
		return nil
	}
	return windows.OfDraft(d, sources, e.archives)
}
