package state

import (
	"wimscope/worker/protocol"
)

// Images is the Images tab.
type Images struct {
	Versions map[int]*ImageVersion // by index
	Windows  map[int]*ImageWindows // by index, for images that were asked about
	loading  bool
}

// ImageVersion is the build that an image's own kernel names.
type ImageVersion struct {
	Version string
	Path    string
	None    bool // the image has no kernel, or one without a version
	Loading bool
}

// loadVersions asks for the images' versions, one after another, once.
func (a *App) loadVersions() {
	ar := a.Archive
	if ar.Images.loading {
		return
	}
	ar.Images.loading = true
	ar.Images.Versions = map[int]*ImageVersion{}
	for i := range ar.Info.Images {
		ar.Images.Versions[ar.Info.Images[i].Index] = &ImageVersion{Loading: true}
	}
	go func() {
		for i := range ar.Info.Images {
			index := ar.Info.Images[i].Index
			rep, err := ar.Session.Version(ar.ctx, protocol.VersionRequest{Image: index})
			a.update(func() {
				ar.Images.Versions[index] = &ImageVersion{Version: rep.Version, Path: rep.Path, None: err != nil || rep.Version == ""}
			})
			if ar.ctx.Err() != nil {
				return
			}
		}
	}()
}

// ImageWindows holds the facts from the registry in an image.
type ImageWindows struct {
	protocol.WindowsReply
	None    bool // there is no Windows
	Loading bool
	Problem *Problem // why it could not be read
}

// ReadWindows reads the facts from an image's registry. This happens only on request: in a solid archive it may unpack a lot.
func (a *App) ReadWindows(image int) {
	a.update(func() {
		ar := a.Archive
		if ar == nil || ar.Images.Windows[image] != nil {
			return
		}
		if ar.Images.Windows == nil {
			ar.Images.Windows = map[int]*ImageWindows{}
		}
		ar.Images.Windows[image] = &ImageWindows{Loading: true}
		go func() {
			rep, err := ar.Session.Windows(ar.ctx, protocol.VersionRequest{Image: image})
			a.update(func() {
				w := &ImageWindows{WindowsReply: rep}
				if pe := protocol.AsError(err); err != nil && pe.Code == protocol.CodeNotFound {
					w.None = true
				} else if err != nil {
					w.Problem = NewProblem(pe, ar.Info.Name)
				}
				ar.Images.Windows[image] = w
			})
		}()
	})
}

// OpenImage shows an image's files.
func (a *App) OpenImage(image int) {
	a.update(func() {
		ar := a.Archive
		if ar == nil {
			return
		}
		r := Route{ID: ar.ID, Tab: TabFiles, Image: image}
		if ar.Files.Image == image {
			r = ar.filesRoute()
		}
		a.move(r, false)
		a.follow(r)
	})
}
