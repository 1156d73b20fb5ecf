package core

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"sort"
	"strconv"

	"wimscope/wim/format"
)

// solidResource is one solid resource, whose chunks many blobs share.
type solidResource struct {
	resource
	bad string // why it cannot be read; "" if it can
}

// solidRun is the solid resources of a run of blob table entries, one after another. The run's blobs are numbered
// over their concatenated bytes. As a rule there is one resource.
type solidRun struct {
	members []runMember
	end     int64 // unpacked bytes of all members up to the first whose size is not known
	open    bool  // there is such a member, as when its part is not there
	bad     []int // bad[i] is how many of members[:i] cannot be read

	chunks []solidChunk // of all members, read when first needed
}

type runMember struct {
	start int64 // in the run
	solid int32 // index into Archive.solids
}

// solidChunk is a chunk of a run.
type solidChunk struct {
	chunkRef
	start int64 // of its unpacked bytes, in the run
	solid int32
}

// solidKey tells solid resources apart: in a split set each part's table may name all of them.
type solidKey struct {
	src int32
	off int64
}

// tableRun is a run as it stands in one blob table.
type tableRun struct {
	first, last int   // entries
	need        int64 // where the last of its blobs ends
	solidRun
}

// findRuns finds the solid runs of a blob table and their resources.
func (l *loader) findRuns(t *blobTable) error {
	p := &l.a.parts[t.src]
	if p.hdr.Version != format.Version014 {
		return nil // in version 1.13 the flag means nothing
	}
	n := t.entries()
	for i := 0; i < n; i++ {
		if t.entry(i).Resource.Flags&format.ResSolid == 0 {
			continue
		}
		run := tableRun{first: i}
		for ; i < n; i++ {
			e := t.entry(i)
			if e.Resource.Flags&format.ResSolid == 0 {
				break
			}
			if e.Resource.Size != format.SolidMagicSize {
				if end, ok := resourceEnd(e.Resource); ok {
					run.need = max(run.need, end) // of a blob these are place and size in the run
				}
				continue
			}
			const most = 1 << 16
			if len(l.a.solids) >= most || len(run.members) >= most {
				return format.Errorf(t.record(i), p.Name, t.off(i), "more than %d solid resources", most)
			}
			if err := l.addSolid(&run.solidRun, t, i, e); err != nil {
				return err
			}
		}
		run.last = i
		t.runs = append(t.runs, run)
	}
	return nil
}

// addSolid adds the solid resource of a blob table entry to a run, reading its header from the part that the entry
// names. (Solid split sets exist, but no sample was seen; that an entry may name another part is how they are
// believed to be.)
func (l *loader) addSolid(run *solidRun, t *blobTable, i int, e format.BlobEntry) error {
	owner := &l.a.parts[t.src]
	src, ok := l.partNumber(int(e.Part))
	if !ok {
		if !run.open {
			run.open = true
			l.warn("%s: %s is a solid resource in part %d, which is not there", owner.Name, t.record(i), e.Part)
		}
		return nil
	}
	key := solidKey{int32(src), clampInt64(e.Resource.Off)}
	id, seen := l.solidIDs[key]
	if !seen {
		s, err := readSolid(&l.a.parts[src], int32(src), e.Resource)
		if err != nil {
			return err
		}
		if s.bad != "" {
			l.warn("%s: %s, a solid resource at 0x%x: %s", owner.Name, t.record(i), e.Resource.Off, s.bad)
		}
		id = int32(len(l.a.solids))
		l.a.solids = append(l.a.solids, s)
		l.solidIDs[key] = id
	}
	run.add(id, &l.a.solids[id])
	return nil
}

// add puts a resource at the end of a run, unless where it starts cannot be known.
func (run *solidRun) add(id int32, s *solidResource) {
	if run.open {
		return
	}
	const most = 1 << 61
	if s.size > most-run.end || s.chunk == 0 {
		run.open = true
		return
	}
	run.members = append(run.members, runMember{run.end, id})
	run.end += s.size
}

// wholeRun is the resources of all parts one after another. In a split set the blobs of a part's run may be numbered
// over all of them, and not over the part's own; that is so if they do not fit those.
func (l *loader) wholeRun(tables []*blobTable) *solidRun {
	whole := &solidRun{}
	number := 1
	seen := map[int32]bool{}
	for _, t := range tables {
		h := &l.a.parts[t.src].hdr
		if int(h.PartNumber) != number {
			break // behind a part that is not there nothing has a known place
		}
		number++
		for i := range t.runs {
			for _, m := range t.runs[i].members {
				if !seen[m.solid] {
					seen[m.solid] = true
					whole.add(m.solid, &l.a.solids[m.solid])
				}
			}
			whole.open = whole.open || t.runs[i].open
		}
	}
	if len(tables) > 0 && number <= int(l.a.parts[tables[0].src].hdr.TotalParts) {
		whole.open = true
	}
	return whole
}

// keepRuns gives each run of the tables its index in Archive.runs; equal ones, as in two parts that both list all
// resources, share it.
func (l *loader) keepRuns(tables []*blobTable) {
	whole := l.wholeRun(tables)
	wholeID := int32(-1)
	kept := map[string]int32{}
	var key []byte
	for _, t := range tables {
		for i := range t.runs {
			run := &t.runs[i].solidRun
			if t.runs[i].need > run.end && len(whole.members) > len(run.members) {
				// There may be many runs and very many resources, so this allocates no key.
				if wholeID < 0 {
					wholeID = l.keep(whole)
				}
				t.ids = append(t.ids, wholeID)
				continue
			}
			key = strconv.AppendBool(key[:0], run.open)
			for _, m := range run.members {
				key = binary.AppendVarint(key, int64(m.solid))
			}
			id, ok := kept[string(key)]
			if !ok {
				id = l.keep(run)
				kept[string(key)] = id
			}
			t.ids = append(t.ids, id)
		}
	}
}

func (l *loader) keep(run *solidRun) int32 {
	run.countBad(l.a.solids)
	l.a.runs = append(l.a.runs, *run)
	return int32(len(l.a.runs) - 1)
}

func (run *solidRun) countBad(solids []solidResource) {
	run.bad = make([]int, len(run.members)+1)
	for i, m := range run.members {
		run.bad[i+1] = run.bad[i]
		if solids[m.solid].bad != "" {
			run.bad[i+1]++
		}
	}
}

// readSolid reads a solid resource's header. What is wrong with it does not keep the archive from being opened.
func readSolid(p *part, src int32, h format.ResourceHeader) (solidResource, error) {
	s := solidResource{resource: resource{
		src: src, form: formSolid, off: clampInt64(h.Off), packed: clampInt64(h.PackedSize),
	}}
	if s.packed < format.SolidHeaderSize {
		s.bad = fmt.Sprintf("%d bytes are too few for a solid resource", s.packed)
		return s, nil
	}
	if s.off > p.Size || s.packed > p.Size-s.off {
		s.bad = "it passes the end of the part"
	}
	if s.off > p.Size-format.SolidHeaderSize {
		return s, nil
	}
	b, err := p.read("solid resource header", s.off, format.SolidHeaderSize)
	if err != nil {
		return s, err
	}
	sh, err := format.ParseSolidHeader(b)
	if err != nil {
		return s, format.InPart(p.Name, s.off, err)
	}
	s.size = clampInt64(sh.Size)
	s.chunk = int64(sh.ChunkSize)
	s.codec = format.Codec(min(sh.Codec, 255))
	switch {
	case s.bad != "":
	case s.codec > format.LZMS:
		s.bad = fmt.Sprintf("codec %d is not known", sh.Codec)
	case s.codec == format.None && sh.ChunkSize&(sh.ChunkSize-1) != 0, s.chunk == 0,
		s.codec != format.None && !format.ChunkSizeOK(s.codec, sh.ChunkSize):
		s.bad = fmt.Sprintf("chunk size %d is not valid for %v", sh.ChunkSize, s.codec)
	default:
		if err := s.check(p.Size); err != nil {
			s.bad = err.Error()
		}
	}
	return s, nil
}

// locate judges where a blob lies in a run, and gives the resource in which it starts.
func (run *solidRun) locate(off, size int64) (member int, fault blobFault) {
	if off < 0 || size < 0 || off > run.end || size > run.end-off {
		if run.open {
			return -1, faultAbsent
		}
		return -1, faultSolid
	}
	member = run.member(off)
	if last := run.member(off + max(size, 1) - 1); member >= 0 && run.bad[last+1] > run.bad[member] {
		return member, faultSolid
	}
	return member, faultNone
}

// member finds the resource that holds a place of the run; -1 if there is none.
func (run *solidRun) member(off int64) int {
	return sort.Search(len(run.members), func(i int) bool { return run.members[i].start > off }) - 1
}

// chunkAt finds the chunk that holds a place of the run. The table must have been read, and off be before its end.
func chunkAt(chunks []solidChunk, off int64) int {
	return sort.Search(len(chunks), func(i int) bool { return chunks[i].start > off }) - 1
}

// runChunks gives all chunks of a run. Those of resources that cannot be read have packed 0.
func (a *Store) runChunks(id int32) ([]solidChunk, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	run := &a.runs[id]
	if run.chunks != nil {
		return run.chunks, nil
	}
	const perChunk = 24 + 40
	n := int64(len(run.members))
	for _, m := range run.members {
		if s := &a.solids[m.solid]; s.bad == "" {
			n += s.chunks()
		}
	}
	// Each chunk takes at least five bytes of the file. Only runs that share resources, which no tool writes, exceed that.
	if most := a.size/4 + leastBudget; n > most-a.placed {
		return nil, &format.TooLargeError{What: "table of the chunks of solid resources", Need: (a.placed + n) * perChunk, Limit: most * perChunk}
	}
	if n > a.opts.MaxMemory/perChunk {
		return nil, &format.TooLargeError{What: "table of the chunks of a solid resource", Need: n * perChunk, Limit: a.opts.MaxMemory}
	}
	chunks := make([]solidChunk, 0, n)
	for _, m := range run.members {
		s := &a.solids[m.solid]
		if s.bad != "" {
			chunks = append(chunks, solidChunk{chunkRef{s.off, 0, s.size}, m.start, m.solid})
			continue
		}
		k := s.chunks()
		off, size := s.tableRange(0, k)
		b, err := a.parts[s.src].read("chunk table", off, size)
		if err != nil {
			return nil, err
		}
		start := m.start
		for _, c := range s.appendChunks(make([]chunkRef, 0, k), b, 0, k) {
			chunks = append(chunks, solidChunk{c, start, m.solid})
			start += c.size
		}
	}
	run.chunks = chunks
	a.placed += n
	return chunks, nil
}

// clampInt64 keeps what a file says within what can be reckoned with; what is beyond is past the end of all files.
func clampInt64(v uint64) int64 { return int64(min(v, 1<<62)) }

// solidChunkSize returns the unpacked size of the chunks that hold a blob of a solid run.
func (a *Store) solidChunkSize(b *blobRec) int64 {
	chunks, err := a.runChunks(b.run)
	if err != nil || b.bad != faultNone || b.size == 0 {
		return 0
	}
	first, last := chunkAt(chunks, b.off), chunkAt(chunks, b.off+b.size-1)
	return chunks[last].start + chunks[last].size - chunks[first].start
}

// unpackMemory is about how many bytes a worker needs to unpack the largest chunk of the bytes [from, from+n) of a content.
func (a *Store) unpackMemory(blob int32, from, n int64) int64 {
	if blob >= a.metaID(0) {
		return 2 * int64(a.parts[a.metas[blob-a.metaID(0)].src].hdr.ChunkSize)
	}
	b := &a.blobs[blob]
	if b.run < 0 {
		return 2 * int64(a.parts[b.src].hdr.ChunkSize)
	}
	chunks, err := a.runChunks(b.run)
	if err != nil {
		return 0 // which making the shard tells
	}
	most := int64(0)
	for k := max(chunkAt(chunks, b.off+from), 0); k < len(chunks) && chunks[k].start < b.off+from+n; k++ {
		most = max(most, chunks[k].size+chunks[k].packed)
	}
	return most
}

// blobPlace orders contents of an archive as they lie.
func (a *Store) blobPlace(x, y int32) int {
	p, q := &a.blobs[x], &a.blobs[y]
	return cmp.Or(cmp.Compare(p.run, q.run), cmp.Compare(p.src, q.src), cmp.Compare(p.off, q.off), cmp.Compare(x, y))
}

// canUnpack judges the chunks of a blob and checks that the largest fits MaxMemory.
func (a *Store) canUnpack(chunks []solidChunk, b *blobRec) error {
	most := int64(0)
	for i := chunkAt(chunks, b.off); i < len(chunks) && chunks[i].start < b.off+b.size; i++ {
		if c := &chunks[i]; c.packed != c.size {
			most = max(most, c.size+c.packed)
		}
	}
	if most > a.opts.MaxMemory {
		return &format.TooLargeError{What: "chunk of content " + b.hash.String(), Need: most, Limit: a.opts.MaxMemory}
	}
	return a.judgeSolid(chunks, b.off, b.size)
}
