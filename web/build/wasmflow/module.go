package wasmflow

import (
	"bytes"
	"errors"
	"fmt"
	"math"
)

// sectionCode is the id of the code section. WebAssembly core specification 2.0, 5.5.2.
const sectionCode = 10

var header = []byte("\x00asm\x01\x00\x00\x00")

var errShort = errors.New("unexpected end of file")

// reader decodes a module or a part of one. After an error all results are zero.
type reader struct {
	b   []byte
	off int
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
		r.off = len(r.b)
	}
}

func (r *reader) byte() byte {
	if r.off >= len(r.b) {
		r.fail(errShort)
		return 0
	}
	r.off++
	return r.b[r.off-1]
}

// unsigned reads a LEB128 number of at most 32 bits.
func (r *reader) unsigned() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if v > math.MaxUint32 {
				break
			}
			return uint32(v)
		}
	}
	r.fail(errors.New("number exceeds 32 bits"))
	return 0
}

// signed reads a signed LEB128 number of at most the given number of bits, 32 or 64.
func (r *reader) signed(bits int) int64 {
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if shift+7 < 64 && c&0x40 != 0 {
			v |= -1 << (shift + 7)
		}
		return v
	}
	r.fail(fmt.Errorf("number exceeds %d bits", bits))
	return 0
}

// take returns the next n bytes. They share memory with the module.
func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.off) {
		r.fail(errShort)
		return nil
	}
	r.off += int(n)
	return r.b[r.off-int(n) : r.off]
}

func appendUnsigned(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendSigned(b []byte, v int64) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// module is a WebAssembly file: what precedes and what follows the contents of its code section, and the function
// bodies, each from its declaration of locals to its last end.
type module struct {
	head, tail []byte // head ends before the code section's id
	bodies     [][]byte
}

func parseModule(file []byte) (*module, error) {
	if !bytes.HasPrefix(file, header) {
		return nil, errors.New("not a WebAssembly module of version 1")
	}
	r := &reader{b: file, off: len(header)}
	m := &module{}
	for r.off < len(file) && r.err == nil {
		start := r.off
		id := r.byte()
		content := r.take(r.unsigned())
		if id != sectionCode || r.err != nil {
			continue
		}
		if m.bodies != nil {
			return nil, errors.New("two code sections")
		}
		m.head, m.tail = file[:start], file[r.off:]
		code := &reader{b: content}
		n := code.unsigned()
		m.bodies = make([][]byte, 0, min(n, uint32(len(content))))
		for range n {
			if code.err != nil {
				break
			}
			m.bodies = append(m.bodies, code.take(code.unsigned()))
		}
		if code.err == nil && code.off < len(content) {
			code.err = errors.New("trailing bytes")
		}
		if code.err != nil {
			return nil, fmt.Errorf("code section: %w", code.err)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if m.bodies == nil {
		return nil, errors.New("no code section")
	}
	return m, nil
}

// append appends the module to b.
func (m *module) append(b []byte) []byte {
	size := 5 // at most, for the number of bodies
	for _, body := range m.bodies {
		size += 5 + len(body)
	}
	code := appendUnsigned(make([]byte, 0, size), uint32(len(m.bodies)))
	for _, body := range m.bodies {
		code = appendUnsigned(code, uint32(len(body)))
		code = append(code, body...)
	}
	b = append(b, m.head...)
	b = append(b, sectionCode)
	b = appendUnsigned(b, uint32(len(code)))
	b = append(b, code...)
	return append(b, m.tail...)
}
