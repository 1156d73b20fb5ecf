package main

import (
	"wimscope/wim/extract"
	"wimscope/wim/format"
)

// contents writes the bytes of all files that are not empty.
func (w *writer) contents() error {
	hashes := w.uses.hashes()
	if len(hashes) == 0 {
		return nil
	}
	plan, err := extract.PlanContents(w.arc, hashes)
	if err != nil {
		return err
	}
	damaged := func(h format.Hash, why string) error {
		path := nativePath(w.im, w.outs[w.uses.of(h)[0].out].node)
		if !w.o.recoverData {
			return damageError(path, why)
		}
		w.t.warn("Corruption in %q (%s)! Extracting anyway since data recovery mode is enabled.", path, why)
		w.damaged++
		return nil
	}
	bar := w.t.progress(extracting, plan.Bytes())
	err = extract.RunContents(w.t.ctx, plan, w.arc.Store().Source(), w.workers, extract.Contents{Piece: w.piece, Damaged: damaged}, bar.step)
	bar.end()
	return interrupted(err)
}

func damageError(path, why string) error {
	return hinted{codef(exitHash, "%q is damaged: %s", path, why), "--recover-data writes what can be read of it"}
}

// eachContent passes a blob to sink piece by piece. Without recoverData, damage is an error: before any byte is passed on
// if the blob is in one piece, as all but very large ones are, otherwise at the end.
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
	piece := func(_ format.Hash, _ int64, data []byte, _ bool) error { return sink(data) }
	damaged := func(_ format.Hash, why string) error {
		if !recoverData {
			return codef(exitHash, "damaged: %s", why)
		}
		t.warn("damaged: %s", why)
		return nil
	}
	return interrupted(extract.RunContents(t.ctx, plan, a.Store().Source(), 1, extract.Contents{Piece: piece, Damaged: damaged}, nil))
}

// threads sets the number of workers from --threads.
func (w *writer) threads(o *parsed) error {
	n, err := o.threads()
	w.workers = n
	return err
}
