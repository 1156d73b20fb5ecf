package verify

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// Options selects what to verify. The zero value, and nil, is everything in the archive.
type Options struct {
	NoIntegrity bool // skip the integrity tables
	NoBlobs     bool // skip blobs and metadata resources
	References  bool // verify the blobs and integrity tables of references too
}

// Plan is the verification of an archive: the SHA-1 of every blob and metadata resource, and the blocks of the integrity tables, of all
// parts. IDs are the indexes of blobs in Store.Records, then those of metadata resources.
type Plan struct {
	archive *wim.Archive
	shard.Layout
	o      Options
	blobs  int // number of blobs and metadata resources in the shards
	merged []bool
	left   int                      // number of shards that are not merged
	bad    map[int32]shard.BadPiece // by ID, the first fault
	cuts   shard.CutHalves
	blocks []blockRange
	tables []IntegrityReport
}

// blockRange is the range of blocks of a part's integrity table that a shard checks.
type blockRange struct {
	shard int
	src   int32
	first int
}

// New returns the plan of a verification. o may be nil.
func New(a *wim.Archive, o *Options) (*Plan, error) {
	p := &Plan{
		archive: a,
		Layout:  shard.Layout{Store: a.Store(), Op: shard.OpVerify, Metas: true},
		bad:     map[int32]shard.BadPiece{}, cuts: shard.CutHalves{},
	}
	if o != nil {
		p.o = *o
	}
	if !p.o.NoBlobs {
		if err := p.planBlobs(); err != nil {
			return nil, err
		}
	}
	parts := a.Store().OwnParts()
	if p.o.References {
		parts = a.Store().Parts
	}
	for i := range parts {
		p.tables = append(p.tables, IntegrityReport{Part: i, Name: a.Store().Parts[i].Name, State: "none"})
		if !p.o.NoIntegrity {
			p.planIntegrity(i)
		}
	}
	p.merged = make([]bool, p.NumShards())
	p.left = p.NumShards()
	return p, nil
}

func (p *Plan) planBlobs() error {
	a := p.Store
	var plain, solid []int32
	records := a.Own()
	if p.o.References {
		records = a.Records
	}
	for i := range records {
		b := &a.Records[i]
		id := int32(i)
		switch {
		case b.Fault != blobs.FaultNone:
			n := b.Packed
			if b.Run >= 0 {
				n = 0
			}
			p.bad[id] = shard.BadPiece{ID: id, Off: b.Off, Len: n, Lost: b.Size, Error: b.Fault.String()}
		case b.Run >= 0:
			solid = append(solid, id)
		default:
			plain = append(plain, id)
		}
	}
	seen := map[blobs.MetaPlace]bool{}
	for i := range a.Metas {
		m := &a.Metas[i]
		id := a.MetaID(i)
		at := m.Place()
		if seen[at] {
			continue
		}
		seen[at] = true
		if m.Problem != "" {
			p.bad[id] = shard.BadPiece{ID: id, Off: m.Off, Len: m.Packed, Lost: m.Size, Error: m.Problem}
		} else {
			plain = append(plain, id)
		}
	}
	p.blobs = len(plain) + len(solid)
	if err := p.Divide(plain, solid); err != nil {
		return err
	}
	for _, r := range p.Unread {
		res, _ := p.Unit(r.ID)
		off, n := r.Place()
		p.bad[r.ID] = shard.BadPiece{ID: r.ID, Off: off, Len: n, Lost: res.Size, Error: r.Err.Error()}
	}
	// The longest shards go first, so that all workers end at about the same time. Sorting indexes shares compiled code with
	// the order of blobs.
	big := func(i int32) int64 {
		if n := p.Shards[i].Bytes; n > 2*shard.MaxShardBytes {
			return n
		}
		return 0
	}
	order := make([]int32, len(p.Shards))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(x, y int32) int { return cmp.Compare(big(y), big(x)) })
	shards := make([]shard.Outline, len(order))
	for i, k := range order {
		shards[i] = p.Shards[k]
	}
	p.Shards = shards
	return nil
}

// planIntegrity adds the shards for a part's integrity table.
func (p *Plan) planIntegrity(src int) {
	t := p.Store.Parts[src].Integrity
	if t == nil {
		if p.Store.Parts[src].Header.Integrity.PackedSize != 0 {
			p.tables[src].State = "unreadable"
		}
		return
	}
	p.tables[src].State = "ok"
	p.tables[src].Blocks = int(t.Count)
	p.tables[src].BlockSize = int64(t.ChunkSize)
	from, to := p.Store.Parts[src].Covered()
	step := max(int(shard.MaxShardBytes/int64(t.ChunkSize)), 1)
	for first := 0; first < int(t.Count); first += step {
		last := min(first+step, int(t.Count))
		bytes := min(from+int64(last)*int64(t.ChunkSize), to) - (from + int64(first)*int64(t.ChunkSize))
		p.blocks = append(p.blocks, blockRange{len(p.Shards), int32(src), first})
		p.Add(shard.Outline{First: first, Last: last, Src: int32(src), Bytes: bytes}, last-first)
	}
}

// PlannedPart is a stage of a verification, for displaying progress.
type PlannedPart struct {
	Name  string // of the part whose integrity table is compared; "" for blobs and metadata resources
	Bytes int64
}

// Planned returns the stages in the order of the shards: blobs and metadata resources, then the blocks of each integrity table.
func (p *Plan) Planned() []PlannedPart {
	list := []PlannedPart{{Bytes: p.Bytes()}}
	for i, b := range p.blocks {
		if i == 0 || b.src != p.blocks[i-1].src {
			list = append(list, PlannedPart{Name: p.Store.Parts[b.src].Name})
		}
		n := p.Shards[b.shard].Bytes
		list[len(list)-1].Bytes += n
		list[0].Bytes -= n
	}
	if p.o.NoBlobs {
		list = list[1:]
	}
	return list
}

// integrity returns the blocks of an integrity table that shard i checks. ok is false if it checks blobs.
func (p *Plan) integrity(i int) (blockRange, bool) {
	at, ok := slices.BinarySearchFunc(p.blocks, i, func(b blockRange, i int) int { return cmp.Compare(b.shard, i) })
	if !ok {
		return blockRange{}, false
	}
	return p.blocks[at], true
}

// Shard implements shard.Plan.
func (p *Plan) Shard(i int) (*shard.Shard, error) {
	b, ok := p.integrity(i)
	if !ok {
		return p.Layout.Shard(i)
	}
	t := p.Store.Parts[b.src].Integrity
	sp := &p.Shards[i]
	from, to := p.Store.Parts[b.src].Covered()
	s := &shard.Shard{Seq: i, Op: shard.OpVerify, Part: int(b.src), Bytes: sp.Bytes, Memory: shard.WindowSize}
	span := shard.Span{Src: b.src}
	for n := sp.First; n < sp.Last; n++ {
		off := from + int64(n)*int64(t.ChunkSize)
		size := min(int64(t.ChunkSize), to-off)
		span.Pieces = append(span.Pieces, shard.Piece{ID: int32(n), Hash: t.Hashes[n], Size: size, Len: size, Off: off, Packed: size, Stored: true})
		span.End = off + size
	}
	span.Off = span.Pieces[0].Off
	s.Off, s.Len = span.Off, span.End-span.Off
	s.Spans = []shard.Span{span}
	return s, nil
}

// Merge implements shard.Plan.
func (p *Plan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	if i < 0 || i >= len(p.merged) || r.Seq != i || p.merged[i] {
		return nil, fmt.Errorf("wim: result of shard %d is unexpected: %w", i, shard.ErrShard)
	}
	p.merged[i] = true
	p.left--
	s, err := p.Shard(i)
	if err != nil {
		return nil, err
	}
	marks := s.Marks(r)
	if b, ok := p.integrity(i); ok {
		t := &p.tables[b.src]
		for _, x := range r.Bad {
			t.State = "bad"
			at := len(t.Bad) // shards come in nearly the order of their blocks
			for at > 0 && t.Bad[at-1].Block > int(x.ID) {
				at--
			}
			t.Bad = slices.Insert(t.Bad, at, BadBlock{Block: int(x.ID), Off: x.Off, Len: x.Len})
		}
		return marks, nil
	}
	for _, x := range r.Bad {
		if _, ok := p.src(x.ID); ok {
			p.mark(x)
		}
	}
	for j := range r.Cuts {
		if m, bad := p.cut(&r.Cuts[j]); bad {
			marks = append(marks, m)
		}
	}
	return marks, nil
}

// src returns the index of the part that holds a blob or metadata resource.
func (p *Plan) src(id int32) (int, bool) {
	switch {
	case id < 0 || id >= p.Store.MetaID(len(p.Store.Metas)):
		return 0, false
	case id >= p.Store.MetaID(0):
		return int(p.Store.Metas[id-p.Store.MetaID(0)].Src), true
	}
	return int(p.Store.Records[id].Src), true
}

func (p *Plan) mark(x shard.BadPiece) {
	if old, ok := p.bad[x.ID]; ok {
		x.Off, x.Len, x.Error, x.Lost = old.Off, old.Len, old.Error, old.Lost+x.Lost
	}
	p.bad[x.ID] = x
}

// cut joins the hashes of a blob that two shards have read in halves.
func (p *Plan) cut(c *shard.Cut) (shard.BlockMark, bool) {
	src, ok := p.src(c.ID)
	if !ok {
		return shard.BlockMark{}, false
	}
	got, ok := p.cuts.Join(c)
	if !ok || got == c.Hash {
		return shard.BlockMark{}, false
	}
	if _, bad := p.bad[c.ID]; bad {
		return shard.BlockMark{}, false
	}
	info := p.Store.Stored(p.Store.RecordBlob(c.ID))
	bad := shard.BadPiece{ID: c.ID, Off: info.Off, Len: info.PackedSize, Error: fmt.Sprintf("SHA-1 is %v", got)}
	if chunks, err := p.Store.RunChunks(p.Store.Records[c.ID].Run); err == nil {
		b := &p.Store.Records[c.ID]
		first, last := chunks[blobs.ChunkAt(chunks, b.Off)], chunks[blobs.ChunkAt(chunks, b.Off+b.Size-1)]
		if first.Solid == last.Solid {
			bad.Off, bad.Len = first.Off, last.Off+last.Packed-first.Off
		}
	}
	p.mark(bad)
	return shard.BlockMark{Part: src, Off: bad.Off, Len: bad.Len, Bad: true}, true
}

// BadItems returns how many damaged blobs and blocks have been found so far.
func (p *Plan) BadItems() int {
	n := len(p.bad)
	for i := range p.tables {
		n += len(p.tables[i].Bad)
	}
	return n
}

// errUnfinished is the error of a Report before all shards are merged.
var errUnfinished = errors.New("not all shards have been merged")

// Report returns the report after all results have been merged. It walks the trees of all images to find the paths that use each blob;
// rest, which may be nil, is called before each image with the number of images done.
func (p *Plan) Report(rest shard.Yield) (*Report, error) {
	if p.left > 0 {
		return nil, fmt.Errorf("wim: verification: %d shards: %w", p.left, errUnfinished)
	}
	a := p.archive
	r := &Report{
		Name: a.Store().FirstPart().Name, Blobs: p.blobs, Bytes: p.Bytes(), Integrity: p.tables,
		MissingParts: a.Store().Missing, TotalParts: a.Store().Total, Warnings: a.Warnings(),
	}
	r.lose(a.Losses(), len(a.Losses()))
	for i := range p.tables {
		if t := &p.tables[i]; t.State == "unreadable" {
			off := blobs.ClampSize(a.Store().Parts[t.Part].Header.Integrity.Off)
			r.lose([]wim.Loss{{Kind: wim.LossIntegrity, Part: t.Name, Off: off, Text: "the integrity table cannot be read"}}, 1)
		}
	}
	byID := p.damages(r)
	uses, unsaid := newUseFinder(a, byID), 0
	for i := range a.Store().Metas {
		if rest != nil {
			if err := rest(0, i); err != nil {
				return nil, err
			}
		}
		im, err := a.Image(i + 1)
		if err != nil {
			if _, ok := byID[a.Store().MetaID(i)]; !ok {
				r.Images = append(r.Images, ImageProblem{Image: i + 1, Error: err.Error()})
			}
			uses.incomplete = true
			continue
		}
		r.lose(im.Losses())
		for _, w := range im.Warnings() {
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
	if !uses.incomplete && !a.Store().ResourceOnly() && a.Store().FirstPart().Header.PartNumber == 1 {
		for id, n := range uses.counts {
			if refs := a.Store().Records[id].Refs; refs != n {
				r.RefCounts = append(r.RefCounts, WrongRefCount{Hash: a.Store().Records[id].Hash, Stored: refs, Used: n})
			}
		}
	}
	for _, g := range a.Store().Regions() {
		if g.Kind == blobs.RegionUnused {
			r.Unused = append(r.Unused, UnusedRange{g.Part, a.Store().Parts[g.Part].Name, g.Off, g.Len})
			r.UnusedBytes += g.Len
		}
	}
	r.judge()
	return r, nil
}

// damages sets r.Damaged in the order of the file, and returns its elements by ID.
func (p *Plan) damages(r *Report) map[int32]*Damage {
	a := p.Store
	ids := make([]int32, 0, len(p.bad))
	for id := range p.bad {
		ids = append(ids, id)
	}
	src := func(id int32) int { n, _ := p.src(id); return n }
	slices.SortFunc(ids, func(x, y int32) int {
		return cmp.Or(cmp.Compare(src(x), src(y)), cmp.Compare(p.bad[x].Off, p.bad[y].Off), cmp.Compare(x, y))
	})
	images := map[blobs.MetaPlace][]int{}
	for k := range a.Metas {
		at := a.Metas[k].Place()
		images[at] = append(images[at], k)
	}
	r.Damaged = make([]Damage, len(ids))
	byID := make(map[int32]*Damage, len(ids))
	for i, id := range ids {
		b := p.bad[id]
		d := &r.Damaged[i]
		*d = Damage{Kind: "blob", Part: src(id), Name: a.Parts[src(id)].Name, Off: b.Off, Len: b.Len, Lost: b.Lost, Error: b.Error}
		if id >= a.MetaID(0) {
			m := &a.Metas[id-a.MetaID(0)]
			d.Kind, d.Hash, d.Size = "metadata", m.Hash, m.Size
			for _, k := range images[m.Place()] {
				d.Uses = append(d.Uses, Use{Image: k + 1})
				byID[a.MetaID(k)] = d
			}
			d.Count = len(d.Uses)
		} else {
			d.Hash, d.Size = a.Records[id].Hash, a.Records[id].Size
		}
		byID[id] = d
	}
	return byID
}

// Limits for the paths in a report, so that an archive whose blobs are all missing, or whose paths are all very long, does not fill
// memory. Uses beyond them are only counted.
const (
	maxPaths    = 200_000
	maxPathText = 16 << 20 // bytes
)

// maxReportWarnings limits the warnings of a report: each image may have a hundred.
const maxReportWarnings = 2000

// NewSum returns the plan of a SHA-256 of each part, with one shard for each.
func NewSum(a *wim.Archive) *SumPlan {
	p := &SumPlan{Layout: shard.Layout{Store: a.Store(), Op: shard.OpSum}, sums: make([][]byte, a.Store().NParts)}
	for i := range p.sums {
		p.Add(shard.Outline{Src: int32(i), Bytes: p.Store.Parts[i].Size}, 1)
	}
	return p
}

// SumPlan computes the SHA-256 of each part.
type SumPlan struct {
	shard.Layout
	sums [][]byte
}

// Shard implements shard.Plan.
func (p *SumPlan) Shard(i int) (*shard.Shard, error) {
	if i < 0 || i >= len(p.sums) {
		return nil, fmt.Errorf("wim: shard %d of %d: %w", i, len(p.sums), format.ErrNotFound)
	}
	n := p.Store.Parts[i].Size
	return &shard.Shard{Seq: i, Op: shard.OpSum, Part: i, Len: n, Bytes: n, Memory: shard.WindowSize, Spans: []shard.Span{{Src: int32(i), End: n}}}, nil
}

// Merge implements shard.Plan.
func (p *SumPlan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	if i < 0 || i >= len(p.sums) || r.Seq != i || len(r.Sum) != 32 {
		return nil, fmt.Errorf("wim: result of shard %d is unexpected: %w", i, shard.ErrShard)
	}
	p.sums[i] = slices.Clone(r.Sum)
	return []shard.BlockMark{{Part: i, Len: p.Store.Parts[i].Size}}, nil
}

// Sums returns the SHA-256 of each part in the order of Info().Parts; nil for one that is not merged yet.
func (p *SumPlan) Sums() [][]byte { return p.sums }
