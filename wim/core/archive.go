package core

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/xmldoc"
)

// Archive is one or more parts opened together, with the references in which it looks for contents it lacks. Its
// methods may be called from several goroutines. It holds no resources but memory; who opened the files closes them.
type Archive struct {
	*Store
	doc    *xmldoc.Doc
	images []xmldoc.ImageInfo
	losses []Loss // of the archive itself; those of trees are in their images

	trees  *lru[int, *Image]
	loadMu sync.Mutex // one image is loaded at a time
}

// Store is the bytes of an archive: its parts and references, the blobs in them, and which resources these lie in. It
// knows neither images nor the XML document. Its methods may be called from several goroutines.
type Store struct {
	opts     ReadOptions
	parts    []part // of the archive, then of the references, in the order of Open
	nParts   int    // of the archive
	first    int    // part number 1
	total    int    // parts in the set
	missing  []int
	blobs    []blobRec // of the parts, then of the references
	nBlobs   int       // of the parts
	index    blobIndex
	solids   []solidResource
	runs     []solidRun
	metas    []metaRec                // metadata resources, in the order of the images
	tables   []*format.IntegrityTable // by part, references too; nil if it has none that makes sense
	trailing []int64                  // by part: bytes at its end that belong to nothing
	warnings []string

	chunks *lru[chunkKey, []byte]
	judged *lru[judgement, error] // of chunks: nil if they can be unpacked

	size     int64        // of all parts, references too
	unpacked atomic.Int64 // bytes of chunks, by readers

	mu     sync.Mutex // guards idle and the runs' chunks
	idle   []*codec.Decoders
	placed int64 // chunks of runs
}

// Open opens an archive from its parts, which may come in any order. Parts of a set may be missing except the
// first, which holds the images, unless LaterParts is set: Info().Missing names them. It reads headers, XML document, blob tables, solid
// headers and integrity tables, and nothing else.
//
// Errors: *NotWIMError, *OldVersionError, *TruncatedError, *MissingPartError, *WrongPartError, *EncryptedError,
// *FormatError, *TooLargeError, ErrUnsupported, and what the parts' ReadAt gives. What can be passed over is told
// by Info().Warnings.
func Open(parts []Part, o *ReadOptions) (*Archive, error) {
	a := &Archive{Store: &Store{opts: o.withDefaults(), nParts: len(parts)}}
	a.chunks = newLRU[chunkKey, []byte](a.opts.CacheSize, 1)
	a.judged = newLRU[judgement, error](judgedChunks, 1)
	a.trees = newLRU[int, *Image](a.opts.TreeCacheSize, 1)
	if len(parts) == 0 {
		return nil, fmt.Errorf("wim: no part to open: %w", format.ErrNotFound)
	}
	for _, p := range slices.Concat(parts, a.opts.References) {
		opened, warnings, err := openPart(p)
		if err != nil {
			return nil, err
		}
		a.warnings = append(a.warnings, warnings...)
		a.parts = append(a.parts, opened)
		a.size += p.Size
	}
	if err := a.checkSet(); err != nil {
		return nil, err
	}
	if err := a.readXML(); err != nil {
		return nil, err
	}
	if err := a.readTables(); err != nil {
		return nil, err
	}
	a.finishImages()
	for i := range a.parts {
		t, err := a.readIntegrity(i)
		if err != nil {
			var fe *format.Error
			if !errors.As(err, &fe) {
				return nil, err
			}
			a.warnings = append(a.warnings, strings.TrimPrefix(err.Error(), "wim: "))
		}
		a.tables = append(a.tables, t)
		if i >= a.nParts {
			continue
		}
		p := &a.parts[i]
		n := a.behind(i)
		a.trailing = append(a.trailing, n)
		if n > 0 {
			a.warnings = append(a.warnings, fmt.Sprintf("%s: the last %d bytes, from 0x%x on, belong to nothing; writing that was interrupted leaves such", p.Name, n, p.Size-n))
		}
	}
	return a, nil
}

// behind is how many bytes at the end of part i belong to nothing.
func (a *Store) behind(i int) int64 {
	p := &a.parts[i]
	end := p.hdrOff + format.HeaderSize
	for _, r := range []format.ResourceHeader{p.hdr.BlobTable, p.hdr.XML, p.hdr.Integrity} {
		if e, ok := resourceEnd(r); ok {
			end = max(end, e)
		}
	}
	if end >= p.Size { // so it is as a rule: contents stand before what describes them
		return 0
	}
	for _, e := range a.extents(i) {
		end = max(end, e.end)
	}
	return p.Size - end
}

// checkSet sees that the parts belong together, and which are missing.
func (a *Archive) checkSet() error {
	guid := a.parts[0].hdr.GUID
	a.total = int(a.parts[0].hdr.TotalParts)
	a.first = -1
	seen := make(map[int]string)
	for i := range a.nParts {
		p := &a.parts[i]
		n := int(p.hdr.PartNumber)
		wrong := func(text string, args ...any) error {
			return &WrongPartError{Name: p.Name, Number: n, Reason: fmt.Sprintf(text, args...)}
		}
		if p.hdr.GUID != guid {
			return wrong("it belongs to another set than %s", a.parts[0].Name)
		}
		if int(p.hdr.TotalParts) != a.total {
			return wrong("its set has %d parts, that of %s %d", p.hdr.TotalParts, a.parts[0].Name, a.total)
		}
		if other, twice := seen[n]; twice {
			return wrong("%s is the same part of the set", other)
		}
		seen[n] = p.Name
		if n == 1 {
			a.first = i
		}
	}
	for n := 1; n <= a.total; n++ {
		if _, ok := seen[n]; !ok {
			a.missing = append(a.missing, n)
		}
	}
	if a.first < 0 && a.opts.LaterParts {
		a.first = a.byNumber(0, a.nParts)[0]
	}
	if a.first < 0 {
		return &MissingPartError{Numbers: a.missing, Total: a.total}
	}
	return nil
}

// readXML reads the document of part 1; the other parts have copies.
func (a *Archive) readXML() error {
	p := &a.parts[a.first]
	a.doc = &xmldoc.Doc{}
	if p.hdr.XML.IsZero() {
		a.lose(LossXML, 0, 0, "there is no XML document")
		return nil
	}
	r, fault := p.plain(int32(a.first), p.hdr.XML)
	if fault != faultNone {
		a.lose(LossXML, r.off, 0, "XML document at 0x%x: %v", r.off, fault)
		return nil
	}
	if r.size > xmldoc.MaxBytes {
		a.lose(LossXML, r.off, 0, "XML document of %d bytes is beyond all bounds", r.size)
		return nil
	}
	b, err := a.readAll(&r, "XML document", tableTimes)
	if err != nil {
		var fe *format.Error
		if !errors.As(err, &fe) && !errors.Is(err, format.ErrTooLarge) {
			return err
		}
		a.lose(LossXML, r.off, 0, "XML document at 0x%x cannot be read: %v", r.off, strings.TrimPrefix(err.Error(), "wim: "+p.Name+": "))
		return nil
	}
	a.doc, err = xmldoc.Parse(b)
	if err != nil {
		a.lose(LossXML, r.off, 0, "XML document at 0x%x: %v", r.off, err)
	}
	if root := a.doc.Root(); err == nil && root.Name != "WIM" {
		a.lose(LossXML, r.off, 0, "XML document at 0x%x: its element is <%s> in place of <WIM>", r.off, root.Name)
	}
	if a.doc.Root().Child("ESD", "ENCRYPTED") != nil {
		return &EncryptedError{Name: p.Name}
	}
	return nil
}

// lose records a loss of the archive itself. Losses that are found only after opening are in the report of a verification.
func (a *Archive) lose(kind LossKind, off int64, count int, text string, args ...any) {
	a.losses = append(a.losses, Loss{Kind: kind, Part: a.parts[a.first].Name, Off: off, Count: count, Text: fmt.Sprintf(text, args...)})
}

// Losses returns the losses of the archive that opening found, without those of its images' trees: see Image.Losses.
func (a *Archive) Losses() []Loss { return a.losses }

// readTables reads the blob tables of the parts, then of the references; neighbours of one GUID are a set.
func (a *Store) readTables() error {
	l := &loader{a: a, lo: 0, hi: a.nParts, metas: true, solidIDs: map[solidKey]int32{}}
	if err := l.load(); err != nil {
		return err
	}
	a.nBlobs = len(a.blobs)
	for lo := a.nParts; lo < len(a.parts); {
		hi := lo + 1
		for hi < len(a.parts) && a.parts[hi].hdr.GUID == a.parts[lo].hdr.GUID {
			hi++
		}
		l := &loader{a: a, lo: lo, hi: hi, base: int32(len(a.blobs)), solidIDs: map[solidKey]int32{}}
		if err := l.load(); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}

// byNumber lists the parts [lo, hi) by their part numbers.
func (a *Store) byNumber(lo, hi int) []int {
	order := make([]int, 0, hi-lo)
	for i := lo; i < hi; i++ {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Compare(a.parts[x].hdr.PartNumber, a.parts[y].hdr.PartNumber)
	})
	return order
}

// finishImages puts together what the XML document and the blob table say of the images. The table counts.
func (a *Archive) finishImages() {
	p := &a.parts[a.first]
	if p.hdr.PartNumber > 1 {
		a.imagesElsewhere()
		return
	}
	a.images = make([]xmldoc.ImageInfo, len(a.metas))
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
	a.compareCounts(int64(p.hdr.ImageCount), int64(named), doubtful)
	for i := range a.images {
		a.images[i].Index = i + 1
		a.images[i].Boot = uint32(i+1) == p.hdr.BootIndex
		a.images[i].Problem = a.metas[i].problem
	}
	if int64(p.hdr.BootIndex) > int64(len(a.metas)) {
		a.warnings = append(a.warnings, fmt.Sprintf("%s: the boot index is %d, and there are %d images", p.Name, p.hdr.BootIndex, len(a.metas)))
	}
}

// imagesElsewhere returns what the XML document of a later part says about the images, which are in the first part.
func (a *Archive) imagesElsewhere() {
	root := a.doc.Root()
	if root == nil {
		return
	}
	for _, n := range root.Children {
		if n.Name == "IMAGE" && len(a.images) < int(a.parts[a.first].hdr.ImageCount) {
			info := xmldoc.ReadImageInfo(n)
			info.Index, info.Problem = len(a.images)+1, "it is in part 1, which is not there"
			a.images = append(a.images, info)
		}
	}
}

// compareCounts compares the image counts of the header, the XML document and the blob table. doubtful means that an INDEX in
// the document belongs to no image, or to one that has another element.
func (a *Archive) compareCounts(header, named int64, doubtful bool) {
	h := &a.parts[a.first].hdr
	table := int64(len(a.metas))
	countAt := a.parts[a.first].hdrOff + 0x2c
	switch lost := int(max(header-table, 0)); {
	case header > 0 && h.BlobTable.IsZero():
		a.lose(LossBlobTable, countAt, lost, "there is no blob table, though the header's count of images is %d: nothing of them can be found", header)
	case header != table:
		a.lose(LossImages, countAt, lost, "the count of images is %d in the header and %d in the blob table", header, table)
	}
	if len(a.doc.Nodes) == 0 {
		return // it was reported
	}
	switch {
	case named != header:
		a.lose(LossXMLImages, int64(h.XML.Off), 0, "the count of images is %d in the XML document and %d in the header", named, header)
	case doubtful && table >= header:
		a.lose(LossXML, int64(h.XML.Off), 0, "the XML document does not name each image once, by an INDEX of its own")
	case named != table && table > header:
		a.lose(LossXMLImages, int64(h.XML.Off), 0, "the count of images is %d in the XML document and %d in the blob table", named, table)
	}
}

// Images are the archive's images in their order; Images()[0] has index 1.
func (a *Archive) Images() []xmldoc.ImageInfo { return a.images }

// XMLDoc is the archive's XML document, empty if there is none. It must not be changed.
func (a *Archive) XMLDoc() *xmldoc.Doc { return a.doc }

// XML is the text of the document in UTF-8.
func (a *Archive) XML() []byte { return []byte(a.doc.String()) }

// RawXML is the document as part 1 stores it: UTF-16LE, as a rule with a byte order mark.
func (a *Archive) RawXML() ([]byte, error) {
	p := &a.parts[a.first]
	r, fault := p.plain(int32(a.first), p.hdr.XML)
	if fault != faultNone {
		return nil, format.Errorf("XML document", p.Name, r.off, "%v", fault)
	}
	return a.readAll(&r, "XML document", tableTimes)
}

// Image loads the tree of an image, index from 1. Trees are kept as far as ReadOptions.TreeCacheSize allows.
// Errors: ErrNotFound, *FormatError, *ChecksumError, *TooLargeError.
func (a *Archive) Image(index int) (*Image, error) {
	if index < 1 || index > len(a.metas) {
		return nil, fmt.Errorf("wim: image %d of %d: %w", index, len(a.metas), format.ErrNotFound)
	}
	if im, ok := a.trees.get(index); ok {
		return im, nil
	}
	a.loadMu.Lock()
	defer a.loadMu.Unlock()
	if im, ok := a.trees.get(index); ok {
		return im, nil
	}
	if im, ok := a.sameTree(index); ok {
		a.trees.put(index, im, 0)
		return im, nil
	}
	b, check, err := a.metadata(index)
	if err != nil {
		return nil, err
	}
	im, err := loadImage(a, index, b) // whose loader believes nothing, while the hash is being computed
	if err := check(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("wim: %s: %s: %w", a.parts[a.metas[index-1].src].Name, metadataOf(index), err)
	}
	a.trees.put(index, im, im.memory())
	return im, nil
}

// sameTree returns an image that shares the tree of an earlier image with the same metadata resource. ok is false if there is none,
// or if it is not loaded.
func (a *Archive) sameTree(index int) (*Image, bool) {
	other := a.metas[index-1].same
	if other == 0 {
		return nil, false
	}
	im, ok := a.trees.get(other)
	if !ok {
		return nil, false
	}
	return &Image{tree: im.tree, a: a, index: index}, true
}

// Metadata reads an image's metadata resource as it is, with its SHA-1 checked.
func (a *Archive) Metadata(index int) ([]byte, error) {
	if index < 1 || index > len(a.metas) {
		return nil, fmt.Errorf("wim: image %d of %d: %w", index, len(a.metas), format.ErrNotFound)
	}
	b, check, err := a.metadata(index)
	if err != nil {
		return nil, err
	}
	return b, check()
}

func metadataOf(index int) string { return fmt.Sprintf("metadata resource of image %d", index) }

// metadata reads an image's metadata resource. check tells whether its SHA-1 is right; that may be computed beside
// what the caller does until then.
func (a *Store) metadata(index int) (b []byte, check func() error, err error) {
	m := &a.metas[index-1]
	p := &a.parts[m.src]
	if m.problem != "" {
		return nil, nil, format.Errorf(metadataOf(index), p.Name, m.off, "%s", m.problem)
	}
	b, err = a.readAll(&m.resource, metadataOf(index), metadataTimes)
	if err != nil {
		return nil, nil, err
	}
	sum := a.opts.sum(b)
	return b, func() error {
		if got := sum(); got != m.hash {
			return &ChecksumError{What: metadataOf(index), Part: p.Name, Off: m.off, Want: m.hash, Got: got}
		}
		return nil
	}, nil
}

// Source gives shards their bytes: parts, then references, in the order of Open.
type Source []io.ReaderAt

// Source is what RunShard reads this archive's shards from.
func (a *Store) Source() Source {
	s := make(Source, len(a.parts))
	for i := range a.parts {
		s[i] = a.parts[i].R
	}
	return s
}
