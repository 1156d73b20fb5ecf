package wim

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/xmldoc"
)

// Archive is one or more parts opened together, with the references in which it looks up blobs that it lacks. Its methods may be
// called from several goroutines. It holds no resources but memory; the caller of Open closes the files.
type Archive struct {
	st     *blobs.Store
	doc    *xmldoc.Doc // the XML document, empty if there is none; must not be changed
	images []xmldoc.ImageInfo
	losses []Loss // of the archive itself; those of trees are in their images

	warnings []string // in addition to those of the store

	trees  *blobs.LRU[int, *Image]
	loadMu sync.Mutex // one image is loaded at a time
}

// Open opens an archive from its parts, in any order. Parts of a set may be missing, except the first, which holds the images, unless
// Options.LaterParts is set; Info().Missing lists them. Open reads headers, the XML document, blob tables, headers of solid resources,
// and integrity tables, and nothing else. o may be nil.
//
// Errors: *NotWIMError, *OldVersionError, *TruncatedError, *UnfinishedError, *MissingPartError, *WrongPartError, *EncryptedError,
// *format.Error, *format.TooLargeError, format.ErrUnsupported, and those of the parts' ReadAt. Info().Warnings lists what Open tolerated.
func Open(parts []blobs.Part, o *blobs.Options) (*Archive, error) {
	st, err := blobs.Open(parts, o)
	if err != nil {
		return nil, err
	}
	a := &Archive{st: st, trees: blobs.NewLRU[int, *Image](st.Opts.TreeCacheSize, 1)}
	if err := a.readXML(); err != nil {
		return nil, err
	}
	if err := a.st.ReadTables(); err != nil {
		return nil, err
	}
	a.finishImages()
	return a, nil
}

// Store returns the level below: the parts and the blobs in them.
func (a *Archive) Store() *blobs.Store { return a.st }

// readXML reads the document of part 1. The other parts have copies.
func (a *Archive) readXML() error {
	p := a.st.FirstPart()
	a.doc = &xmldoc.Doc{}
	if p.Header.XML.IsZero() {
		a.lose(LossXML, 0, 0, "there is no XML document")
		return nil
	}
	r, fault := p.Plain(p.Header.XML)
	if fault != blobs.FaultNone {
		a.lose(LossXML, r.Off, 0, "XML document at 0x%x: %v", r.Off, fault)
		return nil
	}
	if r.Size > xmldoc.MaxBytes {
		a.lose(LossXML, r.Off, 0, "XML document of %d bytes is too large", r.Size)
		return nil
	}
	b, err := a.st.ReadAll(&r, "XML document", blobs.TableTimes)
	if err != nil {
		var fe *format.Error
		if !errors.As(err, &fe) && !errors.Is(err, format.ErrTooLarge) {
			return err
		}
		a.lose(LossXML, r.Off, 0, "XML document at 0x%x cannot be read: %v", r.Off, strings.TrimPrefix(err.Error(), "wim: "+p.Name+": "))
		return nil
	}
	a.doc, err = xmldoc.Parse(b)
	if err != nil {
		a.lose(LossXML, r.Off, 0, "XML document at 0x%x: %v", r.Off, err)
	}
	if root := a.doc.Root(); err == nil && root.Name != "WIM" {
		a.lose(LossXML, r.Off, 0, "XML document at 0x%x: root element is <%s> instead of <WIM>", r.Off, root.Name)
	}
	if a.doc.Root().Child("ESD", "ENCRYPTED") != nil {
		return &blobs.EncryptedError{Name: p.Name}
	}
	return nil
}

// lose records a loss of the archive itself. Losses that are found after opening are in the report of a verification only.
func (a *Archive) lose(kind LossKind, off int64, count int, text string, args ...any) {
	a.losses = append(a.losses, Loss{Kind: kind, Part: a.st.FirstPart().Name, Off: off, Count: count, Text: fmt.Sprintf(text, args...)})
}

// Losses returns the losses of the archive that opening found, without those of its images' trees: see Image.Losses.
func (a *Archive) Losses() []Loss { return a.losses }

// finishImages combines the descriptions of the XML document with the images of the blob table. The table determines the number and
// order of the images.
func (a *Archive) finishImages() {
	p := a.st.FirstPart()
	if p.Header.PartNumber > 1 {
		a.imagesElsewhere()
		return
	}
	a.images = make([]xmldoc.ImageInfo, len(a.st.Metas))
	named, doubtful := 0, false
	if root := a.doc.Root(); root != nil {
		for _, n := range root.Children {
			if n.Name != "IMAGE" {
				continue
			}
			named++
			// INDEX need not follow the order of the document.
			i := xmldoc.Number(n.Attr("INDEX"))
			if i >= 1 && i <= int64(len(a.images)) && a.images[i-1].Index == 0 {
				a.images[i-1] = xmldoc.ReadImageInfo(n)
				a.images[i-1].Index = int(i)
			} else {
				doubtful = true
			}
		}
	}
	a.compareCounts(int64(p.Header.ImageCount), int64(named), doubtful)
	for i := range a.images {
		a.images[i].Index = i + 1
		a.images[i].Boot = uint32(i+1) == p.Header.BootIndex
		a.images[i].Problem = a.st.Metas[i].Problem
	}
	if int64(p.Header.BootIndex) > int64(len(a.st.Metas)) {
		a.warnings = append(a.warnings, fmt.Sprintf("%s: boot index %d of %d images", p.Name, p.Header.BootIndex, len(a.st.Metas)))
	}
}

// imagesElsewhere lists the images from the XML document of a later part. The images themselves are in the missing first part.
func (a *Archive) imagesElsewhere() {
	root := a.doc.Root()
	if root == nil {
		return
	}
	for _, n := range root.Children {
		if n.Name == "IMAGE" && len(a.images) < int(a.st.FirstPart().Header.ImageCount) {
			info := xmldoc.ReadImageInfo(n)
			info.Index, info.Problem = len(a.images)+1, "it is in part 1, which is missing"
			a.images = append(a.images, info)
		}
	}
}

// compareCounts compares the image counts of the header, the XML document and the blob table. doubtful means that an INDEX in
// the document belongs to no image, or to one that has another element.
func (a *Archive) compareCounts(header, named int64, doubtful bool) {
	h := a.st.FirstPart().Header
	table := int64(len(a.st.Metas))
	countAt := a.st.FirstPart().HeaderOff + 0x2c
	switch lost := int(max(header-table, 0)); {
	case header > 0 && h.BlobTable.IsZero():
		a.lose(LossBlobTable, countAt, lost, "there is no blob table, but the header counts %d images: none of them can be found", header)
	case header != table:
		a.lose(LossImages, countAt, lost, "image counts differ: %d in the header, %d in the blob table", header, table)
	}
	if len(a.doc.Nodes) == 0 {
		return // readXML has reported it
	}
	switch {
	case named != header:
		a.lose(LossXMLImages, int64(h.XML.Off), 0, "image counts differ: %d in the XML document, %d in the header", named, header)
	case doubtful && table >= header:
		a.lose(LossXML, int64(h.XML.Off), 0, "the XML document does not have exactly one IMAGE element for each INDEX")
	case named != table && table > header:
		a.lose(LossXMLImages, int64(h.XML.Off), 0, "image counts differ: %d in the XML document, %d in the blob table", named, table)
	}
}

// Images returns the descriptions of the images in order; Images()[0] is image 1.
func (a *Archive) Images() []xmldoc.ImageInfo { return a.images }

// XMLDoc returns the archive's XML document, empty if there is none. It must not be changed.
func (a *Archive) XMLDoc() *xmldoc.Doc { return a.doc }

// XML returns the text of the document in UTF-8.
func (a *Archive) XML() []byte { return []byte(a.doc.String()) }

// RawXML returns the document as part 1 stores it: UTF-16LE, usually with a byte order mark.
func (a *Archive) RawXML() ([]byte, error) {
	p := a.st.FirstPart()
	r, fault := p.Plain(p.Header.XML)
	if fault != blobs.FaultNone {
		return nil, format.Errorf("XML document", p.Name, r.Off, "%v", fault)
	}
	return a.st.ReadAll(&r, "XML document", blobs.TableTimes)
}

// Image loads the tree of an image, index from 1. Trees are cached within Options.TreeCacheSize. Errors: format.ErrNotFound,
// *format.Error, *blobs.ChecksumError, *format.TooLargeError.
func (a *Archive) Image(index int) (*Image, error) {
	if index < 1 || index > len(a.st.Metas) {
		return nil, fmt.Errorf("wim: image %d of %d: %w", index, len(a.st.Metas), format.ErrNotFound)
	}
	if im, ok := a.trees.Get(index); ok {
		return im, nil
	}
	a.loadMu.Lock()
	defer a.loadMu.Unlock()
	if im, ok := a.trees.Get(index); ok {
		return im, nil
	}
	if im, ok := a.sameTree(index); ok {
		a.trees.Put(index, im, 0)
		return im, nil
	}
	b, check, err := a.st.ReadMetadata(index)
	if err != nil {
		return nil, err
	}
	im, err := ParseImage(a, index, b) // trusts nothing, so it may run before the hash is known
	if err := check(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("wim: %s: %s: %w", a.st.Parts[a.st.Metas[index-1].Src].Name, blobs.MetadataOf(index), err)
	}
	a.trees.Put(index, im, memoryOf(im))
	return im, nil
}

// sameTree returns an image that shares the cached tree of an earlier image with the same metadata resource. ok is false if there is
// none.
func (a *Archive) sameTree(index int) (*Image, bool) {
	other := a.st.Metas[index-1].Same
	if other == 0 {
		return nil, false
	}
	im, ok := a.trees.Get(other)
	if !ok {
		return nil, false
	}
	return &Image{tree: im.tree, a: a, index: index}, true
}

// Metadata returns the bytes of an image's metadata resource, index from 1, and checks its SHA-1.
func (a *Archive) Metadata(index int) ([]byte, error) {
	if index < 1 || index > len(a.st.Metas) {
		return nil, fmt.Errorf("wim: image %d of %d: %w", index, len(a.st.Metas), format.ErrNotFound)
	}
	b, check, err := a.st.ReadMetadata(index)
	if err != nil {
		return nil, err
	}
	return b, check()
}

// LostImages returns how many images the header counts beyond those in the blob table.
func (a *Archive) LostImages() int {
	return max(0, int(min(int64(a.st.FirstPart().Header.ImageCount), math.MaxInt32))-len(a.st.Metas))
}

// ImageElement returns the IMAGE element with an INDEX, from 1, in the XML document, or an empty one. It must not be changed.
func (a *Archive) ImageElement(index int) *xmldoc.Node {
	if root := a.doc.Root(); root != nil {
		for _, n := range root.Children {
			if n.Name == "IMAGE" && xmldoc.Number(n.Attr("INDEX")) == int64(index) {
				return n
			}
		}
	}
	return &xmldoc.Node{Name: "IMAGE"}
}
