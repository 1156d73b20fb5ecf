package wasmflow

import "slices"

// A graph is the control flow between the codes of a function: by edges that become direct branches, and through the
// dispatcher.
type graph struct {
	f     *function
	to    []int   // by code: where a jump to it ends up, after codes that do nothing
	succs [][]int // by code: where control goes directly
	entry []bool  // by code: it is entered through the dispatcher
	far   [][]int // by code: where control goes through the dispatcher

	order []int // reachable codes in reverse postorder: only edges of loops go back
	pos   []int // by code: its index in order, -1 if it is unreachable
	idom  []int // by index: of the immediate dominator; -1 is the dispatcher
	preds [][]int

	loop  []int // by code: the head of the innermost loop around it, which may be itself, or -1
	outer []int // by head: the head of the enclosing loop, or -1
	depth []int // by head: nesting depth of its loop, from 1
}

// next returns where control goes at a code's end: to a code, to a trap (trapped) or nowhere.
func (g *graph) next(k int) (to int, falls, trapped bool) {
	c := &g.f.codes[k]
	if n := len(c.pieces); n > 0 && c.pieces[n-1].kind == jump {
		return g.to[c.pieces[n-1].to], true, false
	}
	if !c.falls {
		return 0, false, false
	}
	if k+1 == len(g.f.codes) {
		return 0, false, true
	}
	return g.to[k+1], true, false
}

func newGraph(f *function) *graph {
	n := len(f.codes)
	g := &graph{f: f, to: make([]int, n), succs: make([][]int, n), entry: make([]bool, n), far: make([][]int, n)}
	for k := range f.codes {
		g.to[k] = f.end(k)
	}
	for k := range f.codes {
		add := func(to int) {
			if !slices.Contains(g.succs[k], to) {
				g.succs[k] = append(g.succs[k], to)
			}
		}
		for _, p := range f.codes[k].pieces {
			if p.kind == branch {
				add(g.to[p.to])
			}
		}
		if to, ok, _ := g.next(k); ok {
			add(to)
		}
		if f.codes[k].resume {
			g.entry[g.to[k]] = true
		}
	}
	for g.walk(); g.detour(); {
		g.walk()
	}
	g.findLoops()
	return g
}

// end skips codes that do nothing but continue with another.
func (f *function) end(k int) int {
	for range f.codes {
		c := &f.codes[k]
		switch {
		case len(c.pieces) == 0 && c.falls && k+1 < len(f.codes):
			k++
		case len(c.pieces) == 1 && c.pieces[0].kind == jump:
			k = c.pieces[0].to
		default:
			return k
		}
	}
	return k // an endless cycle
}

// walk computes order, pos, preds and idom.
func (g *graph) walk() {
	n := len(g.f.codes)
	g.pos = make([]int, n)
	for k := range g.pos {
		g.pos[k] = -1
	}
	// The last visited code comes first in the order, so visit the successors in the reverse of the compiler's order.
	type frame struct {
		code int
		rest []int
	}
	descending := func(list []int) []int {
		list = slices.Clone(list)
		slices.Sort(list)
		slices.Reverse(list)
		return list
	}
	var stack []frame
	g.order = g.order[:0]
	visit := func(k int) {
		if g.pos[k] < 0 {
			g.pos[k] = n
			stack = append(stack, frame{k, descending(g.succs[k])})
		}
	}
	// Of all entries the function's start comes first. Then the edges that go back are those that go back in the
	// source, from a loop's end to its head, and not those to a call from the return point of the previous call.
	entries := []int{g.to[0]}
	for k := range n {
		if g.entry[k] {
			entries = append(entries, k)
		}
	}
	for _, k := range entries {
		visit(k)
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if len(top.rest) == 0 {
				g.order = append(g.order, top.code)
				stack = stack[:len(stack)-1]
				continue
			}
			to := top.rest[0]
			top.rest = top.rest[1:]
			visit(to)
		}
	}
	slices.Reverse(g.order)
	g.preds = make([][]int, n)
	for i, k := range g.order {
		g.pos[k] = i
		for _, to := range g.succs[k] {
			g.preds[to] = append(g.preds[to], k)
		}
	}
	g.dominators()
}

// dominators computes idom with the algorithm of Cooper, Harvey and Kennedy (2001).
func (g *graph) dominators() {
	const unknown = -2
	g.idom = make([]int, len(g.order))
	for i := range g.idom {
		g.idom[i] = unknown
	}
	for changed := true; changed; {
		changed = false
		for i, k := range g.order {
			dom := unknown
			if g.entry[k] {
				dom = -1
			}
			for _, p := range g.preds[k] {
				at := g.pos[p]
				if g.idom[at] == unknown {
					continue
				}
				if dom == unknown {
					dom = at
					continue
				}
				for at != dom {
					for at > dom {
						at = g.idom[at]
					}
					for dom > at {
						dom = g.idom[dom]
					}
				}
			}
			if dom != g.idom[i] {
				g.idom[i] = dom
				changed = true
			}
		}
	}
}

// dominates reports whether every path to b goes through a.
func (g *graph) dominates(a, b int) bool {
	at := g.pos[b]
	for at > g.pos[a] {
		at = g.idom[at]
	}
	return at == g.pos[a]
}

// detour moves edges to the dispatcher that go back to a code which does not dominate them: they enter a loop with
// several entries, such as one with a call in it. It reports whether there were any.
func (g *graph) detour() bool {
	found := false
	for _, k := range g.order {
		g.succs[k] = slices.DeleteFunc(g.succs[k], func(to int) bool {
			if g.pos[to] > g.pos[k] || g.dominates(to, k) {
				return false
			}
			g.far[k] = append(g.far[k], to)
			g.entry[to] = true
			found = true
			return true
		})
	}
	return found
}

// findLoops finds the natural loops. The graph is reducible, so any two are disjoint or nested.
func (g *graph) findLoops() {
	n := len(g.f.codes)
	g.loop, g.outer, g.depth = make([]int, n), make([]int, n), make([]int, n)
	for k := range n {
		g.loop[k], g.outer[k] = -1, -1
	}
	// Inner loops come first, because their heads are later in the order.
	for _, head := range slices.Backward(g.order) {
		var work []int
		for _, p := range g.preds[head] {
			if g.pos[p] >= g.pos[head] {
				work = append(work, p)
			}
		}
		if len(work) == 0 {
			continue
		}
		g.loop[head] = head
		for len(work) > 0 {
			k := work[len(work)-1]
			work = work[:len(work)-1]
			if g.loop[k] < 0 {
				g.loop[k] = head
				work = append(work, g.preds[k]...)
				continue
			}
			inner := g.loop[k]
			for g.outer[inner] >= 0 {
				inner = g.outer[inner]
			}
			if inner != head {
				g.outer[inner] = head
				work = append(work, g.preds[inner]...)
			}
		}
	}
	for _, k := range g.order {
		if g.loop[k] == k {
			g.depth[k] = 1
			if g.outer[k] >= 0 {
				g.depth[k] = g.depth[g.outer[k]] + 1
			}
		}
	}
}

// around returns the number of loops around and including an innermost one.
func (g *graph) around(head int) int {
	if head < 0 {
		return 0
	}
	return g.depth[head]
}

// loopItem returns the item that stands for a loop. Items are the elements of a loop or of the function's outermost
// level: a code, with its own number, or an inner loop as a whole, with its head's number plus the number of codes.
func (g *graph) loopItem(head int) int { return len(g.f.codes) + head }

// meet returns the items that contain the two codes in the innermost loop around both, and that loop's head or -1. If
// b is the head itself, the edge goes back.
func (g *graph) meet(a, b int) (itemA, itemB, loop int) {
	itemA, itemB = a, b
	la, lb := g.loop[a], g.loop[b]
	for la != lb {
		if g.around(la) >= g.around(lb) {
			itemA, la = g.loopItem(la), g.outer[la]
		} else {
			itemB, lb = g.loopItem(lb), g.outer[lb]
		}
	}
	return itemA, itemB, la
}
