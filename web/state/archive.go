package state

import (
	"context"
	"path"
	"strconv"
	"strings"

	"wimscope/worker/protocol"
)

// Archive is the open archive and what each of its screens shows.
type Archive struct {
	*opened

	Files   Files
	Search  Search
	Images  Images
	Verify  Verify
	Details Details
	Extract Extract
}

// newArchive returns an archive with its parts wired together.
func newArchive(o *opened, jobs *Jobs) *Archive {
	ar := &Archive{opened: o}
	ar.Files.init(o)
	ar.Search = Search{ar: o, home: ar.Files.route, reveal: ar.Files.Reveal}
	ar.Images.ar = o
	ar.Verify = Verify{ar: o, jobs: jobs}
	ar.Details.ar = o
	ar.Extract = Extract{ar: o, jobs: jobs, files: &ar.Files}
	return ar
}

// goTo shows the place r in this archive.
func (ar *Archive) goTo(r Route) {
	switch r.Tab {
	case TabFiles:
		ar.Files.goTo(r)
	case TabImages:
		ar.Images.load()
	case TabDetails:
		ar.Details.load()
	case TabSearch:
		if ar.Search.Query != r.Query {
			ar.Search.start(r.Query)
		}
	}
}

// opened is what the parts of an archive share: the session, what is known of the archive, and the page around it.
type opened struct {
	*host
	at *address

	ID      string
	Session Session
	Info    protocol.Archive
	Parts   []File
	Refs    []File
	Restart bool // the archive is being opened again, since its worker died

	ctx     context.Context
	stop    context.CancelFunc
	left    bool // the archive was closed, or another took its place
	counted bool // Info.Elsewhere was requested
	before  int  // Info.Elsewhere.Blobs before the last reference was added, -1 if none was
}

func newOpened(h *host, at *address, s Session, parts, refs []File, sample bool) *opened {
	o := &opened{host: h, at: at, Session: s, Info: s.Archive(), Parts: parts, Refs: refs, before: -1}
	o.Info.Sample = sample
	o.ID = ArchiveID(&o.Info)
	o.ctx, o.stop = context.WithCancel(context.Background())
	return o
}

// update calls f under the lock and requests a rendering. Once the archive is no longer the open one it does not call f:
// late replies and events have no effect.
func (o *opened) update(f func()) {
	o.host.update(func() {
		if !o.left {
			f()
		}
	})
}

func (o *opened) close() {
	o.stop()
	o.Session.Close()
}

// SampleID is the ID of the archive that comes with the page.
const SampleID = "sample"

// ArchiveID returns the ID of an archive in addresses: the first 12 digits of its GUID, so that links work on every
// machine.
func ArchiveID(info *protocol.Archive) string {
	if info.Sample {
		return SampleID
	}
	if len(info.GUID) >= 12 {
		return info.GUID[:12]
	}
	return "archive"
}

// MissingName guesses the name of part n: install.swm, install2.swm, install3.swm.
func (o *opened) MissingName(n int) string {
	if len(o.Parts) == 0 {
		return ""
	}
	return partName(o.Info.Parts, o.Parts[0].Name, n)
}

func partName(parts []protocol.Part, otherwise string, n int) string {
	name, number := otherwise, 1
	if len(parts) > 0 {
		name, number = parts[0].Name, parts[0].Number
	}
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if number > 1 {
		stem = strings.TrimSuffix(stem, strconv.Itoa(number))
	}
	if n > 1 {
		stem += strconv.Itoa(n)
	}
	return stem + ext
}

// ImageName returns the name to show for an image: its display name, its name, or its index.
func ImageName(im *protocol.Image) string {
	switch {
	case im.DisplayName != "":
		return im.DisplayName
	case im.Name != "":
		return im.Name
	}
	return strconv.Itoa(im.Index)
}

// hasImage reports whether the archive has an image of that index, from 1.
func (o *opened) hasImage(image int) bool { return image >= 1 && image <= len(o.Info.Images) }

// autoUses is the number of entries up to which all images are searched for other uses of a blob without a request. The
// search loads the trees of all images.
const autoUses = 400_000

// UsesOnRequest reports whether other uses of a blob are searched for only on request.
func (o *opened) UsesOnRequest() bool {
	var entries int64
	for i := range o.Info.Images {
		entries += o.Info.Images[i].Files + o.Info.Images[i].Dirs
	}
	return entries > autoUses
}

// countLacks requests the number of blobs that are in other archives, once.
func (o *opened) countLacks() {
	if o.counted || len(o.Info.Missing) > 0 {
		return
	}
	o.counted = true
	go func() {
		e, err := o.Session.Lacks(o.ctx)
		o.update(func() {
			if err != nil {
				return
			}
			o.Info.Elsewhere = e
			switch {
			case e.Blobs == 0:
			case o.before >= 0 && e.Blobs >= o.before:
				o.note(o.T("delta.no-help", o.Refs[len(o.Refs)-1].Name), true)
			default:
				o.announce("delta.banner", e.Blobs)
			}
		})
	}()
}
