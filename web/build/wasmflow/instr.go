package wasmflow

import "fmt"

// Opcodes that the pass interprets. WebAssembly core specification 2.0, 5.4.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opI64Store     = 0x37
	opI32Const     = 0x41
	opI64Const     = 0x42
	opI32Eqz       = 0x45

	voidType = 0x40 // of a block without parameters and results
)

// instr is one instruction.
type instr struct {
	op     byte
	off    int32    // of its opcode in the body
	imm    int64    // the first immediate, if it is a number: index, depth, constant
	imm2   int64    // the second: offset of a load or store, the default of br_table
	labels []uint32 // of br_table, without the default
}

// decode appends a function's instructions to list and returns them with the offset of the first. The list has one
// extra element at its end, with the body's length as its offset.
//
// It knows every instruction that Go's assembler for WebAssembly can write (cmd/internal/obj/wasm/anames.go of Go
// 1.26) and rejects all others: they would come from a compiler that this pass was not made for.
func decode(body []byte, list []instr) (instrs []instr, start int, err error) {
	r := &reader{b: body}
	for range r.unsigned() {
		r.unsigned()
		r.byte()
		if r.err != nil {
			break
		}
	}
	start = r.off
	for r.off < len(body) {
		in := instr{off: int32(r.off)}
		in.op = r.byte()
		switch op := in.op; {
		case op == opBlock, op == opLoop, op == opIf:
			in.imm = int64(r.byte())
		case op == opBr, op == opBrIf, op == opCall, op >= opLocalGet && op <= 0x24: // 0x24: global.set
			in.imm = int64(r.unsigned())
		case op == opBrTable:
			n := r.unsigned()
			if uint64(n) > uint64(len(body)) {
				r.fail(errShort)
				break
			}
			in.labels = make([]uint32, n)
			for i := range in.labels {
				in.labels[i] = r.unsigned()
			}
			in.imm2 = int64(r.unsigned())
		case op == opCallIndirect:
			in.imm = int64(r.unsigned())
			in.imm2 = int64(r.byte())
		case op >= 0x28 && op <= 0x3e: // loads and stores
			in.imm = int64(r.unsigned())
			in.imm2 = int64(r.unsigned())
		case op == 0x3f, op == 0x40: // memory.size, memory.grow
			r.byte()
		case op == opI32Const:
			in.imm = r.signed(32)
		case op == opI64Const:
			in.imm = r.signed(64)
		case op == 0x43: // f32.const
			r.take(4)
		case op == 0x44: // f64.const
			r.take(8)
		case op == 0xfc:
			switch sub := r.unsigned(); {
			case sub <= 7: // saturating truncation
			case sub == 10: // memory.copy
				r.take(2)
			case sub == 11: // memory.fill
				r.take(1)
			default:
				r.fail(fmt.Errorf("unknown opcode 0xfc %d", sub))
			}
		case op <= 0x01, op == opElse, op == opEnd, op == opReturn,
			op == opDrop, op == 0x1b, // select
			op >= opI32Eqz && op <= 0xc4: // comparisons, arithmetic, conversions, sign extension
		default:
			r.fail(fmt.Errorf("unknown opcode %#x", op))
		}
		if r.err != nil {
			return nil, 0, fmt.Errorf("at %#x: %w", in.off, r.err)
		}
		list = append(list, in)
	}
	if r.err != nil {
		return nil, 0, r.err
	}
	return append(list, instr{off: int32(len(body))}), start, nil
}
