package blobs

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"sort"
	"strconv"

	"wimscope/wim/format"
)

// Solid is a solid resource, whose chunks hold many blobs.
type Solid struct {
	Resource
	Bad string // why it cannot be read; "" if it can
}

// Run is the concatenation of the solid resources of a run of blob table entries, usually just one. The offsets of the run's blobs count
// from its start, in unpacked bytes.
type Run struct {
	Members []Member
	end     int64 // unpacked bytes of all members up to the first whose size is unknown
	open    bool  // there is a member of unknown size: its part is missing, or its header is invalid
	bad     []int // bad[i] is how many of Members[:i] cannot be read

	Chunks []RunChunk // of all members, read when first needed
}

// Member is a solid resource of a run.
type Member struct {
	Start int64 // offset in the run
	Solid int32 // index into Store.Solids
}

// RunChunk is a chunk of a run.
type RunChunk struct {
	Chunk
	Start int64 // offset of its unpacked bytes in the run
	Solid int32 // index into Store.Solids
}

// solidKey identifies a solid resource. In a split set each part's table may list all of them.
type solidKey struct {
	src int32
	off int64
}

// tableRun is a run in one blob table.
type tableRun struct {
	first, last int   // entries [first, last)
	need        int64 // largest end of a blob in the run
	Run
}

// findRuns finds the solid runs of a blob table and reads the headers of their resources.
func (l *loader) findRuns(t *blobTable) error {
	p := &l.a.Parts[t.src]
	if p.Header.Version != format.Version014 {
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
				if end, ok := ResourceEnd(e.Resource); ok {
					run.need = max(run.need, end) // the fields of a blob are its offset and size in the run
				}
				continue
			}
			const most = 1 << 16
			if len(l.a.Solids) >= most || len(run.Members) >= most {
				return format.Errorf(t.record(i), p.Name, t.off(i), "more than %d solid resources", most)
			}
			if err := l.addSolid(&run.Run, t, i, e); err != nil {
				return err
			}
		}
		run.last = i
		t.runs = append(t.runs, run)
	}
	return nil
}

// addSolid adds the solid resource of a blob table entry to a run. It reads the header from the part that the entry names. (Solid
// split sets exist, but no sample was seen; that an entry may name another part is an assumption.)
func (l *loader) addSolid(run *Run, t *blobTable, i int, e format.BlobEntry) error {
	owner := &l.a.Parts[t.src]
	src, ok := l.partNumber(int(e.Part))
	if !ok {
		if !run.open {
			run.open = true
			l.warn("%s: %s is a solid resource in missing part %d", owner.Name, t.record(i), e.Part)
		}
		return nil
	}
	key := solidKey{int32(src), ClampSize(e.Resource.Off)}
	id, seen := l.solidIDs[key]
	if !seen {
		s, err := readSolid(&l.a.Parts[src], int32(src), e.Resource)
		if err != nil {
			return err
		}
		if s.Bad != "" {
			l.warn("%s: %s, a solid resource at 0x%x: %s", owner.Name, t.record(i), e.Resource.Off, s.Bad)
		}
		id = int32(len(l.a.Solids))
		l.a.Solids = append(l.a.Solids, s)
		l.solidIDs[key] = id
	}
	run.add(id, &l.a.Solids[id])
	return nil
}

// add appends a resource to a run, unless its start is unknown.
func (run *Run) add(id int32, s *Solid) {
	if run.open {
		return
	}
	const most = 1 << 61
	if s.Size > most-run.end || s.ChunkSize == 0 {
		run.open = true
		return
	}
	run.Members = append(run.Members, Member{run.end, id})
	run.end += s.Size
}

// wholeRun returns the concatenation of the resources of all parts. In a split set the offsets of a part's blobs may count from its
// start instead of from that of the part's own resources; this is the case if they do not fit the latter.
func (l *loader) wholeRun(tables []*blobTable) *Run {
	whole := &Run{}
	number := 1
	seen := map[int32]bool{}
	for _, t := range tables {
		h := &l.a.Parts[t.src].Header
		if int(h.PartNumber) != number {
			break // offsets after a missing part are unknown
		}
		number++
		for i := range t.runs {
			for _, m := range t.runs[i].Members {
				if !seen[m.Solid] {
					seen[m.Solid] = true
					whole.add(m.Solid, &l.a.Solids[m.Solid])
				}
			}
			whole.open = whole.open || t.runs[i].open
		}
	}
	if len(tables) > 0 && number <= int(l.a.Parts[tables[0].src].Header.TotalParts) {
		whole.open = true
	}
	return whole
}

// keepRuns adds the runs of the tables to Store.Runs. Equal runs, as of two parts that both list all resources, are added once.
func (l *loader) keepRuns(tables []*blobTable) {
	whole := l.wholeRun(tables)
	wholeID := int32(-1)
	kept := map[string]int32{}
	var key []byte
	for _, t := range tables {
		for i := range t.runs {
			run := &t.runs[i].Run
			if t.runs[i].need > run.end && len(whole.Members) > len(run.Members) {
				// This path must not build a key: there may be many runs and very many resources.
				if wholeID < 0 {
					wholeID = l.keep(whole)
				}
				t.ids = append(t.ids, wholeID)
				continue
			}
			key = strconv.AppendBool(key[:0], run.open)
			for _, m := range run.Members {
				key = binary.AppendVarint(key, int64(m.Solid))
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

func (l *loader) keep(run *Run) int32 {
	run.countBad(l.a.Solids)
	l.a.Runs = append(l.a.Runs, *run)
	return int32(len(l.a.Runs) - 1)
}

func (run *Run) countBad(solids []Solid) {
	run.bad = make([]int, len(run.Members)+1)
	for i, m := range run.Members {
		run.bad[i+1] = run.bad[i]
		if solids[m.Solid].Bad != "" {
			run.bad[i+1]++
		}
	}
}

// readSolid reads the header of a solid resource. An invalid header is not an error: the archive opens, and Bad has the reason.
func readSolid(p *OpenPart, src int32, h format.ResourceHeader) (Solid, error) {
	s := Solid{Resource: Resource{
		Src: src, Form: FormSolid, Off: ClampSize(h.Off), Packed: ClampSize(h.PackedSize),
	}}
	if s.Packed < format.SolidHeaderSize {
		s.Bad = fmt.Sprintf("its %d bytes are too few for a solid resource", s.Packed)
		return s, nil
	}
	if s.Off > p.Size || s.Packed > p.Size-s.Off {
		s.Bad = "it extends past the end of the part"
	}
	if s.Off > p.Size-format.SolidHeaderSize {
		return s, nil
	}
	b, err := p.read("solid resource header", s.Off, format.SolidHeaderSize)
	if err != nil {
		return s, err
	}
	sh, err := format.ParseSolidHeader(b)
	if err != nil {
		return s, format.InPart(p.Name, s.Off, err)
	}
	s.Size = ClampSize(sh.Size)
	s.ChunkSize = int64(sh.ChunkSize)
	s.Codec = format.Codec(min(sh.Codec, 255))
	switch {
	case s.Bad != "":
	case s.Codec > format.LZMS:
		s.Bad = fmt.Sprintf("unknown codec %d", sh.Codec)
	case s.Codec == format.None && sh.ChunkSize&(sh.ChunkSize-1) != 0, s.ChunkSize == 0,
		s.Codec != format.None && !format.ChunkSizeOK(s.Codec, sh.ChunkSize):
		s.Bad = fmt.Sprintf("invalid chunk size %d for %v", sh.ChunkSize, s.Codec)
	default:
		if err := s.Check(p.Size); err != nil {
			s.Bad = err.Error()
		}
	}
	return s, nil
}

// locate checks the place of a blob in a run, and returns the index of the member in which it starts.
func (run *Run) locate(off, size int64) (member int, fault Fault) {
	if off < 0 || size < 0 || off > run.end || size > run.end-off {
		if run.open {
			return -1, FaultAbsent
		}
		return -1, faultSolid
	}
	member = run.Member(off)
	if last := run.Member(off + max(size, 1) - 1); member >= 0 && run.bad[last+1] > run.bad[member] {
		return member, faultSolid
	}
	return member, FaultNone
}

// Member returns the index of the member that holds an offset of the run, -1 if there is none.
func (run *Run) Member(off int64) int {
	return sort.Search(len(run.Members), func(i int) bool { return run.Members[i].Start > off }) - 1
}

// ChunkAt returns the index of the chunk that holds an offset of the run. chunks must be those of RunChunks, and off before their end.
func ChunkAt(chunks []RunChunk, off int64) int {
	return sort.Search(len(chunks), func(i int) bool { return chunks[i].Start > off }) - 1
}

// RunChunks returns all chunks of a run. A resource that cannot be read is one chunk with Packed 0.
func (a *Store) RunChunks(id int32) ([]RunChunk, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	run := &a.Runs[id]
	if run.Chunks != nil {
		return run.Chunks, nil
	}
	const perChunk = 24 + 40
	n := int64(len(run.Members))
	for _, m := range run.Members {
		if s := &a.Solids[m.Solid]; s.Bad == "" {
			n += s.Chunks()
		}
	}
	// Each chunk takes at least five bytes of the file. Only runs that share resources, which no tool writes, exceed that.
	if most := a.Size/4 + leastBudget; n > most-a.placed {
		return nil, &format.TooLargeError{What: "chunk table of all solid resources", Need: (a.placed + n) * perChunk, Limit: most * perChunk}
	}
	if n > a.Opts.MaxMemory/perChunk {
		return nil, &format.TooLargeError{What: "chunk table of a solid resource", Need: n * perChunk, Limit: a.Opts.MaxMemory}
	}
	chunks := make([]RunChunk, 0, n)
	for _, m := range run.Members {
		s := &a.Solids[m.Solid]
		if s.Bad != "" {
			chunks = append(chunks, RunChunk{Chunk{s.Off, 0, s.Size}, m.Start, m.Solid})
			continue
		}
		k := s.Chunks()
		off, size := s.TableRange(0, k)
		b, err := a.Parts[s.Src].read("chunk table", off, size)
		if err != nil {
			return nil, err
		}
		start := m.Start
		for _, c := range s.AppendChunks(make([]Chunk, 0, k), b, 0, k) {
			chunks = append(chunks, RunChunk{c, start, m.Solid})
			start += c.Size
		}
	}
	run.Chunks = chunks
	a.placed += n
	return chunks, nil
}

// ClampSize limits an offset or size from a file to 2^62, which is past the end of every file, so that arithmetic on it does not overflow.
func ClampSize(v uint64) int64 { return int64(min(v, 1<<62)) }

// SolidChunkSize returns the unpacked size of the chunks that hold a blob of a solid run, 0 if it cannot be read.
func (a *Store) SolidChunkSize(b *Record) int64 {
	chunks, err := a.RunChunks(b.Run)
	if err != nil || b.Fault != FaultNone || b.Size == 0 {
		return 0
	}
	first, last := ChunkAt(chunks, b.Off), ChunkAt(chunks, b.Off+b.Size-1)
	return chunks[last].Start + chunks[last].Size - chunks[first].Start
}

// UnpackMemory estimates how many bytes a worker needs to unpack the largest chunk of the bytes [from, from+n) of a blob.
func (a *Store) UnpackMemory(blob int32, from, n int64) int64 {
	if blob >= a.MetaID(0) {
		return 2 * int64(a.Parts[a.Metas[blob-a.MetaID(0)].Src].Header.ChunkSize)
	}
	b := &a.Records[blob]
	if b.Run < 0 {
		return 2 * int64(a.Parts[b.Src].Header.ChunkSize)
	}
	chunks, err := a.RunChunks(b.Run)
	if err != nil {
		return 0 // making the shard reports the error
	}
	most := int64(0)
	for k := max(ChunkAt(chunks, b.Off+from), 0); k < len(chunks) && chunks[k].Start < b.Off+from+n; k++ {
		most = max(most, chunks[k].Size+chunks[k].Packed)
	}
	return most
}

// BlobPlace compares two blobs by their place in the archive, for sorting.
func (a *Store) BlobPlace(x, y int32) int {
	p, q := &a.Records[x], &a.Records[y]
	return cmp.Or(cmp.Compare(p.Run, q.Run), cmp.Compare(p.Src, q.Src), cmp.Compare(p.Off, q.Off), cmp.Compare(x, y))
}

// CanUnpack checks that the chunks of a blob in a solid run can be unpacked within MaxMemory.
func (a *Store) CanUnpack(chunks []RunChunk, b *Record) error {
	most := int64(0)
	for i := ChunkAt(chunks, b.Off); i < len(chunks) && chunks[i].Start < b.Off+b.Size; i++ {
		if c := &chunks[i]; c.Packed != c.Size {
			most = max(most, c.Size+c.Packed)
		}
	}
	if most > a.Opts.MaxMemory {
		return &format.TooLargeError{What: "chunk of blob " + b.Hash.String(), Need: most, Limit: a.Opts.MaxMemory}
	}
	return a.judgeSolid(chunks, b.Off, b.Size)
}
