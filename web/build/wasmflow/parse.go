package wasmflow

import "slices"

// firstFunction is the number of the code section's first function in Go's program counters.
// cmd/link/internal/wasm/asm.go: funcValueOffset.
const firstFunction = 0x1000

// A function is a parsed function that Go compiled with a dispatcher.
type function struct {
	body    []byte
	start   int32  // where the body continues after the declaration of locals and the prologue, which sets the local SP
	unwinds bool   // it has the block that returns 1
	table   []int  // the code of each block number; the last is for all higher numbers too
	codes   []code // in the compiler's order
}

// A code is the instructions between two ends of dispatcher blocks. The compiler's basic blocks start at its start,
// and calls return there. The WebAssembly stack is empty at both its ends.
type code struct {
	pieces []piece
	falls  bool // its end is reachable; then the next code runs, or a trap after the last one
	resume bool // it can be entered from outside the function
}

type pieceKind byte

const (
	plain  pieceKind = iota // instructions to copy
	unwind                  // br_if to the block that returns 1
	branch                  // pops a condition: a jump if it is not zero
	jump
)

// A piece is a part of a code.
type piece struct {
	kind   pieceKind
	lo, hi int32 // plain: its range in the body
	negate bool  // plain: its last instruction is i32.eqz
	depth  int   // unwind: number of the code's own blocks open there
	to     int   // branch, jump: a code
}

// Reasons why a function is not rewritten.
const (
	noDispatcher = "without a dispatcher"
	badShape     = "of unknown shape"
	badJump      = "with an unknown branch"
	badCall      = "with an unknown call"
	badLocal     = "using the block number"
)

// parser is the state of parsing a function.
type parser struct {
	f        *function
	index    int // of the function in the code section
	in       []instr
	loop     bool // the dispatcher is in a loop
	last     int  // the last code
	sigpanic []int64
}

// parse parses a function. If the function cannot be rewritten, why is the reason. sigpanic lists the functions
// called at points where the function is not resumed.
func parse(body []byte, index int, scratch []instr) (f *function, sigpanic []int64, why string, in []instr, err error) {
	in, first, err := decode(body, scratch)
	if err != nil {
		return nil, nil, "", in, err
	}
	p := &parser{f: &function{body: body}, index: index, in: in}
	at, why := p.dispatcher(first)
	if why == "" {
		why = p.codes(at)
	}
	if why != "" {
		return nil, nil, why, in, nil
	}
	return p.f, p.sigpanic, "", in, nil
}

// is reports whether the instructions at i have these opcodes.
func (p *parser) is(i int, ops ...byte) bool {
	if i < 0 || i+len(ops) >= len(p.in) {
		return false
	}
	for j, op := range ops {
		if p.in[i+j].op != op {
			return false
		}
	}
	return true
}

// dispatcher parses what precedes the first code and returns the index of that code's first instruction.
func (p *parser) dispatcher(first int) (at int, why string) {
	in := p.in
	if !p.is(0, opGlobalGet, opLocalSet) || in[0].imm != 0 || in[1].imm != 1 {
		return 0, noDispatcher
	}
	i, outer, inner := 2, 0, 0
	for p.is(i, opBlock) {
		i++
		inner++
	}
	if p.is(i, opLoop) {
		p.loop = true
		i++
		outer, inner = inner, 0
		for p.is(i, opBlock) {
			i++
			inner++
		}
	}
	if !p.is(i, opLocalGet, opBrTable, opEnd) || in[i].imm != 0 {
		return 0, noDispatcher
	}
	for _, in := range in[2:i] {
		if in.imm != voidType {
			return 0, badShape
		}
	}
	p.f.start = in[2].off
	p.last = int(in[i+1].imm2)
	if !p.loop {
		outer = inner - (p.last + 1)
		inner = p.last + 1
	}
	if outer < 0 || outer > 1 || inner != p.last+1 {
		return 0, badShape
	}
	p.f.unwinds = outer == 1
	for _, to := range in[i+1].labels {
		if int64(to) > in[i+1].imm2 {
			return 0, badShape
		}
		p.f.table = append(p.f.table, int(to))
	}
	p.f.table = append(p.f.table, p.last)
	// Every code has a number, and the numbers increase with the codes.
	if p.f.table[0] != 0 || !slices.IsSorted(p.f.table) || len(slices.Compact(slices.Clone(p.f.table))) != p.last+1 {
		return 0, badShape
	}
	return i + 3, ""
}

// codes parses the codes and what follows them.
func (p *parser) codes(i int) (why string) {
	in := p.in
	p.f.codes = make([]code, p.last+1)
	k, depth := 0, 0 // the code, and the number of its own open blocks
	c := &p.f.codes[0]
	from, begin := i, i // of the plain piece, of the code
	var opened byte     // opcode of the outermost of its own blocks
	copyTo := func(i int) {
		if i > from {
			c.pieces = append(c.pieces, piece{kind: plain, lo: in[from].off, hi: in[i].off, negate: in[i-1].op == opI32Eqz})
		}
	}
	for ; ; i++ {
		if i >= len(in)-1 {
			return badShape
		}
		open := p.last - k // open dispatcher blocks
		switch op := in[i].op; op {
		case opBlock, opLoop, opIf:
			if depth == 0 && op == opIf && in[i].imm == voidType && p.is(i+1, opI32Const, opLocalSet, opBr, opEnd) &&
				p.isJump(i+1, open+1) {
				copyTo(i)
				c.pieces = append(c.pieces, piece{kind: branch, to: p.f.table[in[i+1].imm]})
				i += 4
				from = i + 1
				continue
			}
			if depth == 0 {
				opened = op
			}
			depth++
		case opEnd:
			if depth > 0 {
				depth--
				continue
			}
			if k == p.last {
				return p.epilogue(i, begin, from, c, copyTo)
			}
			copyTo(i)
			c.falls = i == begin || !leaves(in[i-1].op)
			k++
			c = &p.f.codes[k]
			from, begin = i+1, i+1
		case opI32Const:
			if depth > 0 || !p.is(i, opI32Const, opLocalSet, opBr) || in[i+1].imm != 0 {
				continue
			}
			if !p.isJump(i, open) || !p.is(i+3, opEnd) {
				return badJump
			}
			copyTo(i)
			c.pieces = append(c.pieces, piece{kind: jump, to: p.f.table[in[i].imm]})
			i += 2
			from = i + 1
		case opBr, opBrIf:
			if in[i].imm < int64(depth) {
				continue
			}
			if !p.isUnwind(i, depth+open) {
				return badJump
			}
			call, to, ok := p.call(i)
			if !ok {
				return badCall
			}
			if depth > 0 {
				// An if contains only calls of morestack, after which the function restarts, and of sigpanic, which
				// does not return.
				if depth > 1 || opened != opIf {
					return badCall
				}
				if p.f.table[to] != 0 {
					if in[call].op != opCall {
						return badCall
					}
					p.sigpanic = append(p.sigpanic, in[call].imm)
				}
			} else {
				// After a recovered panic the function resumes before its call of deferreturn, which looks like any
				// other call.
				if p.f.table[to] != k+1 || !p.is(i+1, opEnd) {
					return badCall
				}
				c.resume = true
				p.f.codes[k+1].resume = true
			}
			copyTo(i)
			c.pieces = append(c.pieces, piece{kind: unwind, depth: depth})
			from = i + 1
		case opBrTable:
			for _, to := range append(in[i].labels, uint32(in[i].imm2)) {
				if int64(to) >= int64(depth) {
					return badJump
				}
			}
		case opLocalGet:
			// Indirect calls use it as a temporary for the function's number.
			if in[i].imm == 0 && !(i >= begin+2 && p.is(i-2, opLocalSet, opI32Const, opLocalGet, opCallIndirect) &&
				in[i-2].imm == 0) {
				return badLocal
			}
		case opLocalSet:
			if in[i].imm == 0 && !p.is(i+1, opI32Const, opLocalGet, opCallIndirect) {
				return badLocal
			}
		case opLocalTee:
			if in[i].imm == 0 {
				return badLocal
			}
		}
	}
}

// epilogue parses what follows the last code, whose end is at i.
func (p *parser) epilogue(i, begin, from int, c *code, copyTo func(int)) (why string) {
	end := i
	if p.loop {
		// That end was the loop's.
		if !p.is(i+1, opUnreachable, opEnd) {
			return badShape
		}
		i += 2
		c.falls = end == begin || !leaves(p.in[end-1].op)
	} else {
		if end == begin || p.in[end-1].op != opUnreachable {
			return badShape
		}
		end--
		c.falls = end == begin || !leaves(p.in[end-1].op)
	}
	if end > from {
		copyTo(end)
	}
	if p.f.unwinds {
		if !p.is(i+1, opI32Const, opEnd) || p.in[i+1].imm != 1 {
			return badShape
		}
		i += 2
	}
	if i != len(p.in)-2 {
		return badShape
	}
	p.f.codes[0].resume = true
	return ""
}

// isJump reports whether the three instructions at i set a block number and branch to the dispatcher, whose loop is
// depth blocks away.
func (p *parser) isJump(i, depth int) bool {
	in := p.in
	return p.loop && in[i].imm >= 0 && in[i].imm < int64(len(p.f.table)) && in[i+1].imm == 0 && in[i+2].imm == int64(depth)
}

// isUnwind reports whether the branch at i goes to the block that returns 1. depth is the distance of the loop, or of
// what replaces it.
func (p *parser) isUnwind(i, depth int) bool {
	if p.loop {
		depth++
	}
	return p.f.unwinds && p.in[i].op == opBrIf && p.in[i].imm == int64(depth)
}

// leaves reports whether control never continues after an instruction.
func leaves(op byte) bool {
	return op == opUnreachable || op == opBr || op == opReturn
}

// call finds the call before the unwinding branch at i, and the block number at which the function resumes after it.
// The call leaves that number on Go's stack; it must be stored as the compiler stores it, and be for this function.
func (p *parser) call(i int) (call, to int, ok bool) {
	const i32WrapI64, i64ShrU = 0xa7, 0x88
	call = i - 3
	var store int // where the constant is stored
	switch {
	case p.is(i-6, opI64Const, opI64Store, opI32Const, opCall, opGlobalGet, opLocalSet):
		store = i - 6
	case p.is(i-11, opI64Const, opI64Store, opI64Const, i64ShrU, i32WrapI64, opLocalSet, opI32Const, opLocalGet,
		opCallIndirect, opGlobalGet, opLocalSet):
		store = i - 11
	default:
		return 0, 0, false
	}
	pc := p.in[store].imm
	to = int(pc & 0xffff)
	return call, to, p.in[store+1].imm2 == 0 && pc>>16 == int64(firstFunction+p.index) && to < len(p.f.table)
}
