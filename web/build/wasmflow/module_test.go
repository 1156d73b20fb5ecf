package wasmflow

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// file makes a module of function bodies, with sections before and after the code.
func file(bodies ...[]byte) []byte {
	m := &module{head: slices.Concat(header, []byte("\x00\x03\x01ab")), tail: []byte("\x0b\x01\x00\x00\x04\x03xyz"), bodies: bodies}
	return m.append(nil)
}

func TestTransform(t *testing.T) {
	loop := assemble(t, "to@2", "e1", "if@1", "ret", "")
	plainBody := []byte{0, opEnd}
	in := file(loop, plainBody)
	out, stats, err := Transform(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := file(rewrite(t, loop), plainBody); !bytes.Equal(out, want) {
		t.Errorf("got %x\nwant %x", out, want)
	}
	if stats.Functions != 2 || stats.Rewritten != 1 || stats.Loops != 1 || stats.Left[noDispatcher] != 1 || stats.Far+stats.Dispatched != 0 {
		t.Errorf("stats %+v", stats)
	}
	if again, _, err := Transform(in); err != nil || !bytes.Equal(again, out) {
		t.Errorf("a second run gives another result: %v", err)
	}
}

func TestTransformRefuses(t *testing.T) {
	good := file(assemble(t, "e1", "ret", ""))
	for _, test := range []struct {
		name string
		in   []byte
		want string
	}{
		{"nothing", nil, "not a WebAssembly module"},
		{"no code", good[:len(header)+5], "no code section"},
		{"a part", good[:len(good)-1], "unexpected end"},
		{"an opcode that Go does not write", file([]byte{0, 0xd0, 0x70, opEnd}), "function 0: at 0x1: unknown opcode 0xd0"},
		{"an instruction that ends too early", file([]byte{0, opI32Const, 0x80}), "function 0: at 0x1: unexpected end of file"},
		{"a number too large", file([]byte{0, opCall, 0xff, 0xff, 0xff, 0xff, 0x7f, opEnd}), "exceeds 32 bits"},
		{"two code sections", append(file(nil), file(nil)[len(header)+5:]...), "two code sections"},
		{"something else is called like sigpanic", file(
			assemble(t, "e1", "nil", "ret", ""),
			bytes.Replace(assembleAt(t, 1, "e1", "nil", "ret", ""), []byte{opCall, fnSigpanic}, []byte{opCall, fnMore}, 1),
		), "both called like sigpanic"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, _, err := Transform(test.in)
			if err == nil || !strings.Contains(err.Error(), test.want) || out != nil {
				t.Errorf("%d bytes, %v, want %q", len(out), err, test.want)
			}
		})
	}
}

// TestLeft checks functions that look like the compiler's but must not be rewritten.
func TestLeft(t *testing.T) {
	replace := func(body []byte, old, new []byte) []byte {
		t.Helper()
		if bytes.Count(body, old) != 1 {
			t.Fatalf("%x is not once in %x", old, body)
		}
		return bytes.Replace(body, old, new, 1)
	}
	jump := assemble(t, "if@2", "e7 to@3", "e2", "ret", "")
	call := assemble(t, "e1", "e2 call", "ret", "")
	pc := appendSigned([]byte{opI64Const}, firstFunction<<16|2)
	for _, test := range []struct {
		name string
		body []byte
		want string
	}{
		{"a jump to an unknown block number", replace(jump, []byte{opI32Const, 3, opLocalSet}, []byte{opI32Const, 9, opLocalSet}), badJump},
		{"a jump to somewhere else", replace(jump, []byte{opI32Const, 3, opLocalSet, 0, opBr, 3}, []byte{opI32Const, 3, opLocalSet, 0, opBr, 2}), badJump},
		{"a branch out of a code", replace(jump, []byte{opI32Const, 7, opCall, 0}, []byte{opI32Const, 7, opBrIf, 1}), badJump},
		{"the block number is used", replace(jump, []byte{opI32Const, 7}, []byte{opLocalGet, 0}), badLocal},
		{"the block number is set", replace(jump, []byte{opI32Const, 7, opCall, 0}, []byte{opI32Const, 7, opLocalSet, 0}), badLocal},
		{"the block number is set and used", replace(jump, []byte{opI32Const, 7, opCall, 0}, []byte{opI32Const, 7, opLocalTee, 0}), badLocal},
		{"a call that resumes in another function", replace(call, pc, appendSigned([]byte{opI64Const}, (firstFunction+1)<<16|2)), badCall},
		{"a call that resumes elsewhere", replace(call, pc, appendSigned([]byte{opI64Const}, firstFunction<<16|1)), badCall},
		{"blocks with a result", replace(jump, []byte{opLoop, voidType}, []byte{opLoop, 0x7f}), badShape},
		{"a table out of order", replace(jump, []byte{opBrTable, 4, 0, 1, 2, 3, 4}, []byte{opBrTable, 4, 0, 2, 1, 3, 4}), badShape},
		{"a table with a target outside the function", replace(jump, []byte{opBrTable, 4, 0, 1, 2, 3, 4}, []byte{opBrTable, 4, 0, 1, 2, 3, 5}), badShape},
		{"another ending", replace(call, []byte{opEnd, opI32Const, 1, opEnd}, []byte{opEnd, opI32Const, 0, opEnd}), badShape},
		{"another start", replace(call, []byte{opGlobalGet, 0, opLocalSet, 1, opBlock}, []byte{opGlobalGet, 3, opLocalSet, 1, opBlock}), noDispatcher},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, stats, err := Transform(file(test.body))
			if err != nil || stats.Left[test.want] != 1 || !bytes.Equal(out, file(test.body)) {
				t.Errorf("%v, left %v, want one %s", err, stats.Left, test.want)
			}
		})
	}
}

// FuzzModule passes anything to Transform: it must reject it, or return a module that can be parsed and has as many
// functions.
func FuzzModule(f *testing.F) {
	f.Add(file(assemble(f, "to@2", "e1", "if@1", "ret", ""), assemble(f, "more e1", "e2 call", "nil if@1", "ret", "")))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, stats, err := Transform(in)
		if err != nil {
			return
		}
		m, err := parseModule(out)
		if err != nil || len(m.bodies) != stats.Functions {
			t.Errorf("%v: not a module of %d functions", err, stats.Functions)
		}
	})
}
