package write

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/codec"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/xmldoc"
)

// Plan is the writing of an archive as stages of shards. The shards of a stage may be run in any order and by
// anybody; Merge takes their results in their order and writes. Shard and Content may be called by several goroutines at a
// time while no stage begins, all else by one.
type Plan struct {
	o        Options
	base     *wim.Archive // that is changed in place, nil for a new one
	doc      *xmldoc.Doc  // see Edit
	delta    []*wim.Archive
	fixup    bool
	images   []editImage // all whose contents are wanted
	shown    []int32     // those that are written, indexes into images
	metas    []int32     // of each of these the metadata resource, a content; -1 as long as it is not made
	boot     int         // from 1 among those shown; 0: none
	archives []*wim.Archive
	bases    []int32 // of each archive's first part in Parts
	contents []packContent
	told     sync.RWMutex // held to change what Content tells: files are opened while results are merged
	byHash   contentIndex
	names    map[int32]string         // of solid contents
	uses     map[format.Hash]firstUse // see findUses
	usesOnce sync.Once
	lacking  map[format.Hash]bool // see lacks; nil until it is asked for
	losses   []wim.Loss           // see Losses
	lost     int
	keepAll  bool // in place: lost entries of an image that stays may use any content
	solids   []outSolid

	front     bool  // metadata comes first, so all has to be hashed before
	unchanged bool  // in place: images and contents stay as they are, only what is said of them changes
	compact   bool  // in place: what is there is moved together
	partSize  int64 // bytes that parts of a split set may have; 0: it is not split
	mostPart  int64 // bytes that a part with one large content may have
	local     bool  // shards are done here, and go nowhere
	xmlBound  int64 // bytes of its XML document at most, 0 if that was not reckoned yet

	stages  []writeStage // to come
	stage   writeStage
	shards  []packPlan
	bytes   int64
	items   int
	merged  int
	skipped []*shard.ContentError

	open    openContent  // that comes in pieces
	redo    []int32      // contents that did not shrink
	checks  []*copyCheck // of what is copied, by archive
	moves   []move       // in compacting
	aliases [][2]int32   // contents that lie where another one does

	sink  func(part int) (io.WriterAt, error)
	begun bool
	out   writeOut
	part  int         // number of the part that is being written
	used  int         // entries of its blob table, about
	ended []endedPart // but for their headers
}

// writeStage is what is being done.
type writeStage int

const (
	stageNone  writeStage = iota
	stageCheck            // copied contents are unpacked, to find damage
	stageHash
	stageMeasure // contents that may be too large for a part are packed for nothing but their size
	stageCompact
	stagePack
	stageRedo
	stageMetadata
	stageRedoMetadata
)

const (
	// largeContent is from how many bytes on a content is packed in pieces.
	largeContent = 64 << 20
	// pieceBytes is how long the pieces are, if chunks are not longer.
	pieceBytes = 32 << 20
	// inlinePiece is the same of bytes that are at hand and need not be checked, as an image's metadata: all workers wait
	// for it.
	inlinePiece = 1 << 20
	// solidShardBytes is how much of a solid resource is in a shard, if chunks are not longer.
	solidShardBytes = 8 << 20
)

// packContent is a content that the archive is to hold, or a metadata resource. There is one for each of perhaps a million
// files.
type packContent struct {
	hash    format.Hash
	refs    uint32
	a       int32 // index of the archive that has it, -1 if none
	blob    int32 // its number there
	image   int32 // index of the image whose draft has it, -1 if none
	id      draft.ContentID
	same    int32 // the content that is written in its place, or written or leftOut
	solid   int32 // index into solids, -1 if it has a resource of its own
	size    int64
	off     int64     // where it was written; in the solid resource's unpacked bytes
	packed  int64     // bytes that were written
	rare    *packRare // nil: all of it is zero
	part    uint16    // of the set, in which it was written; 0: it was not yet
	known   bool
	stored  bool // it was written as it is
	meta    bool // it is a metadata resource
	raw     bool // it is not to be packed
	stays   bool // where it is, in the archive that is changed in place
	skipped bool // it could not be had, see Plan.Skip
}

// packRare is what few contents have.
type packRare struct {
	inline []byte // the bytes themselves
	states []byte // see PackedItem
	zeros  []byte // the same
	most   int64  // bytes that it takes packed, if that was measured
}

func (c *packContent) inline() []byte {
	if c.rare == nil {
		return nil
	}
	return c.rare.inline
}

func (c *packContent) states() []byte {
	if c.rare == nil {
		return nil
	}
	return c.rare.states
}

func (c *packContent) most() int64 {
	if c.rare == nil {
		return 0
	}
	return c.rare.most
}

// needRare gives the rare fields, to be changed.
func (c *packContent) needRare() *packRare {
	if c.rare == nil {
		c.rare = &packRare{}
	}
	return c.rare
}

const (
	written = -1 // for packContent.same: it is written itself
	leftOut = -2 // it is not written at all
)

// outSolid is a solid resource of the archive to be.
type outSolid struct {
	off, packed, size int64
	a, from           int32 // copied, or in place: the archive, and which of its solid resources; a is -1 otherwise
}

// openContent is a content, or a solid resource, that comes in pieces.
type openContent struct {
	id    int32
	off   int64 // where it starts
	table int64 // bytes reserved for its chunk table, and header if solid
	sizes []uint32
	total int64 // packed bytes of all chunks
}

// packPlan is what a shard is made from.
type packPlan struct {
	op    shard.PackOp
	raw   bool // as it is, whatever the codec
	solid int32
	items []packItem
	bytes int64

	archive int32 // PackCheck: index of the archive
	check   int   // shard of its check
}

// packItem is a content or a run of its bytes.
type packItem struct {
	content int32
	from, n int64
}

// PlanWrite makes the plan of a new archive.
//
// Errors: ErrUnsupported, *RefusedError, *blobs.MissingError if a draft or image needs a content that is nowhere, and what
// loading images gives.
func (e *Builder) PlanWrite(o *Options) (*Plan, error) {
	p, err := e.planWrite(o, nil, false)
	if err != nil {
		return nil, err
	}
	p.front = p.o.Pipable
	p.setStages()
	return p, nil
}

// setStages lists what is to be done.
func (p *Plan) setStages() {
	p.stages = []writeStage{stageCheck, stageHash, stageMeasure, stageCompact, stagePack, stageRedo, stageMetadata, stageRedoMetadata}
	if p.front {
		p.stages = []writeStage{stageCheck, stageHash, stageMeasure, stageMetadata, stageRedoMetadata, stagePack, stageRedo}
	}
}

func (e *Builder) planWrite(o *Options, base *wim.Archive, compact bool) (*Plan, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if e.Boot < 0 || e.Boot > len(e.images) {
		return nil, fmt.Errorf("wim: boot index %d of %d images: %w", e.Boot, len(e.images), format.ErrNotFound)
	}
	p := &Plan{
		o: opts, base: base, doc: e.doc, delta: slices.Clone(e.delta), fixup: e.ReparseFixup, images: slices.Clone(e.images),
		names: map[int32]string{}, part: 1, compact: compact, open: openContent{id: -1},
	}
	if err := p.group(); err != nil {
		return nil, err
	}
	for i := range p.images {
		if opts.Only == OnlyContents && (base == nil || !p.images[i].of(base)) {
			continue
		}
		if p.shown = append(p.shown, int32(i)); e.Boot == i+1 {
			p.boot = len(p.shown)
		}
		p.metas = append(p.metas, -1)
	}
	if err := xmldoc.New(p.doc, p.elements(), 0).Check(); err != nil {
		return nil, err
	}
	archives := e.archives
	if base != nil && !slices.Contains(archives, base) {
		archives = append(slices.Clone(archives), base)
	}
	first := int32(0)
	for _, a := range archives {
		p.archives = append(p.archives, a)
		p.bases = append(p.bases, first)
		first += int32(len(a.Store().Parts))
	}
	for i := range p.images {
		if err := p.gather(int32(i)); err != nil {
			return nil, fmt.Errorf("wim: image %d: %w", i+1, err)
		}
	}
	for _, a := range e.whole {
		if a == base {
			continue // stays as it is
		}
		for i := range a.Store().Own() {
			b := &a.Store().Records[i]
			if _, ok := p.withHash(&b.Hash); ok {
				continue
			}
			id, ok := p.find(b.Hash, a)
			if !ok {
				return nil, p.missing(b.Hash, a)
			}
			p.contents[id].refs = b.Refs
		}
	}
	if base != nil {
		if err := p.keep(); err != nil {
			return nil, err
		}
	}
	return p, p.bounded()
}

// maxWritten is how many bytes of contents an archive can be written with. What is beyond that is claimed by a file that
// cannot hold it: a plan has a note for every few megabytes.
const maxWritten = 1 << 45

func (p *Plan) bounded() error {
	sum := int64(0)
	for i := range p.contents {
		c := &p.contents[i]
		if c.same != written || c.stays {
			continue
		}
		n := c.size
		if p.copied(c) {
			n = p.copySize(c)
		}
		if n < 0 || n > maxWritten-sum {
			return &format.TooLargeError{What: "a plan of so many contents", Need: sum + max(n, 0), Limit: maxWritten}
		}
		sum += n
	}
	if len(p.contents) > math.MaxInt32/2 {
		return fmt.Errorf("wim: %d contents: %w", len(p.contents), format.ErrTooLarge)
	}
	return nil
}

// of says that an image is one of an archive as it is.
func (im *editImage) of(a *wim.Archive) bool { return im.draft == nil && im.a == a }

// group sees that archives of a group fit each other: imaging tools want one codec in all of them.
func (p *Plan) group() error {
	if p.o.Only != OnlyMetadata {
		return nil
	}
	if len(p.delta) == 0 && p.base != nil {
		return nil // whether that will do shows
	}
	if len(p.delta) == 0 {
		return &RefusedError{Key: RefusedGroup, Text: "contents are to be left out, and no archive holds them"}
	}
	for _, a := range p.delta {
		if have := a.Store().FirstPart(); have.Codec != p.o.Codec || have.Codec != format.None && int64(have.Header.ChunkSize) != p.o.ChunkSize {
			return &RefusedError{Name: have.Name, Key: RefusedGroup, Text: fmt.Sprintf(
				"the contents are packed with %v in chunks of %d bytes, and the images of a group are packed the same way", have.Codec, have.Header.ChunkSize)}
		}
	}
	return nil
}

// Losses returns the losses of the images that are copied from archives: the first ones, and the number of all. The copies have
// the same losses, and contents that only lost entries used are not copied. Images that stay in place do not count.
// Loss.Image is the index in the archive that the image comes from.
func (p *Plan) Losses() (first []wim.Loss, n int) { return p.losses, p.lost }

// missing says why a content that an image of an archive uses cannot be had.
func (p *Plan) missing(h format.Hash, a *wim.Archive) error {
	if id, ok := a.Store().BlobID(h); ok && a.Store().Records[id].Fault != blobs.FaultAbsent {
		b := &a.Store().Records[id]
		return format.Errorf("content "+h.String(), a.Store().Parts[b.Src].Name, b.Off, "%v", b.Fault)
	}
	return a.Store().MissingBlob(h)
}

// gather adds the contents of an image.
func (p *Plan) gather(image int32) error {
	im := &p.images[image]
	if im.draft == nil {
		tree, err := im.a.Image(im.index)
		if err != nil {
			return err
		}
		losses, n := tree.Losses()
		switch {
		case p.compact || !im.of(p.base):
			p.losses, p.lost = append(p.losses, losses[:min(len(losses), wim.MaxLosses-len(p.losses))]...), p.lost+n
		case n > 0:
			p.keepAll = true
		}
		tree.EachContent(func(n wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
			id, ok := p.withHash(&h)
			if !ok {
				if id, ok = p.find(h, im.a); !ok && im.a == p.base {
					return true // what is not there now will not be there
				}
				if !ok {
					err = p.missing(h, im.a)
					return false
				}
				if p.o.Solid {
					p.names[id] = tree.Name(n)
				}
			}
			p.contents[id].refs++
			return true
		})
		return err
	}
	refs := im.draft.References()
	var names map[draft.ContentID]string
	if p.o.Solid {
		names = map[draft.ContentID]string{}
		im.draft.EachStream(func(n draft.Node, _ format.StreamKind, id draft.ContentID) bool {
			if _, ok := names[id]; !ok {
				names[id] = im.draft.Name(n)
			}
			return true
		})
	}
	p.contents = slices.Grow(p.contents, im.draft.NumContents())
	for i := range im.draft.NumContents() {
		c, n := im.draft.Content(draft.ContentID(i)), uint32(refs[i])
		if n == 0 || c.Known && c.Hash.IsZero() {
			continue
		}
		if c.Known {
			id, ok := p.withHash(&c.Hash)
			if !ok {
				id, ok = p.find(c.Hash, nil)
			}
			if ok {
				p.contents[id].refs += n
				continue
			}
			if c.Source < 0 && c.Bytes == nil {
				lacks, err := p.lacks(c.Hash)
				if err != nil {
					return err
				}
				if lacks {
					continue // what is not there now will not be there
				}
				return &blobs.MissingError{Hash: c.Hash}
			}
		}
		id := int32(len(p.contents))
		pc := packContent{
			hash: c.Hash, known: c.Known, a: -1, image: image, id: draft.ContentID(i), same: written, solid: -1, refs: n, size: c.Size, raw: c.Unpacked,
		}
		if c.Bytes != nil {
			pc.needRare().inline = c.Bytes
		}
		p.contents = append(p.contents, pc)
		if c.Known {
			p.indexHash(id)
		}
		if p.o.Solid {
			p.names[id] = names[draft.ContentID(i)]
		}
	}
	return nil
}

// lacks says that images of the archive that is changed in place use a content which it does not hold, as is the rule in a
// delta archive.
func (p *Plan) lacks(h format.Hash) (bool, error) {
	if p.base == nil {
		return false, nil
	}
	if p.lacking == nil {
		p.lacking = map[format.Hash]bool{}
		for i := range p.base.Store().Metas {
			im, err := p.base.Image(i + 1)
			if err != nil {
				return false, err
			}
			im.EachContent(func(_ wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
				if !p.holds(h) {
					p.lacking[h] = true
				}
				return true
			})
		}
	}
	return p.lacking[h], nil
}

// find adds a content that an archive holds: the one that is changed in place, then the first given, then any.
func (p *Plan) find(h format.Hash, first *wim.Archive) (int32, bool) {
	try := func(i int, a *wim.Archive) (int32, bool) {
		blob, ok := a.Store().BlobID(h)
		if !ok || a.Store().Records[blob].Fault != blobs.FaultNone {
			return 0, false
		}
		id := int32(len(p.contents))
		p.contents = append(p.contents, packContent{hash: h, known: true, a: int32(i), blob: blob, image: -1, same: written, solid: -1, size: a.Store().Records[blob].Size})
		p.indexHash(id)
		return id, true
	}
	if p.left(h) && !p.holds(h) {
		id := int32(len(p.contents))
		p.contents = append(p.contents, packContent{hash: h, known: true, a: -1, image: -1, same: leftOut, solid: -1})
		p.indexHash(id)
		return id, true
	}
	for _, a := range []*wim.Archive{p.base, first} {
		if i := slices.Index(p.archives, a); i >= 0 {
			if id, ok := try(i, a); ok {
				return id, true
			}
		}
	}
	for i, a := range p.archives {
		if id, ok := try(i, a); ok {
			return id, true
		}
	}
	return 0, false
}

// holds says that the archive that is changed in place has a content already.
func (p *Plan) holds(h format.Hash) bool {
	if p.base == nil {
		return false
	}
	id, ok := p.base.Store().BlobID(h)
	return ok && int(id) < p.base.Store().NBlobs && p.base.Store().Records[id].Fault == blobs.FaultNone
}

// left says that a content is left out of a delta archive: also of one that is changed in place, if it was opened with
// references that hold it.
func (p *Plan) left(h format.Hash) bool {
	if p.base != nil {
		if id, ok := p.base.Store().BlobID(h); ok && int(id) >= p.base.Store().NBlobs {
			return true
		}
	}
	return slices.ContainsFunc(p.delta, func(a *wim.Archive) bool {
		_, ok := a.Store().BlobID(h)
		return ok
	})
}

// Content tells which content of which image's draft (index from 1) a number stands for. ok is false if it is of no draft.
func (p *Plan) Content(id int32) (image int, c draft.Content, ok bool) {
	if id < 0 || int(id) >= len(p.contents) {
		return 0, draft.Content{}, false
	}
	p.told.RLock()
	defer p.told.RUnlock()
	x := &p.contents[id]
	if x.image < 0 {
		return 0, draft.Content{}, false
	}
	return int(x.image) + 1, p.images[x.image].draft.Content(x.id), true
}

// Name gives words for a content: the path of a file, or of the first that has it in an image, and the hash.
func (p *Plan) Name(id int32) string {
	if _, c, ok := p.Content(id); ok && c.Path != "" {
		if c.Stream != "" {
			return c.Path + ":" + c.Stream
		}
		return c.Path
	}
	if id < 0 || int(id) >= len(p.contents) || !p.contents[id].known {
		return ""
	}
	c := &p.contents[id]
	name := "content " + c.hash.String()
	p.usesOnce.Do(p.findUses)
	if at, ok := p.uses[c.hash]; ok && c.a >= 0 && !c.meta {
		return fmt.Sprintf("%s (image %d, %s)", strings.TrimPrefix(at.im.Path(at.n), "/"), at.im.Index(), name)
	}
	return name
}

// firstUse is the first entry that names a content.
type firstUse struct {
	im *wim.Image
	n  wim.Node
}

// findUses finds entries of the images that are taken from archives as they are.
func (p *Plan) findUses() {
	p.uses = map[format.Hash]firstUse{}
	for i := range p.images {
		if p.images[i].draft != nil {
			continue
		}
		im, err := p.images[i].a.Image(p.images[i].index)
		if err != nil {
			continue // then its contents go without names
		}
		im.EachContent(func(n wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
			if _, ok := p.uses[h]; !ok {
				p.uses[h] = firstUse{im, n}
			}
			return true
		})
	}
}

// Parts is what shards read archives from.
func (p *Plan) Parts() blobs.Source {
	var s blobs.Source
	for _, a := range p.archives {
		s = append(s, a.Store().Source()...)
	}
	return s
}

// Start tells where the archive is written to: from its first byte on, or behind what is there. If w has a method Sync, as
// *os.File has, that is called when all is written, and before the header; if it has Truncate, what was
// written behind the end and taken back is cut off, as is what was added in place if that is given up. Nothing is written before all is known that may speak against it. The header comes last: before that a new file says that writing was not finished.
func (p *Plan) Start(w io.WriterAt) error {
	return p.StartParts(func(part int) (io.WriterAt, error) {
		if part > 1 {
			return nil, &RefusedError{Key: RefusedSplit, Text: "a set has more than one file to write to"}
		}
		return w, nil
	})
}

// StartParts is Start for a set: open gives each part's file, numbers from 1, when it is begun. All stay in use until the
// end.
func (p *Plan) StartParts(open func(part int) (io.WriterAt, error)) error {
	if p.sink != nil {
		return errors.New("wim: writing was started already")
	}
	p.sink = open
	return nil
}

// Next begins the next stage. It says false if all are done.
func (p *Plan) Next() (bool, error) {
	if p.merged != len(p.shards) {
		return false, errors.New("wim: a stage of writing is not finished")
	}
	for len(p.stages) > 0 {
		if p.stage > stageHash && !p.begun {
			p.begun = true
			if err := p.begin(); err != nil {
				return false, err
			}
		}
		p.stage, p.stages = p.stages[0], p.stages[1:]
		p.shards, p.merged, p.bytes, p.items = nil, 0, 0, 0
		if err := p.planStage(); err != nil {
			return false, err
		}
		if len(p.shards) > 0 {
			return true, nil
		}
	}
	return false, nil
}

func (p *Plan) planStage() error {
	switch p.stage {
	case stageCheck:
		return p.planCheck()
	case stageHash:
		p.planHash()
	case stageMeasure:
		if err := p.single(); err != nil {
			return err
		}
		return p.planMeasure()
	case stageCompact:
		p.planMoves()
	case stagePack:
		p.moved()
		p.planPack()
	case stageRedo, stageRedoMetadata:
		p.planAlone(p.redo, true)
		p.redo = nil
	case stageMetadata:
		return p.planMetadata()
	}
	return nil
}

// Stage returns the key of the current stage: "check", "hash", "measure", "compact", "pack", "metadata".
func (p *Plan) Stage() string {
	switch p.stage {
	case stageCheck:
		return "check"
	case stageHash:
		return "hash"
	case stageMeasure:
		return "measure"
	case stageCompact:
		return "compact"
	case stagePack, stageRedo:
		return "pack"
	}
	return "metadata"
}

// NumShards is how many shards the stage has.
func (p *Plan) NumShards() int { return len(p.shards) }

// Bytes is how many unpacked bytes the stage goes through.
func (p *Plan) Bytes() int64 { return p.bytes }

// Items is how many pieces the stage goes through.
func (p *Plan) Items() int { return p.items }

func (p *Plan) add(s packPlan) {
	p.shards = append(p.shards, s)
	p.bytes += s.bytes
	p.items += len(s.items)
}

// Memory is about how many bytes a worker needs for any shard of the stage.
func (p *Plan) Memory() int64 {
	most := int64(0)
	for i := range p.shards {
		most = max(most, p.outline(i).Memory)
	}
	return most
}

// outline is shard i without its pieces.
func (p *Plan) outline(i int) *shard.PackShard {
	plan := &p.shards[i]
	s := &shard.PackShard{Seq: i, Op: plan.op}
	if plan.op == shard.PackCheck {
		if k, err := p.checks[plan.archive].Shard(plan.check); err == nil {
			s.Bytes, s.Memory = k.Bytes, k.Memory
		}
		return s
	}
	switch {
	case plan.op == shard.PackSolid:
		s.Codec, s.ChunkSize, s.Level = p.o.SolidCodec, p.o.SolidChunkSize, p.o.SolidLevel
	case plan.op == shard.PackCopy:
		s.ChunkSize, s.Pipable = p.o.ChunkSize, p.o.Pipable
	case plan.op == shard.PackAlone && !plan.raw:
		s.Codec, s.ChunkSize, s.Level, s.Pipable = p.o.Codec, p.o.ChunkSize, p.o.Level, p.o.Pipable
	}
	longest, unpack := int64(0), int64(0)
	for _, it := range plan.items {
		if p.skips(plan, it) {
			continue
		}
		s.Bytes += it.n
		from, n := p.reads(plan, it)
		longest = max(longest, n)
		if c := &p.contents[it.content]; c.a >= 0 && plan.op != shard.PackCopy && c.same != leftOut {
			unpack = max(unpack, p.archives[c.a].Store().UnpackMemory(c.blob, from, n))
		}
	}
	s.Memory = codec.EncoderMemory(s.Codec, s.EncoderSize(), s.Level) + unpack
	switch plan.op {
	case shard.PackHash:
		s.Memory += shard.WindowSize
	case shard.PackSolid:
		s.Memory += s.Bytes + longest + min(s.ChunkSize, s.Bytes)
	default:
		s.Memory += s.Bytes + longest
	}
	return s
}

// skips reports whether a shard leaves out an item because its content was skipped. A solid resource keeps its place: with zeros,
// or with the old bytes if it is copied.
func (p *Plan) skips(plan *packPlan, it packItem) bool {
	whole := plan.op == shard.PackSolid || plan.op == shard.PackCopy && plan.solid >= 0
	return p.contents[it.content].same == leftOut && !whole
}

// reads is which bytes of a content are read for an item: also those before and behind it, from and to where the unfinished
// SHA-1 is known.
func (p *Plan) reads(plan *packPlan, it packItem) (from, n int64) {
	c := &p.contents[it.content]
	switch {
	case plan.op == shard.PackCopy, c.same == leftOut, c.inline() != nil:
		return it.from, it.n
	case len(c.states()) == 0:
		return 0, c.size
	}
	from = it.from / shard.StateStep * shard.StateStep
	return from, min((it.from+it.n+shard.StateStep-1)/shard.StateStep*shard.StateStep, c.size) - from
}

// Shard makes shard i of the stage.
func (p *Plan) Shard(i int) (*shard.PackShard, error) {
	if i < 0 || i >= len(p.shards) {
		return nil, fmt.Errorf("wim: shard %d of %d: %w", i, len(p.shards), format.ErrNotFound)
	}
	plan := &p.shards[i]
	if plan.op == shard.PackCheck {
		s, err := p.checkShard(plan)
		if err == nil {
			s.Seq = i
		}
		return s, err
	}
	s := p.outline(i)
	s.Pieces = make([]shard.PackPiece, 0, len(plan.items))
	var m shard.SpanMaker
	for _, it := range plan.items {
		if p.skips(plan, it) {
			continue
		}
		piece, err := p.piece(plan, it, &m)
		if err != nil {
			return nil, &shard.ContentError{ID: it.content, Path: p.Name(it.content), Err: err}
		}
		s.Pieces = append(s.Pieces, piece)
	}
	s.Read = m.Spans
	return s, nil
}

// onlyZeros says that n bytes of a content from from on were zeros when it was hashed. zeros is PackedItem's.
func onlyZeros(zeros []byte, from, n int64) bool {
	first, last := from/shard.StateStep, (from+n-1)/shard.StateStep
	return n > 0 && last < int64(len(zeros)) && !slices.Contains(zeros[first:last+1], 0)
}

// piece makes a shard's piece, and adds to m what it unpacks.
func (p *Plan) piece(plan *packPlan, it packItem, m *shard.SpanMaker) (shard.PackPiece, error) {
	c := &p.contents[it.content]
	out := shard.PackPiece{ID: it.content, Known: c.known, Hash: c.hash, Size: c.size, From: it.from, Len: it.n}
	if plan.op == shard.PackCopy {
		a := p.archives[c.a]
		var res blobs.Resource
		if plan.solid >= 0 {
			res = a.Store().Solids[p.solids[plan.solid].from].Resource
		} else {
			res, _ = p.resource(c)
		}
		if res.Form != blobs.FormSolid && reframed(&res, &p.o) {
			out.Source = shard.PieceFrame
		} else {
			out.Source, out.Size = shard.PiecePacked, res.Packed
		}
		out.Src, out.Off = p.bases[c.a]+res.Src, res.Off+it.from
		return out, nil
	}
	if c.same == leftOut {
		out.Source, out.Known = shard.PieceZero, false
		return out, nil
	}
	if inline := c.inline(); inline != nil {
		out.Source, out.Inline = shard.PieceInline, inline[it.from:it.from+it.n]
		return out, nil
	}
	from, n := p.reads(plan, it)
	out.Lead, out.Trail = it.from-from, from+n-it.from-it.n
	if states := c.states(); len(states) > 0 {
		state := func(at int64) []byte {
			k := int(at/shard.StateStep) - 1
			if k < 0 || at == c.size || (k+1)*shard.StateSize > len(states) {
				return nil
			}
			return states[k*shard.StateSize : (k+1)*shard.StateSize]
		}
		out.Before, out.After = state(from), state(from+n)
		out.Zeros = onlyZeros(c.rare.zeros, from, n)
	}
	if c.a < 0 {
		out.Source = shard.PieceFile
		return out, nil
	}
	out.Source = shard.PieceUnpack
	a, base := p.archives[c.a], p.bases[c.a]
	if plan.op != shard.PackHash {
		return out, m.Content(a.Store(), base, c.blob, it.content, from, n)
	}
	for at := int64(0); at < n; at += pieceBytes {
		m.Cut()
		if err := m.Content(a.Store(), base, c.blob, it.content, at, min(pieceBytes, n-at)); err != nil {
			return out, err
		}
	}
	return out, nil
}
