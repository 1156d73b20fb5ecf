package blobs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"wimscope/wim/format"
)

// Blob is a sequence of bytes that an archive stores once, however many files contain it.
type Blob struct {
	ID        int32 // index into Blobs(), or into the blobs of the references
	Hash      format.Hash
	Size      int64  // bytes
	RefCount  uint32 // from the blob table; often wrong
	Part      int    // the file that holds it: an index into Store.Parts
	Reference bool   // a reference holds it, not the archive
}

// Record is a blob with its place. An archive may have hundreds of thousands.
type Record struct {
	Hash   format.Hash
	Refs   uint32 // reference count from the blob table
	Run    int32  // index into Store.Runs, -1 if it has a resource of its own
	Src    int32  // index into Store.Parts
	Form   Form
	Fault  Fault
	Off    int64 // of its resource in the part; if solid, of its bytes in the run
	Packed int64 // bytes of its resource; 0 if solid
	Size   int64
}

// Fault is the reason why a blob cannot be read.
type Fault uint8

const (
	FaultNone   Fault = iota
	faultRange        // past the end of the part
	faultSizes        // sizes that contradict each other
	faultCodec        // compressed, in an archive without a codec
	faultSolid        // outside its solid run, or in a solid resource that cannot be read
	FaultAbsent       // in a solid resource of a missing part
)

func (f Fault) String() string {
	switch f {
	case faultRange:
		return "resource extends past the end of the part"
	case faultSizes:
		return "contradictory sizes of the resource"
	case faultCodec:
		return "compressed resource in an archive without a codec"
	case faultSolid:
		return "outside of its solid resource, or that is unreadable"
	case FaultAbsent:
		return "its solid resource is in a missing part"
	}
	return "none"
}

// Metadata is an image's metadata resource.
type Metadata struct {
	Resource
	Hash    format.Hash
	refs    uint32
	Problem string // why it cannot be read; "" if it can
	Same    int    // an earlier image with the same resource, 0 if there is none
}

// loader reads the blob tables of the archive, or of one reference, into a Store.
type loader struct {
	a        *Store
	lo, hi   int   // range of Store.Parts: those of the archive, or of one reference
	base     int32 // number of records before these parts
	metas    bool  // add metadata resources as images; false for references and later parts
	solidIDs map[solidKey]int32
	warned   int
	images   map[MetaPlace]int // the last image so far with a metadata resource
	metadata int64             // bytes of the metadata of all images
	thorough bool              // use addEntry for every entry; for a test
}

// maxWarnings limits the warnings about one archive or reference, so that a hostile file cannot fill memory with them.
const maxWarnings = 100

func (l *loader) warn(text string, args ...any) {
	if l.warned++; l.warned == maxWarnings {
		l.a.Warnings = append(l.a.Warnings, "more warnings of this kind follow")
	}
	if l.warned < maxWarnings {
		l.a.Warnings = append(l.a.Warnings, fmt.Sprintf(text, args...))
	}
}

// partNumber returns the index of the part with a number.
func (l *loader) partNumber(n int) (src int, ok bool) {
	for i := l.lo; i < l.hi; i++ {
		if int(l.a.Parts[i].Header.PartNumber) == n {
			return i, true
		}
	}
	return 0, false
}

// Plain returns the resource of a resource header that is not solid. If the fault is not FaultNone it cannot be read.
func (p *OpenPart) Plain(h format.ResourceHeader) (Resource, Fault) {
	r := Resource{Src: int32(p.Index), Off: ClampSize(h.Off), Packed: ClampSize(h.PackedSize), Size: ClampSize(h.Size)}
	if h.Flags&format.ResCompressed != 0 {
		if p.Codec == format.None {
			return r, faultCodec
		}
		r.Form, r.Codec, r.ChunkSize = FormChunked, p.Codec, int64(p.Header.ChunkSize)
		if p.Header.Pipable() {
			r.Form = FormPipable
		}
	}
	if r.Off > p.Size || r.Packed > p.Size-r.Off {
		return r, faultRange
	}
	if r.Check(p.Size) != nil {
		return r, faultSizes
	}
	return r, FaultNone
}

// blobTable is one part's blob table while the archive is opened.
type blobTable struct {
	src  int
	base int64 // offset in the part
	b    []byte
	runs []tableRun
	ids  []int32 // indexes of the runs in Store.Runs
}

func (t *blobTable) entries() int        { return len(t.b) / format.BlobEntrySize }
func (t *blobTable) off(i int) int64     { return t.base + int64(i)*format.BlobEntrySize }
func (t *blobTable) record(i int) string { return fmt.Sprintf("blob table entry %d", i) }

func (t *blobTable) entry(i int) format.BlobEntry {
	e, err := format.ParseBlobEntry(t.b[i*format.BlobEntrySize:])
	if err != nil {
		panic(err) // entries() counts whole ones
	}
	return e
}

// load reads the blob tables of the parts [lo, hi).
func (l *loader) load() error {
	var tables []*blobTable
	// By number, so that the choice between two entries does not depend on the order in which the parts were given.
	for _, src := range l.a.byNumber(l.lo, l.hi) {
		t, err := l.readTable(int(src))
		if err != nil {
			return err
		}
		if err := l.findRuns(t); err != nil {
			return err
		}
		tables = append(tables, t)
	}
	l.keepRuns(tables)
	for _, t := range tables {
		if err := l.loadTable(t); err != nil {
			return err
		}
		l.metas = false // images are in part 1
	}
	return nil
}

func (l *loader) readTable(src int) (*blobTable, error) {
	p := &l.a.Parts[src]
	t := &blobTable{src: src}
	if p.Header.BlobTable.IsZero() {
		return t, nil
	}
	const record = "blob table"
	r, fault := p.Plain(p.Header.BlobTable)
	if fault != FaultNone {
		return nil, format.Errorf(record, p.Name, r.Off, "%v", fault)
	}
	t.base = r.Off
	var err error
	if t.b, err = l.a.ReadAll(&r, record, TableTimes); err != nil {
		return nil, err
	}
	if extra := len(t.b) % format.BlobEntrySize; extra != 0 {
		return nil, format.Errorf(record, p.Name, r.Off, "its %d bytes are no multiple of the entry size: %d too many", len(t.b), extra)
	}
	if t.entries() > 1<<30 {
		return nil, format.Errorf(record, p.Name, r.Off, "%d entries are too many", t.entries())
	}
	return t, nil
}

// ignored counts the entries of a blob table that are ignored or cannot be read.
type ignored struct {
	foreign, zero, empty, twice, unusedMeta int

	faults     [FaultAbsent + 1]int
	firstFault [FaultAbsent + 1]int
}

// loadTable adds the blobs and images of a blob table.
func (l *loader) loadTable(t *blobTable) error {
	a := l.a
	p := &a.Parts[t.src]
	n := t.entries()
	a.Records = slices.Grow(a.Records, n)
	a.Index.Reserve(n, func(id int32) *[20]byte { return (*[20]byte)(&a.Records[id].Hash) })
	before := len(a.Records)
	var skip ignored
	run := 0
	for i := 0; i < n; {
		for run < len(t.runs) && i >= t.runs[run].last {
			run++
		}
		end := n
		if run < len(t.runs) {
			end = t.runs[run].first
		}
		if next := l.plainEntries(t, i, min(end, i+pieceEntries)); next > i {
			i = next
			continue
		}
		if err := l.addEntry(t, i, run, &skip); err != nil {
			return err
		}
		i++
	}
	l.report(p, &skip)
	if added := len(a.Records) - before; added < n/2 {
		a.Records = slices.Clone(a.Records) // release the memory of the ignored entries
	}
	return nil
}

// addEntry adds entry i as a blob or an image. run is the index of the solid run that holds it or comes after it.
func (l *loader) addEntry(t *blobTable, i, run int, skip *ignored) error {
	p := &l.a.Parts[t.src]
	e := t.entry(i)
	solid := run < len(t.runs) && i >= t.runs[run].first
	switch {
	case solid && e.Resource.Size == format.SolidMagicSize:
		return nil
	case !solid && e.Part != p.Header.PartNumber:
		skip.foreign++
		return nil
	case e.Resource.Flags&format.ResMetadata != 0 && e.RefCount == 0:
		skip.unusedMeta++
		return nil
	case e.Resource.Flags&format.ResMetadata != 0:
		if l.metas {
			return l.addMeta(t, i, e, solid)
		}
		return nil
	}
	rec := Record{Hash: e.Hash, Refs: e.RefCount, Run: -1, Src: int32(t.src)}
	if solid {
		l.solidBlob(&rec, t.ids[run], e)
	} else {
		var res Resource
		res, rec.Fault = p.Plain(e.Resource)
		rec.Form, rec.Off, rec.Packed, rec.Size = res.Form, res.Off, res.Packed, res.Size
	}
	l.addBlob(&rec, i, skip)
	return nil
}

// pieceEntries is how many entries one call of plainEntries takes: V8 switches to a function's optimised code between two calls
// of it.
const pieceEntries = 1024

// plainEntries is the fast path of addEntry for the hundreds of thousands of entries of a table. It adds the blobs of the entries [from,
// to), which are in no solid run, and returns the index of the first entry that is not a new blob within this part with at most one
// chunk, or to. addEntry handles that one.
func (l *loader) plainEntries(t *blobTable, from, to int) int {
	if l.thorough {
		return from
	}
	le := binary.LittleEndian
	a := l.a
	p := &a.Parts[t.src]
	index, blobs := &a.Index, a.Records
	number := p.Header.PartNumber
	packedForm, chunk, prefix := FormChunked, uint64(p.Header.ChunkSize), uint64(0)
	least, shift := leastPacked(p.Codec)
	switch {
	case p.Codec == format.None:
		chunk = 0
	case p.Header.Pipable():
		packedForm, prefix = FormPipable, PipablePrefix
	}
	i := from
	for ; i < to; i++ {
		e := (*[format.BlobEntrySize]byte)(t.b[i*format.BlobEntrySize:])
		first, off, size := le.Uint64(e[0:]), le.Uint64(e[8:]), le.Uint64(e[16:])
		packed := first & format.MaxPackedSize
		form := FormStored
		if first>>56&format.ResCompressed != 0 {
			form = packedForm
			if size > chunk || packed < prefix+min(uint64(least)+size>>(shift&63), size) {
				break
			}
		} else if packed != size {
			break
		}
		if first>>56&format.ResMetadata != 0 || le.Uint16(e[24:]) != number || size == 0 ||
			off > uint64(p.Size) || packed > uint64(p.Size)-off {
			break
		}
		hash := (*format.Hash)(e[30:])
		if le.Uint64(hash[0:])|le.Uint64(hash[8:])|uint64(le.Uint32(hash[16:])) == 0 {
			break
		}
		_, slot, seen := index.Find(blobs, hash)
		if seen {
			break
		}
		index.Put(slot, int32(len(blobs)))
		blobs = blobs[:len(blobs)+1] // loadTable made room
		rec := &blobs[len(blobs)-1]
		rec.Hash, rec.Refs, rec.Run, rec.Src = *hash, le.Uint32(e[26:]), -1, int32(t.src)
		rec.Form, rec.Fault = form, FaultNone
		rec.Off, rec.Packed, rec.Size = int64(off), int64(packed), int64(size)
	}
	a.Records = blobs
	return i
}

// solidBlob sets the place of a blob of a solid run.
func (l *loader) solidBlob(rec *Record, run int32, e format.BlobEntry) {
	rec.Run = run
	rec.Off, rec.Size = ClampSize(e.Resource.Off), ClampSize(e.Resource.PackedSize)
	r := &l.a.Runs[run]
	var member int
	member, rec.Fault = r.locate(rec.Off, rec.Size)
	if member >= 0 {
		rec.Src = l.a.Solids[r.Members[member].Solid].Src
	}
}

// addBlob adds the blob of entry i unless it has no hash, is empty, or is known already.
func (l *loader) addBlob(rec *Record, i int, skip *ignored) {
	switch {
	case rec.Hash.IsZero():
		skip.zero++
		return
	case rec.Size == 0:
		skip.empty++
		return
	}
	id, slot, seen := l.a.Index.Find(l.a.Records, &rec.Hash)
	if seen {
		if id < l.base {
			return // the archive or an earlier reference has it
		}
		if old := &l.a.Records[id]; old.Fault != FaultNone && rec.Fault == FaultNone {
			*old = *rec // prefer the readable duplicate
		} else if rec.Run < 0 {
			skip.twice++
		}
		return
	}
	if rec.Fault != FaultNone {
		if skip.faults[rec.Fault] == 0 {
			skip.firstFault[rec.Fault] = i
		}
		skip.faults[rec.Fault]++
	}
	l.a.Index.Put(slot, int32(len(l.a.Records)))
	l.a.Records = append(l.a.Records, *rec)
}

// report adds warnings about the entries that were ignored or cannot be read.
func (l *loader) report(p *OpenPart, skip *ignored) {
	for f, count := range skip.faults {
		if count > 0 {
			l.warn("%s: blob table: %d unreadable blobs, the first is entry %d: %v", p.Name, count, skip.firstFault[f], Fault(f))
		}
	}
	for _, w := range []struct {
		n    int
		text string
	}{
		{skip.foreign, "entries of other parts ignored"},
		{skip.zero, "entries without a hash ignored"},
		{skip.empty, "entries of size 0 ignored"},
		{skip.twice, "entries with a repeated hash ignored"},
		{skip.unusedMeta, "metadata resources with a reference count of 0 ignored"},
	} {
		if w.n > 0 {
			l.warn("%s: blob table: %d %s", p.Name, w.n, w.text)
		}
	}
}

// MaxImages is the largest number of images in an archive, the same as in wimlib.
const MaxImages = 65535

// addMeta adds an image. Images are in the order of their entries in the blob table, whatever their offsets.
func (l *loader) addMeta(t *blobTable, i int, e format.BlobEntry, solid bool) error {
	src, p, record := t.src, &l.a.Parts[t.src], t.record(i)
	if len(l.a.Metas) >= MaxImages {
		return format.Errorf(record, p.Name, t.off(i), "more than %d images", MaxImages)
	}
	m := Metadata{Hash: e.Hash, refs: e.RefCount}
	if solid {
		// No known tool writes or reads this.
		m.Problem = "metadata in a solid resource is not supported"
		m.Src = int32(src)
	} else {
		var fault Fault
		if m.Resource, fault = p.Plain(e.Resource); fault != FaultNone {
			m.Problem = fault.String()
		}
	}
	index := len(l.a.Metas) + 1
	if m.Problem == "" {
		if limit := budget(l.a.Size, metadataTimes); m.Size > limit-l.metadata {
			m.Problem = fmt.Sprintf("the metadata of the images up to this one is larger than %d times the archive", metadataTimes)
		} else {
			l.metadata += m.Size
			if l.images == nil {
				l.images = map[MetaPlace]int{}
			}
			at := m.Place()
			m.Same = l.images[at]
			l.images[at] = index
		}
	}
	if m.Problem != "" {
		l.warn("%s: %s: image %d: %s", p.Name, record, index, m.Problem)
	} else if e.RefCount != 1 {
		l.warn("%s: %s: the metadata of image %d has reference count %d instead of 1", p.Name, record, index, e.RefCount)
	}
	l.a.Metas = append(l.a.Metas, m)
	return nil
}

// ReadAll reads and unpacks a whole resource of at most MaxMemory bytes and at most times the size of the part. record names it in
// errors.
func (a *Store) ReadAll(r *Resource, record string, times int64) ([]byte, error) {
	p := &a.Parts[r.Src]
	limit := min(a.Opts.MaxMemory, budget(p.Size, times))
	if r.Size > limit {
		return nil, &format.TooLargeError{What: fmt.Sprintf("%s: %s at 0x%x", p.Name, record, r.Off), Need: r.Size, Limit: limit}
	}
	if r.Size == 0 {
		return nil, nil
	}
	if r.Form == FormStored {
		return p.read(record, r.Off, r.Size)
	}
	br := &Reader{a: a, res: *r, run: -1, size: r.Size, uncached: true}
	out := make([]byte, r.Size)
	if _, err := br.ReadAt(out, 0); err != nil {
		var fe *format.Error
		if errors.As(err, &fe) {
			return nil, &format.Error{Record: record, Part: p.Name, Off: r.Off, Err: fe.Err}
		}
		return nil, fmt.Errorf("wim: %s: %s at 0x%x: %w", p.Name, record, r.Off, err)
	}
	return out, nil
}

// RecordBlob returns the blob of record id.
func (a *Store) RecordBlob(id int32) Blob {
	r := &a.Records[id]
	b := Blob{ID: id, Hash: r.Hash, Size: r.Size, RefCount: r.Refs, Part: int(r.Src)}
	if int(id) >= a.NBlobs {
		b.Reference = true
		b.ID = id - int32(a.NBlobs)
	}
	return b
}

// record returns the record of a Blob that this store returned.
func (a *Store) record(b Blob) (*Record, bool) {
	id := int(b.ID)
	if b.Reference {
		id += a.NBlobs
	}
	if id < 0 || id >= len(a.Records) || a.Records[id].Hash != b.Hash {
		return nil, false
	}
	return &a.Records[id], true
}

// Blob returns the blob with a hash, from the parts or else from the references.
func (a *Store) Blob(h format.Hash) (Blob, bool) {
	id, ok := a.BlobID(h)
	if !ok {
		return Blob{}, false
	}
	return a.RecordBlob(id), true
}

// Blobs returns all blobs of the parts in the order of the blob tables, without those of the references.
func (a *Store) Blobs() []Blob {
	out := make([]Blob, a.NBlobs)
	for i := range out {
		out[i] = a.RecordBlob(int32(i))
	}
	return out
}

// ResourceOf returns the resource of a blob that has one of its own.
func (a *Store) ResourceOf(r *Record) Resource {
	res := Resource{Src: r.Src, Form: r.Form, Off: r.Off, Packed: r.Packed, Size: r.Size}
	if r.Form != FormStored {
		p := &a.Parts[r.Src]
		res.Codec, res.ChunkSize = p.Codec, int64(p.Header.ChunkSize)
	}
	return res
}

// Stored describes how and where a blob is stored.
type Stored struct {
	Part       int // as in Blob
	PartName   string
	Off        int64 // of the resource in the part
	PackedSize int64 // bytes of the resource, including all other blobs of a solid one
	Size       int64 // bytes of the blob
	Codec      format.Codec
	Solid      bool
	SolidOff   int64 // where the blob starts in the unpacked bytes of the solid resource
	ChunkSize  int64 // 0 if it is not in chunks
	FirstChunk int64
	Chunks     int64   // number of chunks that hold some of it
	Packed     []int64 // packed sizes of the first of them, at most 64
	ChunkSizes []int64 // unpacked sizes of the same chunks
	RefCount   uint32
	Reference  bool
	Problem    string // why it cannot be read; "" if no problem is known
}

// Stored returns how and where b is stored. b must be from this store.
func (a *Store) Stored(b Blob) Stored {
	rec, ok := a.record(b)
	if !ok {
		return Stored{}
	}
	info := Stored{
		Part: int(rec.Src), PartName: a.Parts[rec.Src].Name, Size: rec.Size, RefCount: rec.Refs, Reference: b.Reference,
		Solid: rec.Run >= 0, Chunks: 1,
	}
	if rec.Fault != FaultNone {
		info.Problem = rec.Fault.String()
		info.Chunks = 0
	}
	if info.Solid {
		a.storedSolid(rec, &info)
		return info
	}
	res := a.ResourceOf(rec)
	info.Off, info.PackedSize, info.Codec, info.ChunkSize = res.Off, res.Packed, res.Codec, res.ChunkSize
	if info.Problem != "" || res.Form == FormStored {
		return info
	}
	info.Chunks = res.Chunks()
	refs, err := a.ReadChunks(&res, 0, min(info.Chunks, storedChunks))
	if err != nil {
		info.Problem = err.Error()
	}
	for _, c := range refs {
		info.Packed = append(info.Packed, c.Packed)
		info.ChunkSizes = append(info.ChunkSizes, c.Size)
	}
	return info
}

// storedChunks is the most chunks that Stored lists.
const storedChunks = 64

// storedSolid sets the place of a blob of a solid run. For a blob that continues in a second resource, it is the place in the first.
func (a *Store) storedSolid(rec *Record, info *Stored) {
	run := &a.Runs[rec.Run]
	m := run.Member(rec.Off)
	if m < 0 {
		return
	}
	s := &a.Solids[run.Members[m].Solid]
	info.Off, info.PackedSize, info.Codec, info.ChunkSize = s.Off, s.Packed, s.Codec, s.ChunkSize
	info.SolidOff = rec.Off - run.Members[m].Start
	if info.Problem != "" {
		return
	}
	chunks, err := a.RunChunks(rec.Run)
	if err != nil {
		info.Problem = err.Error()
		return
	}
	first, last := ChunkAt(chunks, rec.Off), ChunkAt(chunks, rec.Off+rec.Size-1)
	info.FirstChunk, info.Chunks = info.SolidOff/s.ChunkSize, int64(last-first+1)
	for _, c := range chunks[first:min(last+1, first+storedChunks)] {
		info.Packed = append(info.Packed, c.Packed)
		info.ChunkSizes = append(info.ChunkSizes, c.Size)
	}
}

// ReadChunks reads the places of chunks of a resource that is not solid.
func (a *Store) ReadChunks(res *Resource, first, count int64) ([]Chunk, error) {
	off, n := res.TableRange(first, count)
	b, err := a.Parts[res.Src].read("chunk table", off, n)
	if err != nil {
		return nil, err
	}
	return res.AppendChunks(nil, b, first, count), nil
}

// TableGroup is the most entries of a chunk table that are read at once.
const TableGroup = 8192
