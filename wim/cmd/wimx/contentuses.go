package main

import (
	"bytes"
	"io"
	"slices"
	"sort"

	"wimscope/wim/core"
)

// contentUses is which outs have a content, sorted by its hash, those of one content in the order of outs.
type contentUses []int32

// content is the hash of what an out's file gets, zero if it gets nothing.
func (w *writer) content(o *out) core.Hash {
	if w.withoutContent(o.node) {
		return core.Hash{}
	}
	return w.im.Hash(o.node)
}

// findUses finds which files have contents, and that all of these are there, before anything is written.
func (w *writer) findUses() error {
	for i := range w.outs {
		o := &w.outs[i]
		if o.kind != outFile {
			continue
		}
		h := w.content(o)
		if h.IsZero() {
			continue
		}
		if err := missingContent(w.arc, w.im, o.node, h); err != nil {
			return err
		}
		w.uses = append(w.uses, int32(i))
	}
	slices.SortStableFunc(w.uses, func(x, y int32) int {
		a, b := w.content(&w.outs[x]), w.content(&w.outs[y])
		return bytes.Compare(a[:], b[:])
	})
	return nil
}

// of gives the outs that have a content.
func (u contentUses) of(w *writer, h core.Hash) []int32 {
	from, _ := slices.BinarySearchFunc(u, h, func(i int32, h core.Hash) int {
		a := w.content(&w.outs[i])
		return bytes.Compare(a[:], h[:])
	})
	n := sort.Search(len(u)-from, func(i int) bool { return w.content(&w.outs[u[from+i]]) != h })
	return u[from : from+n]
}

// hashes are the contents, once each.
func (u contentUses) hashes(w *writer) []core.Hash {
	var list []core.Hash
	for _, i := range u {
		if h := w.content(&w.outs[i]); len(list) == 0 || list[len(list)-1] != h {
			list = append(list, h)
		}
	}
	return list
}

// missingContent is the error about a content that no open archive has, nil if one has it.
func missingContent(arc *core.Archive, im *core.Image, n core.Node, h core.Hash) error {
	if _, ok := arc.Blob(h); ok || h.IsZero() {
		return nil
	}
	return missingError(arc, im, n, h)
}

func missingError(arc *core.Archive, im *core.Image, n core.Node, h core.Hash) error {
	hint := "If this is a delta WIM, use the --ref argument to specify the WIM(s) on which it is based."
	if len(arc.Info().Missing) > 0 {
		hint = "This is part of a split WIM. Use --ref to specify the other parts."
	}
	return codef(exitMissingContent, "%s: blob %s not found\n       %s", nativePath(im, n), h, hint)
}

// piece writes a run of a content. Pieces of a content come in order. However many files have the content, one or two of
// them are open at a time: the others are written from the first piece if it is the only one, or else from the first file
// when that is complete.
func (w *writer) piece(h core.Hash, off int64, data []byte, last bool) error {
	uses := w.uses.of(w, h)
	if off == 0 && last {
		for _, i := range uses {
			if err := w.ctxErr(); err != nil {
				return err
			}
			u, err := w.create(i)
			if err != nil {
				return err
			}
			if err := w.append(u, data); err != nil {
				w.remove(u)
				return err
			}
			if err := w.finish(u); err != nil {
				return err
			}
		}
		return nil
	}
	u := w.busy[h]
	if u == nil {
		var err error
		if u, err = w.create(uses[0]); err != nil {
			return err
		}
		w.busy[h] = u
	}
	if err := w.append(u, data); err != nil {
		return err
	}
	if !last {
		return nil
	}
	for _, i := range uses[1:] {
		if err := w.copy(u, i); err != nil {
			return err
		}
	}
	delete(w.busy, h)
	return w.finish(u)
}

// append writes bytes at the end of a file.
func (w *writer) append(u *unfinished, data []byte) error {
	if _, err := u.f.Write(data); err != nil {
		return coded(exitWrite, err)
	}
	w.bytes += int64(len(data))
	if w.written != nil {
		w.written()
	}
	return nil
}

// copyStep is how much is copied before somebody may interrupt it.
const copyStep = 64 << 20

// copy makes a file of an out with the bytes of one that is complete, where the file system can do that without
// writing them once more.
func (w *writer) copy(from *unfinished, i int32) error {
	u, err := w.create(i)
	if err != nil {
		return err
	}
	if _, err = from.f.Seek(0, io.SeekStart); err == nil {
		for n := int64(copyStep); n == copyStep && err == nil; {
			if err = w.ctxErr(); err == nil {
				n, err = io.Copy(u.f, io.LimitReader(from.f, copyStep))
				w.bytes += n
			}
		}
	}
	if err != nil {
		w.remove(u)
		return coded(exitWrite, err)
	}
	return w.finish(u)
}
