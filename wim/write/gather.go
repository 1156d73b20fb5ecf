package write

import (
	"slices"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/draft"
	"wimscope/wim/format"
)

// missing returns the reason why a blob that an image of an archive uses cannot be read.
func (inv *inventory) missing(h format.Hash, a *wim.Archive) error {
	if id, ok := a.Store().BlobID(h); ok && a.Store().Records[id].Fault != blobs.FaultAbsent {
		b := &a.Store().Records[id]
		return format.Errorf("blob "+h.String(), a.Store().Parts[b.Src].Name, b.Off, "%v", b.Fault)
	}
	return a.Store().MissingBlob(h)
}

// gather adds the contents of an image to the inventory.
func (inv *inventory) gather(image int32) error {
	im := &inv.images[image]
	if im.draft == nil {
		tree, err := im.a.Image(im.index)
		if err != nil {
			return err
		}
		losses, n := tree.Losses()
		switch {
		case inv.compact || !im.of(inv.base):
			inv.losses, inv.lost = append(inv.losses, losses[:min(len(losses), wim.MaxLosses-len(inv.losses))]...), inv.lost+n
		case n > 0:
			inv.keepAll = true
		}
		tree.EachStream(0, wim.Node(tree.Len()), func(n wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
			id, ok := inv.withHash(&h)
			if !ok {
				if id, ok = inv.find(h, im.a); !ok && im.a == inv.base {
					return true // it is missing from the archive already
				}
				if !ok {
					err = inv.missing(h, im.a)
					return false
				}
				if inv.o.Solid {
					inv.names[id] = tree.Name(n)
				}
			}
			inv.contents[id].refs++
			return true
		})
		return err
	}
	refs := im.draft.References()
	var names map[draft.ContentID]string
	if inv.o.Solid {
		names = map[draft.ContentID]string{}
		im.draft.EachStream(func(n draft.Node, _ format.StreamKind, id draft.ContentID) bool {
			if _, ok := names[id]; !ok {
				names[id] = im.draft.Name(n)
			}
			return true
		})
	}
	inv.contents = slices.Grow(inv.contents, im.draft.NumContents())
	for i := range im.draft.NumContents() {
		c, n := im.draft.Content(draft.ContentID(i)), uint32(refs[i])
		if n == 0 || c.Known && c.Hash.IsZero() {
			continue
		}
		if c.Known {
			id, ok := inv.withHash(&c.Hash)
			if !ok {
				id, ok = inv.find(c.Hash, nil)
			}
			if ok {
				inv.contents[id].refs += n
				continue
			}
			if c.Source < 0 && c.Bytes == nil {
				lacks, err := inv.lacks(c.Hash)
				if err != nil {
					return err
				}
				if lacks {
					continue // it is missing from the archive already
				}
				return &blobs.MissingError{Hash: c.Hash}
			}
		}
		id := int32(len(inv.contents))
		pc := content{
			hash: c.Hash, known: c.Known, a: -1, image: image, id: draft.ContentID(i), same: written, solid: -1, refs: n, size: c.Size, raw: c.Unpacked,
		}
		if c.Bytes != nil {
			pc.needRare().inline = c.Bytes
		}
		inv.contents = append(inv.contents, pc)
		if c.Known {
			inv.indexHash(id)
		}
		if inv.o.Solid {
			inv.names[id] = names[draft.ContentID(i)]
		}
	}
	return nil
}

// lacks reports whether images of the archive that is changed in place use a blob which that archive does not hold. This is
// common in delta archives.
func (inv *inventory) lacks(h format.Hash) (bool, error) {
	if inv.base == nil {
		return false, nil
	}
	if inv.lacking == nil {
		inv.lacking = map[format.Hash]bool{}
		for i := range inv.base.Store().Metas {
			im, err := inv.base.Image(i + 1)
			if err != nil {
				return false, err
			}
			im.EachStream(0, wim.Node(im.Len()), func(_ wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
				if !inv.holds(h) {
					inv.lacking[h] = true
				}
				return true
			})
		}
	}
	return inv.lacking[h], nil
}

// find adds a content that an archive holds. It looks in the archive that is changed in place, then in first, then in all
// others.
func (inv *inventory) find(h format.Hash, first *wim.Archive) (int32, bool) {
	try := func(i int, a *wim.Archive) (int32, bool) {
		blob, ok := a.Store().BlobID(h)
		if !ok || a.Store().Records[blob].Fault != blobs.FaultNone {
			return 0, false
		}
		id := int32(len(inv.contents))
		inv.contents = append(inv.contents, content{hash: h, known: true, a: int32(i), blob: blob, image: -1, same: written, solid: -1, size: a.Store().Records[blob].Size})
		inv.indexHash(id)
		return id, true
	}
	if inv.left(h) && !inv.holds(h) {
		id := int32(len(inv.contents))
		inv.contents = append(inv.contents, content{hash: h, known: true, a: -1, image: -1, same: leftOut, solid: -1})
		inv.indexHash(id)
		return id, true
	}
	for _, a := range []*wim.Archive{inv.base, first} {
		if i := slices.Index(inv.archives, a); i >= 0 {
			if id, ok := try(i, a); ok {
				return id, true
			}
		}
	}
	for i, a := range inv.archives {
		if id, ok := try(i, a); ok {
			return id, true
		}
	}
	return 0, false
}

// holds reports whether the archive that is changed in place holds a blob.
func (inv *inventory) holds(h format.Hash) bool {
	if inv.base == nil {
		return false
	}
	id, ok := inv.base.Store().BlobID(h)
	return ok && int(id) < inv.base.Store().NBlobs && inv.base.Store().Records[id].Fault == blobs.FaultNone
}

// left reports whether a blob is left out because another archive of a delta holds it. That may also be an archive with which
// the one that is changed in place was opened as a reference.
func (inv *inventory) left(h format.Hash) bool {
	if inv.base != nil {
		if id, ok := inv.base.Store().BlobID(h); ok && int(id) >= inv.base.Store().NBlobs {
			return true
		}
	}
	return slices.ContainsFunc(inv.delta, func(a *wim.Archive) bool {
		_, ok := a.Store().BlobID(h)
		return ok
	})
}

// onlyXML reports whether all images and blobs of the archive in place stay and none is added, so that only the XML document
// changes.
func (inv *inventory) onlyXML() bool {
	a := inv.base
	if len(inv.shown) != len(a.Store().Metas) || len(inv.images) != len(a.Store().Metas) || a.Store().FirstPart().Header.BlobTable.IsZero() {
		return false
	}
	for i := range inv.images {
		if im := &inv.images[i]; !im.of(a) || im.index != i+1 {
			return false
		}
	}
	return !slices.ContainsFunc(inv.contents, func(c content) bool { return c.same == written && !c.stays })
}

// keep keeps what the archive that is changed in place holds: the blobs that images use, and blobs that no image ever used,
// since other archives may need them. Blobs of deleted images are dropped, unless a remaining image is incomplete.
func (inv *inventory) keep() error {
	a := inv.base
	used := map[int32]bool{}
	for i := range a.Store().Metas {
		if slices.ContainsFunc(inv.images, func(im builderImage) bool { return im.of(a) && im.index == i+1 }) {
			continue // its contents were gathered
		}
		im, err := a.Image(i + 1)
		if err != nil {
			return err
		}
		im.EachStream(0, wim.Node(im.Len()), func(_ wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
			if id, ok := a.Store().BlobID(h); ok {
				used[id] = true
			}
			return true
		})
	}
	for i := range a.Store().Own() {
		b := &a.Store().Records[i]
		if inv.compact && !a.Store().ResourceOnly() {
			break
		}
		if _, ok := inv.withHash(&b.Hash); ok || used[int32(i)] && !inv.keepAll || b.Fault != blobs.FaultNone {
			continue
		}
		if id, ok := inv.find(b.Hash, a); ok {
			inv.contents[id].refs = max(b.Refs, 1)
		}
	}
	ai := int32(slices.Index(inv.archives, a))
	for i := range a.Store().Solids {
		s := &a.Store().Solids[i]
		inv.solids = append(inv.solids, outSolid{off: s.Off, packed: s.Packed, size: s.Size, a: ai, from: int32(i)})
	}
	for i := range inv.contents {
		c := &inv.contents[i]
		if c.a != ai || c.same != written || int(c.blob) >= a.Store().NBlobs {
			continue
		}
		b := &a.Store().Records[c.blob]
		c.stays, c.part = true, 1
		if b.Run < 0 {
			c.off, c.packed, c.stored = b.Off, b.Packed, b.Form == blobs.FormStored
			continue
		}
		run := &a.Store().Runs[b.Run]
		m := run.Member(b.Off)
		c.solid, c.off, c.packed = run.Members[m].Solid, b.Off-run.Members[m].Start, b.Size
	}
	return nil
}
