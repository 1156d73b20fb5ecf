package wasmflow

import (
	"container/heap"
	"slices"
)

// A layout is the order in which the codes of a function are written. The codes of a loop are contiguous with the
// head first, and every edge except those back to a head goes forward.
type layout struct {
	g     *graph
	root  *region
	order []int // all codes

	items   map[int][]int // by loop: its items, without the head
	follows [][]int       // by item: the items of the same loop that must come later
	waits   []int         // by item: how many must come before
	first   []int         // by item: its first code in the compiler's order
}

// A region is the function or a loop in it.
type region struct {
	head  int   // -1: the function
	items []int // in order, without the head
	loops []*region
}

func newLayout(g *graph) *layout {
	n := len(g.f.codes)
	l := &layout{g: g, items: make(map[int][]int), follows: make([][]int, 2*n), waits: make([]int, 2*n), first: make([]int, 2*n)}
	for _, k := range g.order {
		in := g.loop[k]
		l.first[k] = k
		if in == k {
			item := g.loopItem(k)
			l.items[g.outer[k]] = append(l.items[g.outer[k]], item)
			l.first[item] = k
		} else {
			l.items[in] = append(l.items[in], k)
		}
	}
	for _, k := range g.order {
		for in := g.loop[k]; in >= 0; in = g.outer[in] {
			item := g.loopItem(in)
			l.first[item] = min(l.first[item], k)
		}
		for _, to := range g.succs[k] {
			a, b, in := g.meet(k, to)
			if b == in || a == in { // back to the head, or from the head, which is first in any case
				continue
			}
			l.follows[a] = append(l.follows[a], b)
			l.waits[b]++
		}
	}
	l.root = l.arrange(-1)
	return l
}

// arrange orders a loop. It continues with the code that follows the previous one if that is allowed, and otherwise
// with the first in the compiler's order.
func (l *layout) arrange(head int) *region {
	r := &region{head: head}
	if head >= 0 {
		l.order = append(l.order, head)
	}
	ready := &queue{key: l.first}
	for _, item := range l.items[head] {
		if l.waits[item] == 0 {
			heap.Push(ready, item)
		}
	}
	for len(ready.items) > 0 {
		i := 0
		if len(l.order) > 0 {
			i = max(0, slices.Index(ready.items, l.natural(head)))
		}
		item := heap.Remove(ready, i).(int)
		r.items = append(r.items, item)
		if inner := item - len(l.g.f.codes); inner >= 0 {
			r.loops = append(r.loops, l.arrange(inner))
		} else {
			l.order = append(l.order, item)
		}
		for _, to := range l.follows[item] {
			if l.waits[to]--; l.waits[to] == 0 {
				heap.Push(ready, to)
			}
		}
	}
	return r
}

// natural returns the item of a loop that the last written code continues with, or -1.
func (l *layout) natural(head int) int {
	last := l.order[len(l.order)-1]
	to, ok, _ := l.g.next(last)
	if !ok {
		return -1
	}
	_, item, in := l.g.meet(last, to)
	if in != head {
		return -1
	}
	return item
}

// queue is a heap of items.
type queue struct {
	items []int
	key   []int
}

func (q *queue) Len() int           { return len(q.items) }
func (q *queue) Less(i, j int) bool { return q.key[q.items[i]] < q.key[q.items[j]] }
func (q *queue) Swap(i, j int)      { q.items[i], q.items[j] = q.items[j], q.items[i] }
func (q *queue) Push(x any)         { q.items = append(q.items, x.(int)) }
func (q *queue) Pop() any {
	x := q.items[len(q.items)-1]
	q.items = q.items[:len(q.items)-1]
	return x
}
