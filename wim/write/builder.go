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

// Options is how an archive is written. The zero value writes an uncompressed one.
type Options struct {
	Codec     format.Codec // of contents that stand alone, and of metadata
	ChunkSize int64        // unpacked bytes; 0 means the usual: 32 KiB, LZMS 128 KiB
	Level     int          // LevelFast to LevelMaximum; 0 means LevelNormal

	Solid          bool         // contents share solid resources
	SolidCodec     format.Codec // None means LZMS
	SolidChunkSize int64        // 0 means the usual: 32 KiB, LZMS 64 MiB
	SolidLevel     int          // 0 means Level

	// OnePass is up to how many bytes the content of a file is read once only: packed without knowing whether it is the same
	// as another one, and dropped if it is. It changes no byte of the archive. It pays where getting at a file takes longer
	// than packing it does, as in a browser.
	OnePass int64

	KeepOrder bool // with Solid: contents go into it as they come, and not by the extensions of their names
	KeepAlone bool // with Solid: what stands alone in an archive, packed as Codec and ChunkSize say, is copied as it is

	Recompress bool     // what is packed the same way already is packed anew, and not copied
	Integrity  bool     // with an integrity table
	Pipable    bool     // for readers that cannot seek, as only wimlib has them; written from front to end without a gap
	Only       Only     // what of the images is written
	GUID       [16]byte // of the new archive; random bytes, as a rule
}

// Only is what of its images an archive holds. Groups of images are kept in archives with metadata only, which share one
// with contents only.
type Only uint8

const (
	OnlyAll      Only = iota // all of them
	OnlyContents             // their contents and not the images: a resource-only archive
	OnlyMetadata             // the images and not their contents, which archives given to LeaveOut must hold
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
			return fmt.Errorf("wim: level %d is none of 1 to 3: %w", level, format.ErrUnsupported)
		}
		if c == format.None && size == 0 || size > 0 && size <= codec.MaxLZMS && format.ChunkSizeOK(c, uint32(size)) {
			return nil
		}
		if c == format.None {
			return format.Describe("wim: an uncompressed archive has no chunks, whose size could be set", format.ErrUnsupported)
		}
		return format.Describe(fmt.Sprintf("wim: chunk size %d is not valid for %v, which takes %s", size, c, format.ChunkSizes(c)), format.ErrUnsupported)
	}
	if out.Pipable && out.Solid {
		return out, &RefusedError{Key: RefusedPipable, Text: "a pipable archive holds no solid resources"}
	}
	if err := check(out.Codec, out.ChunkSize, out.Level); err != nil {
		return out, err
	}
	if out.Solid {
		return out, check(out.SolidCodec, out.SolidChunkSize, out.SolidLevel)
	}
	return out, nil
}

// Builder is an archive to be: its images, each that of an archive as it is or a draft, and what the XML document says. The
// zero value has none. It is not for several goroutines at a time.
type Builder struct {
	Boot         int  // index of the image to boot from, from 1; 0: none
	ReparseFixup bool // the header is to say that links were made relative to their images

	doc      *xmldoc.Doc  // whose elements beside images are kept
	base     *wim.Archive // that it was made of, nil if none
	images   []editImage
	archives []*wim.Archive // contents come from, and images
	whole    []*wim.Archive // of these, those all of whose contents go in
	delta    []*wim.Archive // whose contents are left out
}

// editImage is one image of an Edit.
type editImage struct {
	node  *xmldoc.Node // IMAGE
	draft *draft.Draft // nil: as it is in the archive
	a     *wim.Archive
	index int // in the archive, from 1

	created, modified format.Filetime // of the draft
}

// New makes an Edit without images.
func New() *Builder { return &Builder{} }

// Options are those that write the archive as it is: for joining, rebuilding and optimising it.
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

// Edit makes an Edit of all that the archive holds. Contents that no image uses are not among it, unless it is a
// resource-only one. It refuses an archive that lost images: a copy would look whole.
func Of(a *wim.Archive) (*Builder, error) {
	if n := a.LostImages(); n > 0 {
		return nil, &RefusedError{Name: a.Store().FirstPart().Name, Key: RefusedImages, Text: fmt.Sprintf(
			"it has lost %d of its %d images, and the others may have changed their numbers; apply or extract with --recover-data takes what is there", n, len(a.Store().Metas)+n)}
	}
	e := &Builder{doc: a.XMLDoc(), base: a}
	h := a.Store().FirstPart().Header
	e.ReparseFixup = h.Flags&headerKept != 0
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

// UseContents has contents of drafts, those that are in no file, looked for in an archive too.
func (e *Builder) UseContents(a *wim.Archive) {
	if !slices.Contains(e.archives, a) {
		e.archives = append(e.archives, a)
	}
}

// AddContents adds all contents of an archive, used by images or not.
func (e *Builder) AddContents(a *wim.Archive) {
	e.UseContents(a)
	if !slices.Contains(e.whole, a) {
		e.whole = append(e.whole, a)
	}
}

// LeaveOut makes a delta archive: contents that the given one holds are not written.
func (e *Builder) LeaveOut(a *wim.Archive) { e.delta = append(e.delta, a) }

// AddImage adds an image of an archive as it is, and gives its index, from 1. What the XML document says of it is kept.
func (e *Builder) AddImage(a *wim.Archive, index int) (int, error) {
	if index < 1 || index > len(a.Store().Metas) {
		return 0, fmt.Errorf("wim: image %d of %d: %w", index, len(a.Store().Metas), format.ErrNotFound)
	}
	if len(e.images) >= blobs.MaxImages {
		return 0, fmt.Errorf("wim: more than %d images: %w", blobs.MaxImages, format.ErrUnsupported)
	}
	e.UseContents(a)
	e.images = append(e.images, editImage{node: a.ImageElement(index).Clone(), a: a, index: index})
	return len(e.images), nil
}

// Image is what is told of an image made from a draft. Other elements are set through ImageElement.
type Image struct {
	Name        string
	Description string
	Flags       string          // the edition
	Created     format.Filetime // of the image, as a rule now
	Modified    format.Filetime // 0: as Created
}

// AddDraft adds an image made from a draft, and gives its index, from 1. The draft must not be changed any more; that of
// an image needs its archive, see UseContents.
func (e *Builder) AddDraft(d *draft.Draft, info *Image) (int, error) {
	if len(e.images) >= blobs.MaxImages {
		return 0, fmt.Errorf("wim: more than %d images: %w", blobs.MaxImages, format.ErrUnsupported)
	}
	im := editImage{node: &xmldoc.Node{Name: "IMAGE"}, draft: d}
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

// SetDraft gives an image, index from 1, another tree. What the XML document says of it is kept, but for the statistics and
// the time of modification. The draft must not be changed any more; that of an image needs its archive, see UseContents.
func (e *Builder) SetDraft(index int, d *draft.Draft, modified format.Filetime) error {
	if index < 1 || index > len(e.images) {
		return fmt.Errorf("wim: image %d of %d: %w", index, len(e.images), format.ErrNotFound)
	}
	im := &e.images[index-1]
	im.draft, im.a, im.index, im.modified = d, nil, 0, modified
	return nil
}

// Len is how many images there are.
func (e *Builder) Len() int { return len(e.images) }

// ImageElement is what the XML document will say of an image, index from 1: its IMAGE element, which may be changed. The
// statistics of drafts and the index are put there when the archive is written.
func (e *Builder) ImageElement(index int) *xmldoc.Node { return e.images[index-1].node }

// ImageName is the name of an image, index from 1.
func (e *Builder) ImageName(index int) string { return e.images[index-1].node.Content("NAME") }

// FindImage finds the image of a name, and gives its index, from 1; 0 if there is none. Nothing is the name of none.
func (e *Builder) FindImage(name string) int {
	return 1 + slices.IndexFunc(e.images, func(im editImage) bool { return name != "" && im.node.Content("NAME") == name })
}

// Delete takes an image away, index from 1. The boot index follows.
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

// Move puts an image at another index, both from 1; the others keep their order. The boot index follows.
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
