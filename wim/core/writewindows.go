package core

import "io/fs"

// FillWindows writes the facts about the Windows in a draft image, index from 1, to the XML document: the element WINDOWS, and
// FLAGS, DISPLAYNAME and DISPLAYDESCRIPTION beside it. sources are the file systems of Content.Source. It does not read files in
// solid resources, and leaves their fields unchanged. It returns nil if there is no Windows. Bad files do not make it fail:
// see WindowsInfo.Problems.
func (e *Edit) FillWindows(index int, sources ...fs.FS) *WindowsInfo {
	w := e.ReadWindows(index, sources...)
	if w != nil {
		w.Fill(e.ImageElement(index))
	}
	return w
}

// ReadWindows reads the facts that FillWindows writes.
func (e *Edit) ReadWindows(index int, sources ...fs.FS) *WindowsInfo {
	d := e.images[index-1].draft
	if d == nil {
		return nil
	}
	return ReadDraftWindows(d, sources, e.archives)
}
