package wasmflow

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// Functions that the test programs call.
const (
	fnEffect   = iota // (i32), adds an event to the trace
	fnAsk             // () i32, a random condition
	fnGo              // (i32) i32, a Go function that unwinds at random
	fnSigpanic        // (i32) i32, unwinds and is never resumed
	fnMore            // (i32) i32, morestack: unwinds or not, and the function restarts
)

// assemble writes a function like Go's compiler, one string for each code, in words:
//
//	eN       an effect
//	if@K     go to code K if a condition holds; ifnot@K if it does not
//	to@K     go to code K
//	call     call a Go function and resume in the next code; icall by its address
//	nil      a check that calls sigpanic; more in code 0 one that calls morestack
//	ret      return
//	trap     crash
func assemble(t testing.TB, codes ...string) []byte {
	t.Helper()
	return assembleAt(t, 0, codes...)
}

// assembleAt is assemble for a function with an index other than 0.
func assembleAt(t testing.TB, index int, codes ...string) []byte {
	t.Helper()
	last := len(codes) - 1
	first := make([]int, len(codes)) // block number by code
	var table []int
	for k, code := range codes {
		first[k] = len(table)
		table = append(table, k)
		for range strings.Count(code, "nil") {
			table = append(table, k)
		}
	}
	all := strings.Join(codes, " ")
	loop := strings.Contains(all, "@")
	unwinds := strings.Contains(all, "call") || strings.Contains(all, "nil") || strings.Contains(all, "more")

	b := []byte{1, 1, 0x7f, opGlobalGet, 0, opLocalSet, 1}
	if unwinds {
		b = append(b, opBlock, voidType)
	}
	if loop {
		b = append(b, opLoop, voidType)
	}
	for range codes {
		b = append(b, opBlock, voidType)
	}
	b = append(b, opLocalGet, 0, opBrTable)
	b = appendUnsigned(b, uint32(len(table)-1))
	for _, k := range table {
		b = appendUnsigned(b, uint32(k))
	}
	b = append(b, opEnd)
	for k, code := range codes {
		open := last - k
		out := open // of the block that returns 1
		if loop {
			out++
		}
		pc := first[k]
		for word := range strings.FieldsSeq(code) {
			op, arg, _ := strings.Cut(word, "@")
			to, _ := strconv.Atoi(arg)
			jump := func(depth int) {
				b = appendSigned(append(b, opI32Const), int64(first[to]))
				b = append(b, opLocalSet, 0)
				b = appendUnsigned(append(b, opBr), uint32(depth))
			}
			leave := func(fn, after, depth int) {
				b = append(b, opLocalGet, 1, opI64Const)
				b = appendSigned(b, int64((firstFunction+index)<<16|after))
				b = append(b, opI64Store, 3, 0)
				if fn < 0 {
					b = append(b, opI64Const, 16, 0x88, 0xa7, opLocalSet, 0, opI32Const, 0, opLocalGet, 0, opCallIndirect, 0, 0)
				} else {
					b = append(b, opI32Const, 0, opCall, byte(fn))
				}
				b = append(b, opGlobalGet, 0, opLocalSet, 1, opBrIf)
				b = appendUnsigned(b, uint32(depth))
			}
			switch {
			case op == "if", op == "ifnot":
				b = append(b, opCall, fnAsk)
				if op == "ifnot" {
					b = append(b, opI32Eqz)
				}
				b = append(b, opIf, voidType)
				jump(open + 1)
				b = append(b, opEnd)
			case op == "to":
				jump(open)
			case op == "call":
				leave(fnGo, first[k+1], out)
			case op == "icall":
				b = append(b, opI64Const, 0)
				leave(-1, first[k+1], out)
			case op == "nil":
				pc++
				b = append(b, opCall, fnAsk, opIf, voidType)
				leave(fnSigpanic, pc-1, out+1)
				b = append(b, opEnd)
			case op == "more":
				b = append(b, opCall, fnAsk, opIf, voidType)
				leave(fnMore, 0, out+1)
				b = append(b, opEnd)
			case op == "ret":
				b = append(b, opI32Const, 0, opReturn)
			case op == "trap":
				b = append(b, opUnreachable)
			case op[0] == 'e':
				n, err := strconv.Atoi(op[1:])
				if err != nil {
					t.Fatalf("word %q", word)
				}
				b = append(appendSigned(append(b, opI32Const), int64(n)), opCall, fnEffect)
			default:
				t.Fatalf("word %q", word)
			}
		}
		if k < last || loop {
			b = append(b, opEnd)
		}
	}
	b = append(b, opUnreachable)
	if unwinds {
		b = append(b, opEnd, opI32Const, 1)
	}
	return append(b, opEnd)
}

// rewrite does what Transform does with one function.
func rewrite(t testing.TB, body []byte) []byte {
	t.Helper()
	f, _, why, _, err := parse(body, 0, nil)
	if err != nil || why != "" {
		t.Fatalf("parse: %v, function %s\n%s", err, why, disassemble(t, body))
	}
	return emit(newLayout(newGraph(f)), nil)
}

// disassemble returns the essential instructions of a function as text, one per line, without the preparation of
// calls.
func disassemble(t testing.TB, body []byte) string {
	t.Helper()
	in, _, err := decode(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	depth := 0
	for _, in := range in[2 : len(in)-1] {
		text := ""
		switch in.op {
		case opBlock:
			text = "block"
		case opLoop:
			text = "loop"
		case opIf:
			text = "if"
		case opEnd:
			text = "end"
			depth--
		case opBr:
			text = fmt.Sprint("br ", in.imm)
		case opBrIf:
			text = fmt.Sprint("br_if ", in.imm)
		case opBrTable:
			text = fmt.Sprint("br_table ", append(in.labels, uint32(in.imm2)))
		case opCall:
			text = [...]string{"effect", "ask", "call", "sigpanic", "morestack"}[in.imm]
		case opCallIndirect:
			text = "icall"
		case opI32Const:
			text = fmt.Sprint("const ", in.imm)
		case opLocalSet:
			if in.imm == 0 {
				text = "set pc"
			}
		case opLocalGet:
			if in.imm == 0 {
				text = "get pc"
			}
		case opI32Eqz:
			text = "eqz"
		case opReturn:
			text = "return"
		case opUnreachable:
			text = "trap"
		case opDrop:
			text = "drop"
		}
		if text != "" && depth >= 0 {
			fmt.Fprintf(&b, "%s%s\n", strings.Repeat("  ", depth), text)
		}
		if in.op == opBlock || in.op == opLoop || in.op == opIf {
			depth++
		}
	}
	return b.String()
}

// A machine runs the functions of these tests. It is strict: it fails on anything that WebAssembly's validation would
// reject.
type machine struct {
	t      testing.TB
	chance *rand.Rand
	trace  []string
	pc     int64 // as the last call left it on Go's stack
	ended  bool  // the goroutine is not resumed after this unwinding
}

// maxTrace is the number of events after which a program that may not end is stopped.
const maxTrace = 300

// run runs a goroutine: it enters a function at block 0 and resumes it after each unwinding.
func (m *machine) run(body []byte) []string {
	in, _, err := decode(body, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	match := make([]int, len(in)) // index of the end by that of the start
	var open []int
	for i, x := range in[:len(in)-1] {
		switch x.op {
		case opBlock, opLoop, opIf:
			open = append(open, i)
		case opEnd:
			if len(open) > 0 {
				match[open[len(open)-1]] = i
				open = open[:len(open)-1]
			}
		}
	}
	pc := int64(0)
	for len(m.trace) < maxTrace {
		result, ok := m.enter(in[:len(in)-1], match, pc)
		if !ok || result == 0 || m.ended {
			break
		}
		// After a recovered panic a function resumes at the call instead of after it.
		pc = m.pc & 0xffff
		if pc > 0 && m.chance.IntN(4) == 0 {
			pc--
			m.note("recovered")
		}
	}
	return m.trace
}

func (m *machine) note(format string, args ...any) {
	m.trace = append(m.trace, fmt.Sprintf(format, args...))
}

// enter runs the function once. ok is false if it crashed or ran too long.
func (m *machine) enter(in []instr, match []int, pc int64) (result int64, ok bool) {
	type control struct{ start, end, height int }
	locals := [2]int64{pc, 0}
	var stack []int64
	var blocks []control
	pop := func() int64 {
		if len(stack) == 0 {
			m.t.Fatal("pop from an empty stack")
		}
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		return v
	}
	i := 0
	branch := func(depth int) {
		if depth >= len(blocks) {
			m.t.Fatalf("branch %d with %d blocks open", depth, len(blocks))
		}
		b := blocks[len(blocks)-1-depth]
		blocks = blocks[:len(blocks)-1-depth]
		stack = stack[:b.height]
		i = b.end
		if in[b.start].op == opLoop {
			i = b.start - 1
		}
	}
	for steps := 0; ; i, steps = i+1, steps+1 {
		if steps > 100_000 || len(m.trace) >= maxTrace {
			return 0, false
		}
		if i == len(in) {
			m.t.Fatal("ran past the end")
		}
		x := in[i]
		switch x.op {
		case opBlock, opLoop:
			blocks = append(blocks, control{i, match[i], len(stack)})
		case opIf:
			if pop() != 0 {
				blocks = append(blocks, control{i, match[i], len(stack)})
			} else {
				i = match[i]
			}
		case opEnd:
			if len(blocks) == 0 {
				return pop(), true
			}
			if len(stack) != blocks[len(blocks)-1].height {
				m.t.Fatal("the stack is not empty at a block's end")
			}
			blocks = blocks[:len(blocks)-1]
		case opBr:
			branch(int(x.imm))
		case opBrIf:
			if pop() != 0 {
				branch(int(x.imm))
			}
		case opBrTable:
			n, to := pop(), x.imm2
			if n < int64(len(x.labels)) {
				to = int64(x.labels[n])
			}
			branch(int(to))
		case opReturn:
			return pop(), true
		case opUnreachable:
			m.note("trap")
			return 0, false
		case opI32Const, opI64Const:
			stack = append(stack, x.imm)
		case opI32Eqz:
			v := int64(0)
			if pop() == 0 {
				v = 1
			}
			stack = append(stack, v)
		case opDrop:
			pop()
		case opLocalGet:
			stack = append(stack, locals[x.imm])
		case opLocalSet:
			locals[x.imm] = pop()
		case opGlobalGet:
			stack = append(stack, 0)
		case 0x88: // i64.shr_u
			by := pop()
			stack = append(stack, int64(uint64(pop())>>by))
		case 0xa7: // i32.wrap_i64
		case opI64Store:
			m.pc = pop()
			pop()
		case opCall, opCallIndirect:
			fn := int64(fnGo)
			if x.op == opCall {
				fn = x.imm
			} else {
				pop()
			}
			switch fn {
			case fnEffect:
				m.note("effect %d", pop())
			case fnAsk:
				v := m.chance.Int64N(2)
				m.note("condition %d", v)
				stack = append(stack, v)
			default:
				if arg := pop(); arg != 0 {
					m.t.Fatalf("a function is entered at block %d", arg)
				}
				v := int64(1)
				if fn != fnSigpanic {
					v = m.chance.Int64N(2)
				}
				m.ended = fn == fnSigpanic
				m.note("function %d returns %d, %#x on the stack", fn, v, m.pc)
				stack = append(stack, v)
			}
		default:
			m.t.Fatalf("the machine does not know opcode %#x", x.op)
		}
	}
}
