package write

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// order sorts contents into packing order: first those of archives, by their place there, then those of drafts. In a solid
// resource, contents that do not come from another solid resource are sorted by file extension and then by name, unless
// KeepOrder is set.
func (p *planner) order(ids []int32) {
	solidRun := func(c *content) bool { return c.a >= 0 && p.archives[c.a].Store().Records[c.blob].Run >= 0 }
	byName := p.o.Solid && !p.o.KeepOrder
	group := func(c *content) int {
		switch {
		case solidRun(c):
			return 0
		case c.a >= 0 && !byName:
			return 1
		}
		return 2
	}
	type key struct{ ext, name string }
	keys := map[int32]key{}
	if byName {
		for _, id := range ids {
			name := strings.ToLower(p.inv.names[id])
			keys[id] = key{path.Ext(name), name}
		}
	}
	slices.SortStableFunc(ids, func(x, y int32) int {
		cx, cy := &p.inv.contents[x], &p.inv.contents[y]
		gx, gy := group(cx), group(cy)
		switch {
		case gx != gy:
			return cmp.Compare(gx, gy)
		case gx < 2 && cx.a != cy.a:
			return cmp.Compare(cx.a, cy.a)
		case gx < 2:
			return p.archives[cx.a].Store().BlobPlace(cx.blob, cy.blob)
		case byName:
			kx, ky := keys[x], keys[y]
			return cmp.Or(cmp.Compare(kx.ext, ky.ext), cmp.Compare(kx.name, ky.name), cmp.Compare(x, y))
		}
		return cmp.Compare(x, y)
	})
}
