package write

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/xmldoc"
)

// Plan is a shard.Plan that writes an archive: Merge writes the results. Its stages are "check", "hash", "measure", "compact",
// "pack" and "metadata". Shard and Content may be called concurrently while no new stage begins; all other methods need a
// single goroutine.
type Plan struct {
	*request
	inv  *inventory
	list *outlines
	file *output

	placer *placer
	moves  *compaction

	stages  []stage // still to run
	stage   stage   // nil before the first one
	merged  int     // shards of the current stage
	skipped []*shard.ContentError
}

const (
	// largeContent is the size in bytes above which a content is packed in pieces.
	largeContent = 64 << 20
	// pieceBytes is the size of these pieces, unless a chunk is larger.
	pieceBytes = 32 << 20
	// inlinePiece is the size of pieces of bytes that are in memory and need not be checked, such as an image's metadata. It
	// is small because all workers wait for them.
	inlinePiece = 1 << 20
	// solidShardBytes is how many bytes of a solid resource go into a shard, unless a chunk is larger.
	solidShardBytes = 8 << 20
)

const (
	written = -1 // content.same: it is written itself
	leftOut = -2 // content.same: it is not written
)

// PlanWrite plans a new archive.
//
// Errors: ErrUnsupported; *RefusedError; *blobs.MissingError if a draft or image needs a blob that is not found; errors of
// loading images.
func (e *Builder) PlanWrite(o *Options) (*Plan, error) {
	p, err := e.planWrite(o, nil, false)
	if err != nil {
		return nil, err
	}
	p.front = p.o.Pipable
	p.setStages()
	return p, nil
}

func (e *Builder) planWrite(o *Options, base *wim.Archive, compact bool) (*Plan, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if e.Boot < 0 || e.Boot > len(e.images) {
		return nil, fmt.Errorf("wim: boot index %d of %d images: %w", e.Boot, len(e.images), format.ErrNotFound)
	}
	req := &request{o: opts, base: base, doc: e.doc, delta: slices.Clone(e.delta), fixup: e.ReparseFixup, images: slices.Clone(e.images), compact: compact}
	inv := &inventory{request: req, names: map[int32]string{}}
	p := &Plan{request: req, inv: inv, list: &outlines{request: req, inv: inv}, file: &output{request: req, inv: inv, part: 1}}
	p.placer = &placer{planner: planner{req, inv, p.list}, file: p.file, open: openContent{id: -1}}
	p.moves = &compaction{placer: p.placer}
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
		p.inv.metas = append(p.inv.metas, -1)
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
		if err := p.inv.gather(int32(i)); err != nil {
			return nil, fmt.Errorf("wim: image %d: %w", i+1, err)
		}
	}
	for _, a := range e.whole {
		if a == base {
			continue // stays as it is
		}
		for i := range a.Store().Own() {
			b := &a.Store().Records[i]
			if _, ok := p.inv.withHash(&b.Hash); ok {
				continue
			}
			id, ok := p.inv.find(b.Hash, a)
			if !ok {
				return nil, p.inv.missing(b.Hash, a)
			}
			p.inv.contents[id].refs = b.Refs
		}
	}
	if base != nil {
		if err := p.inv.keep(); err != nil {
			return nil, err
		}
	}
	return p, p.inv.bounded()
}

// of reports whether the image is copied from archive a.
func (im *builderImage) of(a *wim.Archive) bool { return im.draft == nil && im.a == a }

// Content returns the content of a draft by its number in the plan, and the index of its image, from 1. ok is false if the
// number stands for something else.
func (p *Plan) Content(id int32) (image int, c draft.Content, ok bool) { return p.inv.content(id) }

// Name returns a content's name for messages: the path of its file, or its hash with the first path that uses it.
func (p *Plan) Name(id int32) string { return p.inv.name(id) }

// Losses returns the first losses of the images that are copied from archives, and the number of all losses. The copies have
// the same losses, and blobs that only lost entries use are not copied. Images that stay in place do not count. Loss.Image is
// the index in the archive that the image comes from.
func (p *Plan) Losses() (first []wim.Loss, n int) { return p.inv.losses, p.inv.lost }

// Parts returns the parts of all archives that shards read from.
func (p *Plan) Parts() blobs.Source {
	var s blobs.Source
	for _, a := range p.archives {
		s = append(s, a.Store().Source()...)
	}
	return s
}

// Start sets the file to write to. A new archive is written from its first byte on, an append behind what is there. Nothing
// is written before everything that may prevent writing is known. The header is written last; until then the header of a new
// file marks it as unfinished.
//
// If w has a method Sync, as *os.File does, it is called when everything is written, before the header and after it. If w has
// Truncate, it is used to cut off bytes that are no longer needed, and the appended bytes if an append is aborted.
func (p *Plan) Start(w io.WriterAt) error {
	return p.StartParts(func(part int) (io.WriterAt, error) {
		if part > 1 {
			return nil, &RefusedError{Key: RefusedSplit, Text: "a set has more than one file to write to"}
		}
		return w, nil
	})
}

// StartParts is Start for a split set. open returns the file of a part, numbered from 1, when that part is begun. All files
// stay in use until the end.
func (p *Plan) StartParts(open func(part int) (io.WriterAt, error)) error {
	if p.file.sink != nil {
		return errors.New("wim: the plan was started before")
	}
	p.file.sink = open
	return nil
}

// Shard implements shard.Plan.
func (p *Plan) Shard(i int) (*shard.Shard, error) { return p.list.makeShard(i) }
