package write

import (
	"fmt"
	"slices"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/codec"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/xmldoc"
)

// Options controls how an archive is written. The zero value writes an uncompressed one.
type Options struct {
	Codec     format.Codec // of blobs with a resource of their own, and of metadata
	ChunkSize int64        // unpacked bytes; 0 means the default: 32 KiB, LZMS 128 KiB
	Level     int          // LevelFast to LevelMaximum; 0 means LevelNormal

	Solid          bool         // blobs share solid resources
	SolidCodec     format.Codec // None means LZMS
	SolidChunkSize int64        // 0 means the default: 32 KiB, LZMS 64 MiB
	SolidLevel     int          // 0 means Level

	// OnePass is the size in bytes up to which a file is read only once: it is packed before it is known whether another file
	// has the same bytes, and the result is dropped if one has. It does not change a byte of the archive. It pays where
	// opening a file takes longer than packing it, as in a browser.
	OnePass int64

	KeepOrder bool // with Solid: keep the order in which contents were added instead of sorting by file extension
	KeepAlone bool // with Solid: copy resources that are not solid, if they are packed with Codec and ChunkSize

	Recompress bool     // repack resources that could be copied
	Integrity  bool     // write an integrity table
	Pipable    bool     // wimlib's format for readers that cannot seek; written strictly from front to end
	Only       Only     // which part of the images is written
	GUID       [16]byte // of the new archive, usually random
}

// Only selects what an archive holds of its images. A group of images can be kept as archives with metadata only, which share
// one archive with the blobs only.
type Only uint8

const (
	OnlyAll      Only = iota // metadata and blobs
	OnlyContents             // the blobs without the images: a resource-only archive
	OnlyMetadata             // the images without their blobs, which the archives given to LeaveOut must hold
)

func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Level == 0 {
		out.Level = codec.LevelNormal
	}
	if out.SolidLevel == 0 {
		out.SolidLevel = out.Level
	}
	if out.Solid && out.SolidCodec == format.None {
		out.SolidCodec = format.LZMS
	}
	if out.ChunkSize == 0 {
		out.ChunkSize = codec.DefaultChunkSize(out.Codec, false)
	}
	if out.SolidChunkSize == 0 && out.Solid {
		out.SolidChunkSize = codec.DefaultChunkSize(out.SolidCodec, true)
	}
	check := func(c format.Codec, size int64, level int) error {
		if level < codec.LevelFast || level > codec.LevelMaximum {
			return fmt.Errorf("wim: level %d is not in the range 1 to 3: %w", level, format.ErrUnsupported)
		}
		if c == format.None && size == 0 || size > 0 && size <= codec.MaxLZMS && format.ChunkSizeOK(c, uint32(size)) {
			return nil
		}
		if c == format.None {
			return format.Describe("wim: an uncompressed archive has no chunk size", format.ErrUnsupported)
		}
		return format.Describe(fmt.Sprintf("wim: chunk size %d is not valid for %v, which supports %s", size, c, format.ChunkSizes(c)), format.ErrUnsupported)
	}
	if out.Pipable && out.Solid {
		return out, &RefusedError{Key: RefusedPipable, Text: "a pipable archive cannot hold solid resources"}
	}
	if err := check(out.Codec, out.ChunkSize, out.Level); err != nil {
		return out, err
	}
	if out.Solid {
		return out, check(out.SolidCodec, out.SolidChunkSize, out.SolidLevel)
	}
	return out, nil
}

// Builder describes an archive to write: its images, each copied from an archive or made from a draft, and the XML document.
// The zero value has no images. It is not safe for concurrent use.
type Builder struct {
	Boot         int  // index of the boot image, from 1; 0: none
	ReparseFixup bool // set the header flag for link targets that are relative to their image

	doc      *xmldoc.Doc  // its elements other than IMAGE are kept
	base     *wim.Archive // the archive given to Of, or nil
	images   []builderImage
	archives []*wim.Archive // sources of contents and images
	whole    []*wim.Archive // those of archives whose blobs are all written
	delta    []*wim.Archive // archives whose blobs are not written
}

// builderImage is one image of a Builder.
type builderImage struct {
	node  *xmldoc.Node // IMAGE
	draft *draft.Draft // nil: copied from the archive
	a     *wim.Archive
	index int // in the archive, from 1

	created, modified format.Filetime // of the draft
}

// New returns a Builder without images.
func New() *Builder { return &Builder{} }

// OptionsOf returns options that write an archive the way it is written now. They are used to join, rebuild and optimize it.
func OptionsOf(a *wim.Archive) Options {
	i := a.Info()
	h := a.Store().FirstPart().Header
	o := Options{
		Codec: i.Codec, ChunkSize: i.ChunkSize, Solid: i.Solid, SolidCodec: i.SolidCodec, SolidChunkSize: i.SolidChunkSize,
		Integrity: i.Parts[i.First].Integrity, Pipable: i.Pipable, GUID: h.GUID,
	}
	if o.SolidCodec == format.None {
		o.SolidCodec, o.SolidChunkSize = max(o.SolidCodec, format.XPRESS), 0
	}
	if o.KeepAlone = o.Solid; !o.Solid {
		o.SolidCodec, o.SolidChunkSize = format.None, 0
	}
	if a.Store().ResourceOnly() {
		o.Only = OnlyContents
	}
	if h.Flags&format.FlagMetadataOnly != 0 {
		o.Only = OnlyMetadata
	}
	return o
}

// Of returns a Builder with everything that the archive holds. Blobs that no image uses are left out, unless the archive is a
// resource-only one. Of refuses an archive that lost images, because a copy would look complete.
func Of(a *wim.Archive) (*Builder, error) {
	if n := a.LostImages(); n > 0 {
		return nil, &RefusedError{Name: a.Store().FirstPart().Name, Key: RefusedImages, Text: fmt.Sprintf(
			"%d of its %d images are lost, and the remaining ones may have other indexes; use apply or extract with --recover-data to recover their files", n, len(a.Store().Metas)+n)}
	}
	e := &Builder{doc: a.XMLDoc(), base: a}
	h := a.Store().FirstPart().Header
	e.ReparseFixup = h.Flags&format.FlagReparseFixup != 0
	for i := range a.Store().Metas {
		if _, err := e.AddImage(a, i+1); err != nil {
			return nil, err
		}
	}
	if h.BootIndex <= uint32(len(e.images)) {
		e.Boot = int(h.BootIndex)
	}
	if a.Store().ResourceOnly() {
		e.AddContents(a)
	}
	return e, nil
}

// UseContents adds an archive in which to look up contents of drafts that are in no file.
func (e *Builder) UseContents(a *wim.Archive) {
	if !slices.Contains(e.archives, a) {
		e.archives = append(e.archives, a)
	}
}

// AddContents adds all blobs of an archive, used by images or not.
func (e *Builder) AddContents(a *wim.Archive) {
	e.UseContents(a)
	if !slices.Contains(e.whole, a) {
		e.whole = append(e.whole, a)
	}
}

// LeaveOut makes a delta archive: blobs that a holds are not written.
func (e *Builder) LeaveOut(a *wim.Archive) { e.delta = append(e.delta, a) }

// AddImage adds an image of an archive unchanged, with its element of the XML document, and returns its index, from 1.
func (e *Builder) AddImage(a *wim.Archive, index int) (int, error) {
	if index < 1 || index > len(a.Store().Metas) {
		return 0, fmt.Errorf("wim: image %d of %d: %w", index, len(a.Store().Metas), format.ErrNotFound)
	}
	if len(e.images) >= blobs.MaxImages {
		return 0, fmt.Errorf("wim: more than %d images: %w", blobs.MaxImages, format.ErrUnsupported)
	}
	e.UseContents(a)
	e.images = append(e.images, builderImage{node: a.ImageElement(index).Clone(), a: a, index: index})
	return len(e.images), nil
}

// Image describes an image made from a draft. Other elements are set through ImageElement.
type Image struct {
	Name        string
	Description string
	Flags       string          // the edition
	Created     format.Filetime // of the image, usually now
	Modified    format.Filetime // 0: same as Created
}

// AddDraft adds an image made from a draft, and returns its index, from 1. The draft must not be changed afterwards. A draft
// made from an image needs that image's archive, see UseContents.
func (e *Builder) AddDraft(d *draft.Draft, info *Image) (int, error) {
	if len(e.images) >= blobs.MaxImages {
		return 0, fmt.Errorf("wim: more than %d images: %w", blobs.MaxImages, format.ErrUnsupported)
	}
	im := builderImage{node: &xmldoc.Node{Name: "IMAGE"}, draft: d}
	if info != nil {
		im.node.SetContent(info.Name, "NAME")
		im.node.SetContent(info.Description, "DESCRIPTION")
		im.node.SetContent(info.Flags, "FLAGS")
		im.created, im.modified = info.Created, info.Modified
		if im.modified == 0 {
			im.modified = im.created
		}
	}
	e.images = append(e.images, im)
	return len(e.images), nil
}

// SetDraft replaces the tree of an image, index from 1. The image's element of the XML document is kept, except for the
// statistics and the modification time. The draft must not be changed afterwards. A draft made from an image needs that
// image's archive, see UseContents.
func (e *Builder) SetDraft(index int, d *draft.Draft, modified format.Filetime) error {
	if index < 1 || index > len(e.images) {
		return fmt.Errorf("wim: image %d of %d: %w", index, len(e.images), format.ErrNotFound)
	}
	im := &e.images[index-1]
	im.draft, im.a, im.index, im.modified = d, nil, 0, modified
	return nil
}

// Len returns the number of images.
func (e *Builder) Len() int { return len(e.images) }

// ImageElement returns the IMAGE element of an image, index from 1. It may be changed. The index, and the statistics of
// drafts, are filled in when the archive is written.
func (e *Builder) ImageElement(index int) *xmldoc.Node { return e.images[index-1].node }

// ImageName returns the name of an image, index from 1.
func (e *Builder) ImageName(index int) string { return e.images[index-1].node.Content("NAME") }

// FindImage returns the index, from 1, of the image with a name, or 0 if there is none. The empty name matches no image.
func (e *Builder) FindImage(name string) int {
	return 1 + slices.IndexFunc(e.images, func(im builderImage) bool { return name != "" && im.node.Content("NAME") == name })
}

// Delete removes an image, index from 1. The boot index follows.
func (e *Builder) Delete(index int) error {
	if index < 1 || index > len(e.images) {
		return fmt.Errorf("wim: image %d of %d: %w", index, len(e.images), format.ErrNotFound)
	}
	e.images = slices.Delete(e.images, index-1, index)
	switch {
	case e.Boot == index:
		e.Boot = 0
	case e.Boot > index:
		e.Boot--
	}
	return nil
}

// Move moves an image to another index, both from 1. The others keep their order. The boot index follows.
func (e *Builder) Move(index, to int) error {
	if index < 1 || index > len(e.images) || to < 1 || to > len(e.images) {
		return fmt.Errorf("wim: image %d to %d of %d: %w", index, to, len(e.images), format.ErrNotFound)
	}
	im := e.images[index-1]
	e.images = slices.Insert(slices.Delete(e.images, index-1, index), to-1, im)
	switch b := e.Boot; {
	case b == index:
		e.Boot = to
	case b > index && b <= to:
		e.Boot--
	case b < index && b >= to:
		e.Boot++
	}
	return nil
}
