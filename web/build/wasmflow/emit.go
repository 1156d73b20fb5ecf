package wasmflow

import "slices"

// A step is what is written for a part of a code, once it is known which code follows.
type step struct {
	piece piece // plain and unwind as they are; branch and jump go to label
	to    int   // branch, jump: the code
	label int   // branch, jump: see emitter.labels
	drop  bool  // branch: drop the condition and fall through
	not   bool  // branch: jump if the condition is zero
	trap  bool
}

// emitter writes a function.
type emitter struct {
	g      *graph
	l      *layout
	steps  [][]step // by code
	marked []bool   // by label: it is a branch target
	number []int    // by code: the lowest block number that the dispatcher sends to it
	labels []int    // open blocks, the innermost last
	out    []byte
}

// Labels are numbers: an item's number is the position before it; twice the number of codes plus a head is the start
// of its loop; and there are three more.
func (e *emitter) back(head int) int { return 2*len(e.g.f.codes) + head }
func (e *emitter) trap() int         { return 3 * len(e.g.f.codes) }
func (e *emitter) dispatcher() int   { return 3*len(e.g.f.codes) + 1 }
func (e *emitter) unwind() int       { return 3*len(e.g.f.codes) + 2 }

// emit appends the function's body to out.
func emit(l *layout, out []byte) []byte {
	n := len(l.g.f.codes)
	e := &emitter{g: l.g, l: l, steps: make([][]step, n), marked: make([]bool, 3*n+3), number: make([]int, n), out: out}
	for pc, k := range slices.Backward(e.g.f.table) {
		e.number[k] = pc
	}
	for i, k := range l.order {
		next := -1
		if i+1 < len(l.order) {
			next = l.order[i+1]
		}
		e.lower(k, next)
	}
	table := e.table()

	e.out = append(e.out, e.g.f.body[:e.g.f.start]...)
	if e.marked[e.unwind()] {
		e.open(opBlock, e.unwind())
	}
	if e.marked[e.dispatcher()] {
		e.open(opLoop, e.dispatcher())
	}
	if e.marked[e.trap()] {
		e.open(opBlock, e.trap())
	}
	e.region(l.root, table)
	if e.marked[e.trap()] {
		e.close()
	}
	if e.marked[e.dispatcher()] {
		e.close()
	}
	e.out = append(e.out, opUnreachable)
	if e.marked[e.unwind()] {
		e.close()
		e.out = append(e.out, opI32Const, 1)
	}
	return append(e.out, opEnd)
}

// lower determines the steps of a code that is followed by another, -1 if it is the last, and marks the labels used.
func (e *emitter) lower(k, next int) {
	c := &e.g.f.codes[k]
	pieces := c.pieces
	to, goes, trapped := e.g.next(k)
	if n := len(pieces); n > 0 && pieces[n-1].kind == jump {
		pieces = pieces[:n-1]
	}
	steps := make([]step, 0, len(pieces)+1)
	for i, p := range pieces {
		s := step{piece: p}
		switch p.kind {
		case unwind:
			e.marked[e.unwind()] = true
		case branch:
			s.to = e.g.to[p.to]
			if i+1 == len(pieces) && goes {
				switch s.to {
				case to:
					s.drop = true
				case next:
					s.to, to, s.not = to, next, true
				}
			}
			if !s.drop {
				s.label = e.mark(k, s.to)
			}
		}
		steps = append(steps, s)
	}
	switch {
	case goes && to != next:
		steps = append(steps, step{piece: piece{kind: jump}, to: to, label: e.mark(k, to)})
	case trapped && next >= 0:
		steps = append(steps, step{trap: true})
	}
	e.steps[k] = steps
}

// mark returns the label of a jump from one code to another, and marks it as used.
func (e *emitter) mark(from, to int) int {
	_, label, loop := e.g.meet(from, to)
	switch {
	case slices.Contains(e.g.far[from], to):
		label = e.dispatcher()
	case label == loop:
		label = e.back(loop)
	}
	e.marked[label] = true
	return label
}

// table returns the labels of the dispatcher by block number; the last is for all higher numbers too. It returns nil
// if the function is only entered at its start.
func (e *emitter) table() []int {
	f, start := e.g.f, e.g.to[0]
	needed := false
	for k, entry := range e.g.entry {
		needed = needed || entry && k != start
	}
	if !needed {
		return nil
	}
	table := make([]int, len(f.table))
	for pc, k := range f.table {
		to := e.g.to[k]
		switch {
		case !e.g.entry[to]:
			table[pc] = e.trap()
		case e.g.loop[to] == to:
			table[pc] = e.g.loopItem(to)
		default:
			table[pc] = to
		}
		e.marked[table[pc]] = true
	}
	for len(table) > 1 && table[len(table)-1] == table[len(table)-2] {
		table = table[:len(table)-1]
	}
	return table
}

func (e *emitter) open(op byte, label int) {
	e.out = append(e.out, op, voidType)
	e.labels = append(e.labels, label)
}

func (e *emitter) close() {
	e.out = append(e.out, opEnd)
	e.labels = e.labels[:len(e.labels)-1]
}

// away returns the number of open blocks inside the block of a label.
func (e *emitter) away(label int) uint32 {
	for i, l := range slices.Backward(e.labels) {
		if l == label {
			return uint32(len(e.labels) - 1 - i)
		}
	}
	panic("wasmflow: a branch to a label that is not open")
}

// region writes the contents of a loop or of the function. All blocks that end in it begin at its start, as in the
// compiler's output.
func (e *emitter) region(r *region, table []int) {
	for _, item := range slices.Backward(r.items) {
		if e.marked[item] {
			e.open(opBlock, item)
		}
	}
	if table != nil {
		e.out = append(e.out, opLocalGet, 0, opBrTable)
		e.out = appendUnsigned(e.out, uint32(len(table)-1))
		for _, label := range table {
			e.out = appendUnsigned(e.out, e.away(label))
		}
	}
	if r.head >= 0 {
		e.code(r.head)
	}
	loops := r.loops
	for _, item := range r.items {
		if e.marked[item] {
			e.close()
		}
		if item < len(e.g.f.codes) {
			e.code(item)
			continue
		}
		e.open(opLoop, e.back(loops[0].head))
		e.region(loops[0], nil)
		e.close()
		loops = loops[1:]
	}
}

// code writes a code.
func (e *emitter) code(k int) {
	negate := false
	for _, s := range e.steps[k] {
		switch {
		case s.trap:
			e.out = append(e.out, opUnreachable)
		case s.drop:
			e.out = append(e.out, opDrop)
		case s.piece.kind == plain:
			e.out = append(e.out, e.g.f.body[s.piece.lo:s.piece.hi]...)
		case s.piece.kind == unwind:
			e.out = append(e.out, opBrIf)
			e.out = appendUnsigned(e.out, e.away(e.unwind())+uint32(s.piece.depth))
		default:
			op := byte(opBr)
			if s.piece.kind == branch {
				op = opBrIf
			}
			if s.not && negate {
				e.out = e.out[:len(e.out)-1]
			} else if s.not {
				e.out = append(e.out, opI32Eqz)
			}
			if s.label == e.dispatcher() {
				e.out = append(e.out, opI32Const)
				e.out = appendSigned(e.out, int64(e.number[s.to]))
				e.out = append(e.out, opLocalSet, 0)
			}
			e.out = append(e.out, op)
			e.out = appendUnsigned(e.out, e.away(s.label))
		}
		negate = s.piece.kind == plain && s.piece.negate && !s.trap
	}
}
