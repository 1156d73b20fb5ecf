package main

import (
	"crypto/sha1"
	"errors"
	"hash"

	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// feed runs a plan of extraction and hands each piece, in the order of the shards, to sink.
type feed struct {
	shard.Plan
	want    func(format.Hash) bool
	sink    func(h format.Hash, off int64, data []byte, last bool) error
	damage  func(h format.Hash, why string) error // an error ends the job
	cut     map[format.Hash]hash.Hash             // SHA-1 of contents that come in pieces, as far as they have come
	damaged map[format.Hash]bool
}

func newFeed(p shard.Plan) *feed {
	return &feed{Plan: p, want: func(format.Hash) bool { return true }, cut: map[format.Hash]hash.Hash{}, damaged: map[format.Hash]bool{}}
}

// Merge implements shard.Plan: shard.Run calls it shard by shard in their order.
func (f *feed) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	s, err := f.Shard(i)
	if err != nil {
		return nil, err
	}
	bad := map[int32]string{}
	for _, b := range r.Bad {
		bad[b.Piece] = b.Error
	}
	data, n := r.Data, int32(0)
	for _, sp := range s.Spans {
		for j := range sp.Pieces {
			p := &sp.Pieces[j]
			if p.Len > int64(len(data)) {
				return nil, errors.New("a shard gave fewer bytes than it has")
			}
			if err := f.piece(p, data[:p.Len], bad[n]); err != nil {
				return nil, err
			}
			data = data[p.Len:]
			n++
		}
	}
	return f.Plan.Merge(i, r)
}

func (f *feed) piece(p *shard.Piece, data []byte, why string) error {
	if !f.want(p.Hash) {
		return nil
	}
	last := p.From+p.Len == p.Size
	if why == "" && (p.From != 0 || !last) {
		// The shards of a content in pieces know nothing of each other.
		d := f.cut[p.Hash]
		if d == nil && p.From == 0 {
			d = sha1.New()
			f.cut[p.Hash] = d
		}
		if d != nil {
			d.Write(data)
			if last {
				delete(f.cut, p.Hash)
				if format.Hash(d.Sum(nil)) != p.Hash {
					why = "SHA-1 does not match"
				}
			}
		}
	}
	if why != "" && !f.damaged[p.Hash] {
		f.damaged[p.Hash] = true
		delete(f.cut, p.Hash)
		if err := f.damage(p.Hash, why); err != nil {
			return err
		}
	}
	return f.sink(p.Hash, p.From, data, last)
}

// contents writes the bytes of all files that have some.
func (w *writer) contents() error {
	hashes := w.uses.hashes()
	if len(hashes) == 0 {
		return nil
	}
	plan, err := extract.PlanContents(w.arc, hashes)
	if err != nil {
		return err
	}
	f := newFeed(plan)
	f.sink = w.piece
	f.damage = func(h format.Hash, why string) error {
		path := nativePath(w.im, w.outs[w.uses.of(h)[0].out].node)
		if !w.o.recoverData {
			return damageError(path, why)
		}
		w.t.warn("Corruption in %q (%s)! Extracting anyway since data recovery mode is enabled.", path, why)
		w.damaged++
		return nil
	}
	bar := w.t.progress(extracting, plan.Bytes())
	err = shard.Run(w.t.ctx, f, w.arc.Store().Source(), w.workers, bar.step)
	bar.end()
	return interrupted(err)
}

func damageError(path, why string) error {
	return hinted{codef(exitHash, "%q is damaged: %s", path, why), "--recover-data writes what can be read of it"}
}

// eachContent hands out a content piece by piece. Without recoverData damage is an error: before any byte is handed
// out if the content is in one piece, as all but very long ones are, else at the end.
func (a *opened) eachContent(t *tool, h format.Hash, recoverData bool, sink func([]byte) error) error {
	if h.IsZero() {
		return nil
	}
	if _, ok := a.Store().Blob(h); !ok {
		return codef(exitMissingContent, "blob %s not found; --ref names the archives that may have it", h)
	}
	plan, err := extract.PlanContents(a.Archive, []format.Hash{h})
	if err != nil {
		return err
	}
	f := newFeed(plan)
	f.sink = func(_ format.Hash, _ int64, data []byte, _ bool) error { return sink(data) }
	f.damage = func(_ format.Hash, why string) error {
		if !recoverData {
			return codef(exitHash, "damaged: %s", why)
		}
		t.warn("damaged: %s", why)
		return nil
	}
	return interrupted(shard.Run(t.ctx, f, a.Store().Source(), 1, nil))
}

// threads takes --threads.
func (w *writer) threads(o *parsed) error {
	n, err := o.threads()
	w.workers = n
	return err
}
