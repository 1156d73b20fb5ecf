package state

import (
	"wimscope/worker/protocol"
)

// Images is the Images tab.
type Images struct {
	Versions map[int]*ImageVersion // by index
	Windows  map[int]*ImageWindows // by index, for images whose registry was requested

	ar     *opened
	loaded bool // Versions were requested
}

// ImageVersion is the version of the kernel in an image.
type ImageVersion struct {
	Version string
	Path    string
	None    bool // the image has no kernel, or one without a version
	Loading bool
}

// load requests the images' versions, one after another, once.
func (im *Images) load() {
	if im.loaded {
		return
	}
	im.loaded = true
	im.Versions = map[int]*ImageVersion{}
	for i := range im.ar.Info.Images {
		im.Versions[im.ar.Info.Images[i].Index] = &ImageVersion{Loading: true}
	}
	go func() {
		for i := range im.ar.Info.Images {
			index := im.ar.Info.Images[i].Index
			rep, err := im.ar.Session.Version(im.ar.ctx, protocol.VersionRequest{Image: index})
			im.ar.update(func() {
				im.Versions[index] = &ImageVersion{Version: rep.Version, Path: rep.Path, None: err != nil || rep.Version == ""}
			})
			if im.ar.ctx.Err() != nil {
				return
			}
		}
	}()
}

// ImageWindows is what the registry in an image says about its Windows.
type ImageWindows struct {
	protocol.WindowsReply
	None    bool // the image has no Windows registry
	Loading bool
	Problem *Problem // why the registry could not be read
}

// ReadWindows reads the registry of an image. This happens only on request: in a solid archive it may unpack a lot.
func (im *Images) ReadWindows(image int) {
	im.ar.update(func() {
		if im.Windows[image] != nil {
			return
		}
		if im.Windows == nil {
			im.Windows = map[int]*ImageWindows{}
		}
		im.Windows[image] = &ImageWindows{Loading: true}
		go func() {
			rep, err := im.ar.Session.Windows(im.ar.ctx, protocol.VersionRequest{Image: image})
			im.ar.update(func() {
				w := &ImageWindows{WindowsReply: rep}
				if e := protocol.AsError(err); err != nil && e.Code == protocol.CodeNotFound {
					w.None = true
				} else if err != nil {
					w.Problem = NewProblem(e, im.ar.Info.Name)
				}
				im.Windows[image] = w
			})
		}()
	})
}
