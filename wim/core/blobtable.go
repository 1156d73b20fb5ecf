package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"wimscope/wim/format"
)

// Blob is some content, which an archive holds once however many files have it.
type Blob struct {
	ID        int32 // its place in Blobs(), or among the references' contents
	Hash      format.Hash
	Size      int64  // bytes
	RefCount  uint32 // as the blob table says, which is often wrong
	Part      int    // which file holds it: an index into Info().Parts, after those into the references
	Reference bool   // a reference holds it, not the archive
}

// blobRec is a blob with the place where it lies. There may be hundreds of thousands.
type blobRec struct {
	hash   format.Hash
	refs   uint32
	run    int32 // index into runs, -1 if it has a resource of its own
	src    int32
	form   resourceForm
	bad    blobFault
	off    int64 // of its resource in the part; if solid, of its bytes in the run
	packed int64 // bytes of its resource; 0 if solid
	size   int64
}

// blobFault is why a blob cannot be read.
type blobFault uint8

const (
	faultNone   blobFault = iota
	faultRange            // past the end of the part
	faultSizes            // sizes that contradict each other
	faultCodec            // compressed, in an archive without a codec
	faultSolid            // outside its solid run, or in a solid resource that cannot be read
	faultAbsent           // in a solid resource of a part that is not there
)

func (f blobFault) String() string {
	switch f {
	case faultRange:
		return "resource passes the end of the part"
	case faultSizes:
		return "sizes of the resource contradict each other"
	case faultCodec:
		return "resource is compressed in an archive that names no codec"
	case faultSolid:
		return "it lies outside of its solid resource, or that cannot be read"
	case faultAbsent:
		return "its solid resource is in a part that is not there"
	}
	return "none"
}

// metaRec is an image's metadata resource.
type metaRec struct {
	resource
	hash    format.Hash
	refs    uint32
	problem string // why it cannot be read; "" if it can
	same    int    // an earlier image with the same resource, 0 if there is none
}

// loader fills an Archive while it is opened.
type loader struct {
	a        *Store
	lo, hi   int // the parts in question: those of the archive, or those of one reference
	base     int32
	metas    bool // images count: not for references
	solidIDs map[solidKey]int32
	warned   int
	images   map[metaPlace]int // the last image so far with a metadata resource
	metadata int64             // bytes of the metadata of all images
	thorough bool              // use addEntry for every entry; for a test
}

// maxWarnings bounds the warnings of one kind of source, so that a hostile file cannot fill memory with them.
const maxWarnings = 100

func (l *loader) warn(text string, args ...any) {
	if l.warned++; l.warned == maxWarnings {
		l.a.warnings = append(l.a.warnings, "more warnings of this kind follow")
	}
	if l.warned < maxWarnings {
		l.a.warnings = append(l.a.warnings, fmt.Sprintf(text, args...))
	}
}

// partNumber finds a part of this set by its number.
func (l *loader) partNumber(n int) (src int, ok bool) {
	for i := l.lo; i < l.hi; i++ {
		if int(l.a.parts[i].hdr.PartNumber) == n {
			return i, true
		}
	}
	return 0, false
}

// plain makes the resource of a resource header that is not solid.
func (p *part) plain(h format.ResourceHeader) (resource, blobFault) {
	r := resource{src: int32(p.index), off: clampInt64(h.Off), packed: clampInt64(h.PackedSize), size: clampInt64(h.Size)}
	if h.Flags&format.ResCompressed != 0 {
		if p.codec == format.None {
			return r, faultCodec
		}
		r.form, r.codec, r.chunk = formChunked, p.codec, int64(p.hdr.ChunkSize)
		if p.hdr.Pipable() {
			r.form = formPipable
		}
	}
	if r.off > p.Size || r.packed > p.Size-r.off {
		return r, faultRange
	}
	if r.check(p.Size) != nil {
		return r, faultSizes
	}
	return r, faultNone
}

// blobTable is one part's blob table while the archive is opened.
type blobTable struct {
	src  int
	base int64 // where it stands in the part
	b    []byte
	runs []tableRun
	ids  []int32 // of the runs, in Archive.runs
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

// load reads the blob tables of the parts in question.
func (l *loader) load() error {
	var tables []*blobTable
	// By number, so that which of two entries counts does not depend on the order in which parts were given.
	for _, src := range l.a.byNumber(l.lo, l.hi) {
		t, err := l.readTable(src)
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
	p := &l.a.parts[src]
	t := &blobTable{src: src}
	if p.hdr.BlobTable.IsZero() {
		return t, nil
	}
	const record = "blob table"
	r, fault := p.plain(p.hdr.BlobTable)
	if fault != faultNone {
		return nil, format.Errorf(record, p.Name, r.off, "%v", fault)
	}
	t.base = r.off
	var err error
	if t.b, err = l.a.readAll(&r, record, tableTimes); err != nil {
		return nil, err
	}
	if odd := len(t.b) % format.BlobEntrySize; odd != 0 {
		return nil, format.Errorf(record, p.Name, r.off, "%d bytes are %d more than whole entries", len(t.b), odd)
	}
	if t.entries() > 1<<30 {
		return nil, format.Errorf(record, p.Name, r.off, "%d entries are beyond all bounds", t.entries())
	}
	return t, nil
}

// oddities counts what is passed over in a blob table.
type oddities struct {
	foreign, zero, empty, twice, unusedMeta int

	faults     [faultAbsent + 1]int
	firstFault [faultAbsent + 1]int
}

// loadTable makes blobs and images of a blob table's entries.
func (l *loader) loadTable(t *blobTable) error {
	a := l.a
	p := &a.parts[t.src]
	n := t.entries()
	a.blobs = slices.Grow(a.blobs, n)
	a.index.Reserve(n, func(id int32) *format.Hash { return &a.blobs[id].hash })
	before := len(a.blobs)
	var odd oddities
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
		if err := l.addEntry(t, i, run, &odd); err != nil {
			return err
		}
		i++
	}
	l.tell(p, &odd)
	if added := len(a.blobs) - before; added < n/2 {
		a.blobs = slices.Clone(a.blobs) // most entries were passed over
	}
	return nil
}

// addEntry makes a blob or an image of entry i. run is the solid run that holds it or comes after it.
func (l *loader) addEntry(t *blobTable, i, run int, odd *oddities) error {
	p := &l.a.parts[t.src]
	e := t.entry(i)
	solid := run < len(t.runs) && i >= t.runs[run].first
	switch {
	case solid && e.Resource.Size == format.SolidMagicSize:
		return nil
	case !solid && e.Part != p.hdr.PartNumber:
		odd.foreign++
		return nil
	case e.Resource.Flags&format.ResMetadata != 0 && e.RefCount == 0:
		odd.unusedMeta++
		return nil
	case e.Resource.Flags&format.ResMetadata != 0:
		if l.metas {
			return l.addMeta(t, i, e, solid)
		}
		return nil
	}
	rec := blobRec{hash: e.Hash, refs: e.RefCount, run: -1, src: int32(t.src)}
	if solid {
		l.solidBlob(&rec, t.ids[run], e)
	} else {
		var res resource
		res, rec.bad = p.plain(e.Resource)
		rec.form, rec.off, rec.packed, rec.size = res.form, res.off, res.packed, res.size
	}
	l.addBlob(&rec, i, odd)
	return nil
}

// pieceEntries is how many entries one call of plainEntries looks at: V8 changes over to a function's better code
// between two calls of it.
const pieceEntries = 1024

// plainEntries adds the blobs of the entries from to to-1, which are in no solid run, up to the first one that is
// anything but a blob of this part that lies in it, has one chunk at most, and is new. It gives that one's number. All
// entries could go by addEntry, which judges those left over: this is for the hundreds of thousands that a table has.
func (l *loader) plainEntries(t *blobTable, from, to int) int {
	if l.thorough {
		return from
	}
	le := binary.LittleEndian
	a := l.a
	p := &a.parts[t.src]
	index, blobs := &a.index, a.blobs
	number := p.hdr.PartNumber
	packedForm, chunk, prefix := formChunked, uint64(p.hdr.ChunkSize), uint64(0)
	least, shift := leastPacked(p.codec)
	switch {
	case p.codec == format.None:
		chunk = 0
	case p.hdr.Pipable():
		packedForm, prefix = formPipable, pipablePrefix
	}
	i := from
	for ; i < to; i++ {
		e := (*[format.BlobEntrySize]byte)(t.b[i*format.BlobEntrySize:])
		first, off, size := le.Uint64(e[0:]), le.Uint64(e[8:]), le.Uint64(e[16:])
		packed := first & format.MaxPackedSize
		form := formStored
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
		_, slot, seen := index.find(blobs, hash)
		if seen {
			break
		}
		index.Put(slot, int32(len(blobs)))
		blobs = blobs[:len(blobs)+1] // there is room: loadTable saw to it
		rec := &blobs[len(blobs)-1]
		rec.hash, rec.refs, rec.run, rec.src = *hash, le.Uint32(e[26:]), -1, int32(t.src)
		rec.form, rec.bad = form, faultNone
		rec.off, rec.packed, rec.size = int64(off), int64(packed), int64(size)
	}
	a.blobs = blobs
	return i
}

// solidBlob places a blob of a solid run.
func (l *loader) solidBlob(rec *blobRec, run int32, e format.BlobEntry) {
	rec.run = run
	rec.off, rec.size = clampInt64(e.Resource.Off), clampInt64(e.Resource.PackedSize)
	r := &l.a.runs[run]
	var member int
	member, rec.bad = r.locate(rec.off, rec.size)
	if member >= 0 {
		rec.src = l.a.solids[r.members[member].solid].src
	}
}

// addBlob adds a blob unless it means nothing or its hash is there already.
func (l *loader) addBlob(rec *blobRec, i int, odd *oddities) {
	switch {
	case rec.hash.IsZero():
		odd.zero++
		return
	case rec.size == 0:
		odd.empty++
		return
	}
	id, slot, seen := l.a.index.find(l.a.blobs, &rec.hash)
	if seen {
		if id < l.base {
			return // the parts hold it, or a reference before this one
		}
		if old := &l.a.blobs[id]; old.bad != faultNone && rec.bad == faultNone {
			*old = *rec // of two the one that can be read
		} else if rec.run < 0 {
			odd.twice++
		}
		return
	}
	if rec.bad != faultNone {
		if odd.faults[rec.bad] == 0 {
			odd.firstFault[rec.bad] = i
		}
		odd.faults[rec.bad]++
	}
	l.a.index.Put(slot, int32(len(l.a.blobs)))
	l.a.blobs = append(l.a.blobs, *rec)
}

// tell makes warnings of what was passed over.
func (l *loader) tell(p *part, odd *oddities) {
	for f, count := range odd.faults {
		if count > 0 {
			l.warn("%s: blob table: %d entries cannot be read, the first is entry %d: %v", p.Name, count, odd.firstFault[f], blobFault(f))
		}
	}
	for _, w := range []struct {
		n    int
		text string
	}{
		{odd.foreign, "entries belong to other parts and were passed over"},
		{odd.zero, "entries have no hash and were passed over"},
		{odd.empty, "entries have no bytes and were passed over"},
		{odd.twice, "entries repeat a hash; the first one counts"},
		{odd.unusedMeta, "metadata resources have a reference count of 0 and were passed over"},
	} {
		if w.n > 0 {
			l.warn("%s: blob table: %d %s", p.Name, w.n, w.text)
		}
	}
}

// maxImages bounds the images of an archive, as wimlib does.
const maxImages = 65535

// addMeta adds an image. Images have the order of their entries in the blob table, whatever their place in the file.
func (l *loader) addMeta(t *blobTable, i int, e format.BlobEntry, solid bool) error {
	src, p, record := t.src, &l.a.parts[t.src], t.record(i)
	if len(l.a.metas) >= maxImages {
		return format.Errorf(record, p.Name, t.off(i), "more than %d images", maxImages)
	}
	m := metaRec{hash: e.Hash, refs: e.RefCount}
	if solid {
		// No tool writes this and none reads it.
		m.problem = "its metadata is said to lie in a solid resource"
		m.src = int32(src)
	} else {
		var fault blobFault
		if m.resource, fault = p.plain(e.Resource); fault != faultNone {
			m.problem = fault.String()
		}
	}
	index := len(l.a.metas) + 1
	if m.problem == "" {
		if limit := budget(l.a.size, metadataTimes); m.size > limit-l.metadata {
			m.problem = fmt.Sprintf("with it, the metadata of all images has more than %d times as many bytes as the archive", metadataTimes)
		} else {
			l.metadata += m.size
			if l.images == nil {
				l.images = map[metaPlace]int{}
			}
			at := m.place()
			m.same = l.images[at]
			l.images[at] = index
		}
	}
	if m.problem != "" {
		l.warn("%s: %s: image %d: %s", p.Name, record, index, m.problem)
	} else if e.RefCount != 1 {
		l.warn("%s: %s: the metadata of image %d has a reference count of %d instead of 1", p.Name, record, index, e.RefCount)
	}
	l.a.metas = append(l.a.metas, m)
	return nil
}

// readAll reads and unpacks a whole resource. Its size is limited by MaxMemory and by times the size of the part.
func (a *Store) readAll(r *resource, record string, times int64) ([]byte, error) {
	p := &a.parts[r.src]
	limit := min(a.opts.MaxMemory, budget(p.Size, times))
	if r.size > limit {
		return nil, &format.TooLargeError{What: fmt.Sprintf("%s: %s at 0x%x", p.Name, record, r.off), Need: r.size, Limit: limit}
	}
	if r.size == 0 {
		return nil, nil
	}
	if r.form == formStored {
		return p.read(record, r.off, r.size)
	}
	br := &BlobReader{a: a, res: *r, run: -1, size: r.size, uncached: true}
	out := make([]byte, r.size)
	if _, err := br.ReadAt(out, 0); err != nil {
		var fe *format.Error
		if errors.As(err, &fe) {
			return nil, &format.Error{Record: record, Part: p.Name, Off: r.off, Err: fe.Err}
		}
		return nil, fmt.Errorf("wim: %s: %s at 0x%x: %w", p.Name, record, r.off, err)
	}
	return out, nil
}

// blob gives the public form of a record.
func (a *Store) blob(id int32) Blob {
	r := &a.blobs[id]
	b := Blob{ID: id, Hash: r.hash, Size: r.size, RefCount: r.refs, Part: int(r.src)}
	if int(id) >= a.nBlobs {
		b.Reference = true
		b.ID = id - int32(a.nBlobs)
	}
	return b
}

// record is the other way round: the record of a Blob that this archive gave.
func (a *Store) record(b Blob) (*blobRec, bool) {
	id := int(b.ID)
	if b.Reference {
		id += a.nBlobs
	}
	if id < 0 || id >= len(a.blobs) || a.blobs[id].hash != b.Hash {
		return nil, false
	}
	return &a.blobs[id], true
}

// Blob finds a content: in the parts, then in the references.
func (a *Store) Blob(h format.Hash) (Blob, bool) {
	id, ok := a.blobID(h)
	if !ok {
		return Blob{}, false
	}
	return a.blob(id), true
}

// Blobs are all contents that the parts hold, in the order of the blob tables. Those of references are not among them.
func (a *Store) Blobs() []Blob {
	out := make([]Blob, a.nBlobs)
	for i := range out {
		out[i] = a.blob(int32(i))
	}
	return out
}

// resourceOf gives the resource of a blob that has its own.
func (a *Store) resourceOf(r *blobRec) resource {
	res := resource{src: r.src, form: r.form, off: r.off, packed: r.packed, size: r.size}
	if r.form != formStored {
		p := &a.parts[r.src]
		res.codec, res.chunk = p.codec, int64(p.hdr.ChunkSize)
	}
	return res
}

// StoredInfo says where a content lies.
type StoredInfo struct {
	Part       int // as in Blob
	PartName   string
	Off        int64 // of the resource in the part
	PackedSize int64 // bytes of the resource; of a solid one, of all of it
	Size       int64 // bytes of the content
	Codec      format.Codec
	Solid      bool
	SolidOff   int64 // where it starts in the solid resource's unpacked bytes
	ChunkSize  int64 // 0 if it is not in chunks
	FirstChunk int64
	Chunks     int64   // that hold some of it
	Packed     []int64 // packed sizes of the first of them, at most 64
	ChunkSizes []int64 // unpacked sizes of the same
	RefCount   uint32
	Reference  bool
	Problem    string // why it cannot be read; "" if nothing is known against it
}

// Stored says where b lies, which must be of this archive.
func (a *Store) Stored(b Blob) StoredInfo {
	rec, ok := a.record(b)
	if !ok {
		return StoredInfo{}
	}
	info := StoredInfo{
		Part: int(rec.src), PartName: a.parts[rec.src].Name, Size: rec.size, RefCount: rec.refs, Reference: b.Reference,
		Solid: rec.run >= 0, Chunks: 1,
	}
	if rec.bad != faultNone {
		info.Problem = rec.bad.String()
		info.Chunks = 0
	}
	if info.Solid {
		a.storedSolid(rec, &info)
		return info
	}
	res := a.resourceOf(rec)
	info.Off, info.PackedSize, info.Codec, info.ChunkSize = res.off, res.packed, res.codec, res.chunk
	if info.Problem != "" || res.form == formStored {
		return info
	}
	info.Chunks = res.chunks()
	refs, err := a.chunkRefs(&res, 0, min(info.Chunks, storedChunks))
	if err != nil {
		info.Problem = err.Error()
	}
	for _, c := range refs {
		info.Packed = append(info.Packed, c.packed)
		info.ChunkSizes = append(info.ChunkSizes, c.size)
	}
	return info
}

// storedChunks is how many chunks StoredInfo lists.
const storedChunks = 64

// storedSolid tells where a blob of a solid run lies. A blob that goes on in a second resource is told of where it starts.
func (a *Store) storedSolid(rec *blobRec, info *StoredInfo) {
	run := &a.runs[rec.run]
	m := run.member(rec.off)
	if m < 0 {
		return
	}
	s := &a.solids[run.members[m].solid]
	info.Off, info.PackedSize, info.Codec, info.ChunkSize = s.off, s.packed, s.codec, s.chunk
	info.SolidOff = rec.off - run.members[m].start
	if info.Problem != "" {
		return
	}
	chunks, err := a.runChunks(rec.run)
	if err != nil {
		info.Problem = err.Error()
		return
	}
	first, last := chunkAt(chunks, rec.off), chunkAt(chunks, rec.off+rec.size-1)
	info.FirstChunk, info.Chunks = info.SolidOff/s.chunk, int64(last-first+1)
	for _, c := range chunks[first:min(last+1, first+storedChunks)] {
		info.Packed = append(info.Packed, c.packed)
		info.ChunkSizes = append(info.ChunkSizes, c.size)
	}
}

// chunkRefs reads where chunks of a resource that is not solid lie.
func (a *Store) chunkRefs(res *resource, first, count int64) ([]chunkRef, error) {
	off, n := res.tableRange(first, count)
	b, err := a.parts[res.src].read("chunk table", off, n)
	if err != nil {
		return nil, err
	}
	return res.appendChunks(nil, b, first, count), nil
}

// tableGroup is how many chunks' places are held at once.
const tableGroup = 8192
