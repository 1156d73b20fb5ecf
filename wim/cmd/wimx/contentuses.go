package main

import (
	"bytes"
	"cmp"
	"io"
	"slices"

	"wimscope/wim"
	"wimscope/wim/format"
)

// contentUses maps blobs to the outs that have them, sorted by hash; outs of one blob keep their order.
type contentUses []contentUse

type contentUse struct {
	hash format.Hash
	out  int32
}

// content returns the hash of the blob for an out's file, zero if the file stays empty.
func (w *writer) content(o *out) format.Hash {
	if w.withoutContent(o.node) {
		return format.Hash{}
	}
	return w.im.Hash(o.node)
}

// findUses collects the files that are not empty, and checks before anything is written that all blobs are available.
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
		w.uses = append(w.uses, contentUse{h, int32(i)})
	}
	slices.SortFunc(w.uses, func(x, y contentUse) int {
		return cmp.Or(bytes.Compare(x.hash[:], y.hash[:]), cmp.Compare(x.out, y.out))
	})
	return nil
}

// of returns the uses of a blob.
func (u contentUses) of(h format.Hash) contentUses {
	from, _ := slices.BinarySearchFunc(u, h, func(x contentUse, h format.Hash) int { return bytes.Compare(x.hash[:], h[:]) })
	end := from
	for end < len(u) && u[end].hash == h {
		end++
	}
	return u[from:end]
}

// hashes returns each hash once.
func (u contentUses) hashes() []format.Hash {
	var list []format.Hash
	for i := range u {
		if i == 0 || u[i].hash != u[i-1].hash {
			list = append(list, u[i].hash)
		}
	}
	return list
}

// missingContent returns an error if no open archive has the blob.
func missingContent(arc *wim.Archive, im *wim.Image, n wim.Node, h format.Hash) error {
	if _, ok := arc.Store().Blob(h); ok || h.IsZero() {
		return nil
	}
	return missingError(arc, im, n, h)
}

func missingError(arc *wim.Archive, im *wim.Image, n wim.Node, h format.Hash) error {
	hint := "If this is a delta WIM, use the --ref argument to specify the WIM(s) on which it is based."
	if len(arc.Info().Missing) > 0 {
		hint = "This is part of a split WIM. Use --ref to specify the other parts."
	}
	return codef(exitMissingContent, "%s: blob %s not found\n       %s", nativePath(im, n), h, hint)
}

// piece writes a piece of a blob. The pieces of a blob come in order. At most two files are open at a time, however many
// have the blob: a blob in one piece is written to each file in turn; otherwise the first file is copied to the others when
// it is complete.
func (w *writer) piece(h format.Hash, off int64, data []byte, last bool) error {
	uses := w.uses.of(h)
	if off == 0 && last {
		for _, use := range uses {
			if err := w.ctxErr(); err != nil {
				return err
			}
			u, err := w.create(use.out)
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
		if u, err = w.create(uses[0].out); err != nil {
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
	for _, use := range uses[1:] {
		if err := w.copy(u, use.out); err != nil {
			return err
		}
	}
	delete(w.busy, h)
	return w.finish(u)
}

// append writes data to the end of a file.
func (w *writer) append(u *unfinished, data []byte) error {
	if err := u.write(data); err != nil {
		return coded(exitWrite, err)
	}
	w.bytes += int64(len(data))
	if w.written != nil {
		w.written()
	}
	return nil
}

// holeStep is the unit of holes in bytes, as on NTFS.
const holeStep = 64 << 10

// write writes to the end of a file. In a sparse file, aligned runs of zeros become holes.
func (u *unfinished) write(data []byte) error {
	if !u.sparse {
		_, err := u.f.Write(data)
		return err
	}
	for len(data) > 0 {
		n := min(len(data), int(holeStep-u.size%holeStep))
		u.hole = allZero(data[:n])
		for n < len(data) { // join adjacent steps of the same kind
			more := min(len(data)-n, holeStep)
			if allZero(data[n:n+more]) != u.hole {
				break
			}
			n += more
		}
		var err error
		if u.hole {
			_, err = u.f.Seek(int64(n), io.SeekCurrent)
		} else {
			_, err = u.f.Write(data[:n])
		}
		if err != nil {
			return err
		}
		data, u.size = data[n:], u.size+int64(n)
	}
	return nil
}

// allZero reports whether b is not empty and contains only zeros.
func allZero(b []byte) bool {
	return len(b) > 0 && b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}

// copyStep is how many bytes are copied between checks for an interrupt.
const copyStep = 64 << 20

// copy creates the file of an out as a copy of a complete one, in the kernel if possible.
func (w *writer) copy(from *unfinished, i int32) error {
	u, err := w.create(i)
	if err != nil {
		return err
	}
	size, err := from.f.Seek(0, io.SeekEnd)
	if from.hole {
		size, err = from.size, from.f.Truncate(from.size)
	}
	for off := int64(0); off < size && err == nil; {
		start, end := off, size
		if u.sparse {
			if a, b, err := nextData(from.f, off, holeStep); err == nil {
				start, end = a, b
			}
		}
		end = min(end, start+copyStep)
		off = end
		if err = w.ctxErr(); err == nil {
			_, err = from.f.Seek(start, io.SeekStart)
		}
		if err == nil {
			_, err = u.f.Seek(start, io.SeekStart)
		}
		if err == nil {
			_, err = io.Copy(u.f, io.LimitReader(from.f, end-start))
		}
	}
	if err != nil {
		w.remove(u)
		return coded(exitWrite, err)
	}
	u.size, u.hole = size, u.sparse
	w.bytes += size
	return w.finish(u)
}
