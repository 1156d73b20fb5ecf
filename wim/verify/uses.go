package verify

import (
	"cmp"
	"slices"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// useFinder walks images to find the paths that use blobs.
type useFinder struct {
	a          *wim.Archive
	damaged    map[int32]*Damage
	counts     []uint32 // by ID: how often images use it
	missing    map[format.Hash]*Missing
	paths      int
	text       int  // bytes of the paths
	leftOff    int  // number of uses beyond the limits
	incomplete bool // an image cannot be read
}

func newUseFinder(a *wim.Archive, damaged map[int32]*Damage) *useFinder {
	return &useFinder{a: a, damaged: damaged, counts: make([]uint32, a.Store().NBlobs), missing: map[format.Hash]*Missing{}}
}

func (u *useFinder) image(im *wim.Image) {
	im.EachStream(0, wim.Node(im.Len()), func(n wim.Node, h format.Hash, kind format.StreamKind, name []byte) bool {
		id, ok := u.a.Store().BlobID(h)
		switch {
		case !ok:
			m := u.missing[h]
			if m == nil {
				m = &Missing{Hash: h}
				u.missing[h] = m
			}
			m.Count++
			m.Uses = u.use(m.Uses, im, n, kind, name)
		default:
			if int(id) < u.a.Store().NBlobs { // not in a reference
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

// use appends a use to a list unless a limit is reached.
func (u *useFinder) use(list []Use, im *wim.Image, n wim.Node, kind format.StreamKind, name []byte) []Use {
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

// missingList returns the missing blobs, sorted by the first path that uses each.
func (u *useFinder) missingList() []Missing {
	sorted := make([]*Missing, 0, len(u.missing))
	for _, m := range u.missing {
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, func(x, y *Missing) int {
		first := func(m *Missing) (int, string) {
			if len(m.Uses) == 0 {
				return 1 << 30, ""
			}
			return m.Uses[0].Image, m.Uses[0].Path
		}
		xi, xp := first(x)
		yi, yp := first(y)
		return cmp.Or(cmp.Compare(xi, yi), cmp.Compare(xp, yp), slices.Compare(x.Hash[:], y.Hash[:]))
	})
	list := make([]Missing, len(sorted))
	for i, m := range sorted {
		list[i] = *m
	}
	return list
}
