package core

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// VerifyOptions is what to verify. The zero value, and nil, is all of it.
type VerifyOptions struct {
	NoIntegrity bool // leave out the integrity tables
	NoBlobs     bool // leave out contents and metadata
	References  bool // contents and integrity tables of references too
}

// VerifyPlan is the verification of an archive: the SHA-1 of every content and metadata resource, and the blocks of
// the integrity tables, over all parts. IDs are those of contents, parts' and references', then metadata resources.
type VerifyPlan struct {
	archive *Archive
	layout
	o      VerifyOptions
	blobs  int // contents and metadata resources in the shards
	merged []bool
	left   int
	bad    map[int32]BadPiece // by ID, the first thing that was wrong
	cuts   cutHalves
	blocks []blockRange
	tables []IntegrityReport
}

// blockRange is which blocks of a part's integrity table a shard has.
type blockRange struct {
	shard int
	src   int32
	first int
}

// PlanVerify makes the plan of a verification.
func PlanVerify(a *Archive, o *VerifyOptions) (*VerifyPlan, error) {
	p := &VerifyPlan{
		archive: a,
		layout:  layout{a: a.Store(), op: OpVerify, metas: true},
		bad:     map[int32]BadPiece{}, cuts: cutHalves{},
	}
	if o != nil {
		p.o = *o
	}
	if !p.o.NoBlobs {
		if err := p.planBlobs(); err != nil {
			return nil, err
		}
	}
	parts := a.Store().ownParts()
	if p.o.References {
		parts = a.Store().parts
	}
	for i := range parts {
		p.tables = append(p.tables, IntegrityReport{Part: i, Name: a.Store().parts[i].Name, State: "none"})
		if !p.o.NoIntegrity {
			p.planIntegrity(i)
		}
	}
	p.merged = make([]bool, p.NumShards())
	p.left = p.NumShards()
	return p, nil
}

func (p *VerifyPlan) planBlobs() error {
	a := p.a
	var plain, solid []int32
	records := a.own()
	if p.o.References {
		records = a.blobs
	}
	for i := range records {
		b := &a.blobs[i]
		id := int32(i)
		switch {
		case b.bad != faultNone:
			n := b.packed
			if b.run >= 0 {
				n = 0
			}
			p.bad[id] = BadPiece{ID: id, Off: b.off, Len: n, Lost: b.size, Error: b.bad.String()}
		case b.run >= 0:
			solid = append(solid, id)
		default:
			plain = append(plain, id)
		}
	}
	seen := map[metaPlace]bool{}
	for i := range a.metas {
		m := &a.metas[i]
		id := a.metaID(i)
		at := m.place()
		if seen[at] {
			continue
		}
		seen[at] = true
		if m.problem != "" {
			p.bad[id] = BadPiece{ID: id, Off: m.off, Len: m.packed, Lost: m.size, Error: m.problem}
		} else {
			plain = append(plain, id)
		}
	}
	p.blobs = len(plain) + len(solid)
	if err := p.plan(plain, solid); err != nil {
		return err
	}
	for _, r := range p.refused {
		res, _ := p.unit(r.id)
		off, n := r.place()
		p.bad[r.id] = BadPiece{ID: r.id, Off: off, Len: n, Lost: res.size, Error: r.err.Error()}
	}
	// What takes longest goes first, so that workers end together.
	slices.SortStableFunc(p.shards, func(x, y shardPlan) int {
		big := func(s shardPlan) int64 {
			if s.bytes > 2*maxShardBytes {
				return s.bytes
			}
			return 0
		}
		return cmp.Compare(big(y), big(x))
	})
	return nil
}

// planIntegrity makes shards of a part's integrity table.
func (p *VerifyPlan) planIntegrity(src int) {
	t := p.a.parts[src].integrity
	if t == nil {
		if p.a.parts[src].hdr.Integrity.PackedSize != 0 {
			p.tables[src].State = "unreadable"
		}
		return
	}
	p.tables[src].State = "ok"
	p.tables[src].Blocks = int(t.Count)
	p.tables[src].BlockSize = int64(t.ChunkSize)
	from, to := p.a.parts[src].covered()
	step := max(int(maxShardBytes/int64(t.ChunkSize)), 1)
	for first := 0; first < int(t.Count); first += step {
		last := min(first+step, int(t.Count))
		bytes := min(from+int64(last)*int64(t.ChunkSize), to) - (from + int64(first)*int64(t.ChunkSize))
		p.blocks = append(p.blocks, blockRange{len(p.shards), int32(src), first})
		p.add(shardPlan{first: first, last: last, src: int32(src), bytes: bytes}, last-first)
	}
}

// NumShards implements Plan.
func (p *VerifyPlan) NumShards() int { return len(p.shards) }

// Bytes implements Plan.
func (p *VerifyPlan) Bytes() int64 { return p.bytes }

// Items implements Plan.
func (p *VerifyPlan) Items() int { return p.items }

// PlannedPart is a stretch of a plan's bytes, in the order of its shards.
type PlannedPart struct {
	Name  string // of the part whose integrity table is compared; "" for contents and metadata
	Bytes int64
}

// Planned lists what the plan reads: contents and metadata, then the blocks of the integrity tables.
func (p *VerifyPlan) Planned() []PlannedPart {
	list := []PlannedPart{{Bytes: p.bytes}}
	for i, b := range p.blocks {
		if i == 0 || b.src != p.blocks[i-1].src {
			list = append(list, PlannedPart{Name: p.a.parts[b.src].Name})
		}
		n := p.shards[b.shard].bytes
		list[len(list)-1].Bytes += n
		list[0].Bytes -= n
	}
	if p.o.NoBlobs {
		list = list[1:]
	}
	return list
}

// integrity says whether shard i is of an integrity table, and which.
func (p *VerifyPlan) integrity(i int) (blockRange, bool) {
	at, ok := slices.BinarySearchFunc(p.blocks, i, func(b blockRange, i int) int { return cmp.Compare(b.shard, i) })
	if !ok {
		return blockRange{}, false
	}
	return p.blocks[at], true
}

// Shard implements Plan.
func (p *VerifyPlan) Shard(i int) (*Shard, error) {
	b, ok := p.integrity(i)
	if !ok {
		return p.shard(i)
	}
	t := p.a.parts[b.src].integrity
	sp := &p.shards[i]
	from, to := p.a.parts[b.src].covered()
	s := &Shard{Seq: i, Op: OpIntegrity, Part: int(b.src), Bytes: sp.bytes, Memory: windowSize}
	span := Span{Src: b.src}
	for n := sp.first; n < sp.last; n++ {
		off := from + int64(n)*int64(t.ChunkSize)
		size := min(int64(t.ChunkSize), to-off)
		span.Pieces = append(span.Pieces, Piece{ID: int32(n), Hash: t.Hashes[n], Size: size, Len: size, Off: off, Packed: size, Stored: true})
		span.End = off + size
	}
	span.Off = span.Pieces[0].Off
	s.Off, s.Len = span.Off, span.End-span.Off
	s.Spans = []Span{span}
	return s, nil
}

// Merge implements Plan.
func (p *VerifyPlan) Merge(i int, r *ShardResult) ([]BlockMark, error) {
	if i < 0 || i >= len(p.merged) || r.Seq != i || p.merged[i] {
		return nil, fmt.Errorf("wim: result of shard %d is not wanted: %w", i, errShard)
	}
	p.merged[i] = true
	p.left--
	s, err := p.Shard(i)
	if err != nil {
		return nil, err
	}
	marks := make([]BlockMark, 0, len(s.Spans)+len(r.Bad))
	for _, sp := range s.Spans {
		marks = append(marks, BlockMark{int(sp.Src), sp.Off, sp.End - sp.Off, false})
	}
	if b, ok := p.integrity(i); ok {
		t := &p.tables[b.src]
		for _, x := range r.Bad {
			t.State = "bad"
			at := len(t.Bad) // shards come in nearly the order of their blocks
			for at > 0 && t.Bad[at-1].Block > int(x.ID) {
				at--
			}
			t.Bad = slices.Insert(t.Bad, at, BadBlock{Block: int(x.ID), Off: x.Off, Len: x.Len})
			marks = append(marks, BlockMark{int(b.src), x.Off, x.Len, true})
		}
		return marks, nil
	}
	for _, x := range r.Bad {
		if src, ok := p.src(x.ID); ok {
			p.mark(x)
			marks = append(marks, BlockMark{src, x.Off, x.Len, true})
		}
	}
	for j := range r.Cuts {
		if m, bad := p.cut(&r.Cuts[j]); bad {
			marks = append(marks, m)
		}
	}
	return marks, nil
}

// src is the part that holds a content.
func (p *VerifyPlan) src(id int32) (int, bool) {
	switch {
	case id < 0 || id >= p.a.metaID(len(p.a.metas)):
		return 0, false
	case id >= p.a.metaID(0):
		return int(p.a.metas[id-p.a.metaID(0)].src), true
	}
	return int(p.a.blobs[id].src), true
}

func (p *VerifyPlan) mark(x BadPiece) {
	if old, ok := p.bad[x.ID]; ok {
		x.Off, x.Len, x.Error, x.Lost = old.Off, old.Len, old.Error, old.Lost+x.Lost
	}
	p.bad[x.ID] = x
}

// cut puts the halves of a content together that two shards had.
func (p *VerifyPlan) cut(c *Cut) (BlockMark, bool) {
	src, ok := p.src(c.ID)
	if !ok {
		return BlockMark{}, false
	}
	got, ok := p.cuts.join(c)
	if !ok || got == c.Hash {
		return BlockMark{}, false
	}
	if _, bad := p.bad[c.ID]; bad {
		return BlockMark{}, false
	}
	info := p.a.Stored(p.a.blob(c.ID))
	bad := BadPiece{ID: c.ID, Off: info.Off, Len: info.PackedSize, Error: fmt.Sprintf("SHA-1 is %v", got)}
	if chunks, err := p.a.runChunks(p.a.blobs[c.ID].run); err == nil {
		b := &p.a.blobs[c.ID]
		first, last := chunks[chunkAt(chunks, b.off)], chunks[chunkAt(chunks, b.off+b.size-1)]
		if first.solid == last.solid {
			bad.Off, bad.Len = first.off, last.off+last.packed-first.off
		}
	}
	p.mark(bad)
	return BlockMark{src, bad.Off, bad.Len, true}, true
}

// BadItems is how many contents and blocks were found bad so far.
func (p *VerifyPlan) BadItems() int {
	n := len(p.bad)
	for i := range p.tables {
		n += len(p.tables[i].Bad)
	}
	return n
}

// errUnfinished says that a report was asked for before all shards were merged.
var errUnfinished = errors.New("not all shards have been merged")

// Report puts together what was found, after all results have been merged. It goes through the trees of all images
// to find who uses what; rest, which may be nil, is called between them with the images done so far.
func (p *VerifyPlan) Report(rest Rest) (*VerifyReport, error) {
	if p.left > 0 {
		return nil, fmt.Errorf("wim: verification: %d shards: %w", p.left, errUnfinished)
	}
	a := p.archive
	r := &VerifyReport{
		Name: a.Store().firstPart().Name, Blobs: p.blobs, Bytes: p.bytes, Integrity: p.tables,
		MissingParts: a.Store().missing, TotalParts: a.Store().total, Warnings: a.Warnings(),
	}
	r.lose(a.Losses(), len(a.Losses()))
	for i := range p.tables {
		if t := &p.tables[i]; t.State == "unreadable" {
			off := clampInt64(a.Store().parts[t.Part].hdr.Integrity.Off)
			r.lose([]Loss{{Kind: LossIntegrity, Part: t.Name, Off: off, Text: "the integrity table cannot be read"}}, 1)
		}
	}
	byID := p.damages(r)
	uses, unsaid := newUseFinder(a, byID), 0
	for i := range a.Store().metas {
		if rest != nil {
			if err := rest(0, i); err != nil {
				return nil, err
			}
		}
		im, err := a.Image(i + 1)
		if err != nil {
			if _, ok := byID[a.Store().metaID(i)]; !ok {
				r.Images = append(r.Images, ImageProblem{Image: i + 1, Error: err.Error()})
			}
			uses.incomplete = true
			continue
		}
		r.lose(im.Losses())
		for _, w := range im.warnings {
			if len(r.Warnings) >= maxReportWarnings {
				unsaid++
				continue
			}
			r.Warnings = append(r.Warnings, fmt.Sprintf("image %d: %s", i+1, w))
		}
		uses.image(im)
	}
	if unsaid > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("and %d more", unsaid))
	}
	r.Missing = uses.missingList()
	r.PathsLeftOff = uses.leftOff
	if !uses.incomplete && !a.Store().resourceOnly() && a.Store().firstPart().hdr.PartNumber == 1 {
		for id, n := range uses.counts {
			if refs := a.Store().blobs[id].refs; refs != n {
				r.RefCounts = append(r.RefCounts, RefCountLie{Hash: a.Store().blobs[id].hash, Stored: refs, Used: n})
			}
		}
	}
	for _, g := range a.Store().Regions() {
		if g.Kind == RegionUnused {
			r.Unused = append(r.Unused, UnusedRange{g.Part, a.Store().parts[g.Part].Name, g.Off, g.Len})
			r.UnusedBytes += g.Len
		}
	}
	r.judge()
	return r, nil
}

// damages lists what is bad in the order of the file, and gives the places of IDs in that list.
func (p *VerifyPlan) damages(r *VerifyReport) map[int32]*Damage {
	a := p.a
	ids := make([]int32, 0, len(p.bad))
	for id := range p.bad {
		ids = append(ids, id)
	}
	src := func(id int32) int { n, _ := p.src(id); return n }
	slices.SortFunc(ids, func(x, y int32) int {
		return cmp.Or(cmp.Compare(src(x), src(y)), cmp.Compare(p.bad[x].Off, p.bad[y].Off), cmp.Compare(x, y))
	})
	images := map[metaPlace][]int{}
	for k := range a.metas {
		at := a.metas[k].place()
		images[at] = append(images[at], k)
	}
	r.Damaged = make([]Damage, len(ids))
	byID := make(map[int32]*Damage, len(ids))
	for i, id := range ids {
		b := p.bad[id]
		d := &r.Damaged[i]
		*d = Damage{Kind: "blob", Part: src(id), Name: a.parts[src(id)].Name, Off: b.Off, Len: b.Len, Lost: b.Lost, Error: b.Error}
		if id >= a.metaID(0) {
			m := &a.metas[id-a.metaID(0)]
			d.Kind, d.Hash, d.Size = "metadata", m.hash, m.size
			for _, k := range images[m.place()] {
				d.Uses = append(d.Uses, Use{Image: k + 1})
				byID[a.metaID(k)] = d
			}
			d.Count = len(d.Uses)
		} else {
			d.Hash, d.Size = a.blobs[id].hash, a.blobs[id].size
		}
		byID[id] = d
	}
	return byID
}

// useFinder goes through images and finds who uses contents.
type useFinder struct {
	a          *Archive
	damaged    map[int32]*Damage
	counts     []uint32 // by ID: how often images use it
	missing    map[format.Hash]*MissingBlob
	paths      int
	text       int // bytes of them
	leftOff    int
	incomplete bool
}

// Bounds of the paths in a report, so that an archive whose contents are all elsewhere, or whose paths are all very
// long, does not fill memory. Beyond them uses are counted only.
const (
	maxPaths    = 200_000
	maxPathText = 16 << 20 // bytes
)

// maxReportWarnings is about the most warnings that a report has: each image may have a hundred.
const maxReportWarnings = 2000

func newUseFinder(a *Archive, damaged map[int32]*Damage) *useFinder {
	return &useFinder{a: a, damaged: damaged, counts: make([]uint32, a.Store().nBlobs), missing: map[format.Hash]*MissingBlob{}}
}

func (u *useFinder) image(im *Image) {
	im.EachContent(func(n Node, h format.Hash, kind format.StreamKind, name []byte) bool {
		id, ok := u.a.Store().blobID(h)
		switch {
		case !ok:
			m := u.missing[h]
			if m == nil {
				m = &MissingBlob{Hash: h}
				u.missing[h] = m
			}
			m.Count++
			m.Uses = u.use(m.Uses, im, n, kind, name)
		default:
			if int(id) < u.a.Store().nBlobs { // and not in a reference
				u.counts[id]++
			}
			if d := u.damaged[id]; d != nil {
				d.Count++
				d.Uses = u.use(d.Uses, im, n, kind, name)
			}
		}
		return true
	})
}

// use adds a use to a list, if there is room for it.
func (u *useFinder) use(list []Use, im *Image, n Node, kind format.StreamKind, name []byte) []Use {
	if u.paths >= maxPaths || u.text >= maxPathText {
		u.leftOff++
		return list
	}
	u.paths++
	out := Use{Image: im.Index(), Path: im.Path(n)}
	switch kind {
	case format.StreamNamed:
		out.Stream = string(ntname.AppendEscaped(nil, name))
	case format.StreamReparse:
		out.Reparse = true
	}
	u.text += len(out.Path) + len(out.Stream)
	return append(list, out)
}

// missingList is sorted by the first path that misses the content.
func (u *useFinder) missingList() []MissingBlob {
	sorted := make([]*MissingBlob, 0, len(u.missing))
	for _, m := range u.missing {
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, func(x, y *MissingBlob) int {
		first := func(m *MissingBlob) (int, string) {
			if len(m.Uses) == 0 {
				return 1 << 30, ""
			}
			return m.Uses[0].Image, m.Uses[0].Path
		}
		xi, xp := first(x)
		yi, yp := first(y)
		return cmp.Or(cmp.Compare(xi, yi), cmp.Compare(xp, yp), slices.Compare(x.Hash[:], y.Hash[:]))
	})
	list := make([]MissingBlob, len(sorted))
	for i, m := range sorted {
		list[i] = *m
	}
	return list
}

// PlanSum makes the plan of the SHA-256 of whole parts: a shard for each.
func PlanSum(a *Archive) *SumPlan {
	p := &SumPlan{a: a, sums: make([][]byte, a.Store().nParts)}
	return p
}

// SumPlan is the SHA-256 of each part.
type SumPlan struct {
	a    *Archive
	sums [][]byte
}

// NumShards implements Plan.
func (p *SumPlan) NumShards() int { return len(p.sums) }

// Items implements Plan.
func (p *SumPlan) Items() int { return len(p.sums) }

// Bytes implements Plan.
func (p *SumPlan) Bytes() int64 {
	n := int64(0)
	for i := range p.sums {
		n += p.a.Store().parts[i].Size
	}
	return n
}

// Shard implements Plan.
func (p *SumPlan) Shard(i int) (*Shard, error) {
	if i < 0 || i >= len(p.sums) {
		return nil, fmt.Errorf("wim: shard %d of %d: %w", i, len(p.sums), format.ErrNotFound)
	}
	n := p.a.Store().parts[i].Size
	return &Shard{Seq: i, Op: OpSum, Part: i, Len: n, Bytes: n, Memory: windowSize, Spans: []Span{{Src: int32(i), End: n}}}, nil
}

// Merge implements Plan.
func (p *SumPlan) Merge(i int, r *ShardResult) ([]BlockMark, error) {
	if i < 0 || i >= len(p.sums) || r.Seq != i || len(r.Sum) != 32 {
		return nil, fmt.Errorf("wim: result of shard %d is not wanted: %w", i, errShard)
	}
	p.sums[i] = slices.Clone(r.Sum)
	return []BlockMark{{i, 0, p.a.Store().parts[i].Size, false}}, nil
}

// Sums are the SHA-256 of the parts, in the order of Info().Parts; nil for one that is not merged yet.
func (p *SumPlan) Sums() [][]byte { return p.sums }
