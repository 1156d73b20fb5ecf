package wasmflow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Go's function table, as described by runtime/symtab.go and runtime/runtime2.go of Go 1.26.
const (
	tableHeaderSize = 72 // of pcHeader: magic, sizes, two counts, an unused word, five offsets
	funcSize        = 44 // of _func, without the offsets that follow it
	funcPCSP        = 16 // in _func: offsets of tables in pctab
	funcPCFile      = 20
	funcPCLine      = 24
	funcNPCData     = 28
)

// tableMagic starts the table: its version, two zeros, the size of the smallest instruction and of a pointer.
var tableMagic = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}

// DropLines returns a module without file names and line numbers. Its stack traces show functions and the offsets in
// them, which identify the line in the same program built with line tables. It makes the engine nearly a tenth
// smaller after compression. The runtime itself treats a table with offset 0 as empty. The module must come from
// Transform, so that its data is contiguous.
func DropLines(file []byte) ([]byte, error) {
	out := bytes.Clone(file)
	r := &reader{b: out, off: len(header)}
	for r.off < len(out) && r.err == nil {
		id := r.byte()
		content := r.take(r.unsigned())
		if id != sectionData || r.err != nil {
			continue
		}
		if err := dropLines(content); err != nil {
			return nil, fmt.Errorf("wasmflow: lines: %w", err)
		}
		return out, nil
	}
	if r.err != nil {
		return nil, fmt.Errorf("wasmflow: lines: %w", r.err)
	}
	return nil, errors.New("wasmflow: lines: no data")
}

var errTable = errors.New("unknown function table: it is not that of Go 1.26")

// dropLines finds the function table in data and clears its line tables.
func dropLines(data []byte) error {
	at := bytes.Index(data, tableMagic)
	if at < 0 || len(data)-at < tableHeaderSize {
		return errors.New("function table not found")
	}
	table := data[at:]
	word := func(i int) int64 { return int64(binary.LittleEndian.Uint64(table[8*i:])) }
	n, pctab, pcln := word(1), word(7), word(8)
	if n < 1 || pctab < tableHeaderSize || pcln < pctab || pcln > int64(len(table)) || n > (int64(len(table))-pcln)/8 {
		return errTable
	}
	tables, funcs := table[pctab:pcln], table[pcln:]
	used := make([]bool, len(tables)) // by the remaining tables
	for i := range n {
		f, err := funcAt(funcs, i)
		if err != nil {
			return err
		}
		u32 := func(off uint32) uint32 { return binary.LittleEndian.Uint32(f[off:]) }
		keep := []uint32{u32(funcPCSP)}
		for k := range u32(funcNPCData) {
			keep = append(keep, u32(funcSize+4*k))
		}
		for _, off := range keep {
			if err := mark(tables, used, off); err != nil {
				return err
			}
		}
		clear(f[funcPCFile : funcPCLine+4])
	}
	for i, u := range used {
		if !u {
			tables[i] = 0
		}
	}
	return nil
}

// funcAt returns the i-th _func, with the offsets that follow it.
func funcAt(funcs []byte, i int64) ([]byte, error) {
	off := int64(binary.LittleEndian.Uint32(funcs[8*i+4:]))
	if off > int64(len(funcs))-funcSize {
		return nil, errTable
	}
	f := funcs[off:]
	if more := int64(binary.LittleEndian.Uint32(f[funcNPCData:])); more > 64 || funcSize+4*more > int64(len(f)) {
		return nil, errTable
	}
	return f, nil
}

// mark marks the table at off: pairs of numbers, ended by a zero in place of the first number of any pair but the
// first.
func mark(tables []byte, used []bool, off uint32) error {
	if off == 0 {
		return nil
	}
	r := &reader{b: tables, off: int(min(uint64(off), uint64(len(tables))))}
	start := r.off
	for first := true; ; first = false {
		value := r.unsigned()
		if value == 0 && !first || r.err != nil {
			break
		}
		r.unsigned()
	}
	if r.err != nil {
		return errTable
	}
	for i := start; i < r.off; i++ {
		used[i] = true
	}
	return nil
}
