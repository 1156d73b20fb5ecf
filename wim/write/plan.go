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

// Plan is the writing of an archive as stages of shards. The shards of a stage may be run in any order and by
// anybody; Merge takes their results in their order and writes. Shard and Content may be called by several goroutines at a
// time while no stage begins, all else by one.
type Plan struct {
	*request
	inv  *inventory
	list *outlines
	file *output

	placer *placer
	moves  *compaction

	stages  []stage // to come
	stage   stage   // nil before the first one
	merged  int
	skipped []*shard.ContentError
}

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

const (
	written = -1 // for content.same: it is written itself
	leftOut = -2 // it is not written at all
)

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

// of says that an image is one of an archive as it is.
func (im *editImage) of(a *wim.Archive) bool { return im.draft == nil && im.a == a }

// Content returns the content of a draft that a number stands for, and the index of its image, from 1. ok is false if it is of no draft.
func (p *Plan) Content(id int32) (image int, c draft.Content, ok bool) { return p.inv.content(id) }

// Name describes a content in words: the path of its file, or its hash and the first path in an image that has it.
func (p *Plan) Name(id int32) string { return p.inv.name(id) }

// Losses returns the losses of the images that are copied from archives: the first ones, and the number of all. The copies have
// the same losses, and contents that only lost entries used are not copied. Images that stay in place do not count.
// Loss.Image is the index in the archive that the image comes from.
func (p *Plan) Losses() (first []wim.Loss, n int) { return p.inv.losses, p.inv.lost }

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
	if p.file.sink != nil {
		return errors.New("wim: writing was started already")
	}
	p.file.sink = open
	return nil
}

// NumShards is how many shards the stage has.
func (p *Plan) NumShards() int { return len(p.list.shards) }

// Bytes is how many unpacked bytes the stage goes through.
func (p *Plan) Bytes() int64 { return p.list.bytes }

// Items is how many pieces the stage goes through.
func (p *Plan) Items() int { return p.list.items }

// Memory is about how many bytes a worker needs for any shard of the stage.
func (p *Plan) Memory() int64 {
	most := int64(0)
	for i := range p.list.shards {
		most = max(most, p.list.sketch(i).Memory)
	}
	return most
}

// Shard returns shard i of the stage. Errors: *shard.ContentError for a content that cannot be read, see Skip.
func (p *Plan) Shard(i int) (*shard.PackShard, error) { return p.list.makeShard(i) }
