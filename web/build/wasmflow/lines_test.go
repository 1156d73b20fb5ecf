package wasmflow

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// functionTable makes a table of two functions. Each has a table of stack depths, one of files and one of lines; the
// second function's files share the table of the first function's depths.
func functionTable() (table []byte, tables int) {
	le := binary.LittleEndian
	pctab := []byte{0, 2, 4, 0, 6, 8, 0, 10, 12, 14, 16, 0, 18, 20, 0, 22, 24, 0}
	// at 1: depths of both; at 4: files of the first; at 7: lines of the first; at 12: lines of the second; at 15: of pcdata.
	var funcs []byte
	funcs = le.AppendUint32(le.AppendUint32(funcs, 0), 24)
	funcs = le.AppendUint32(le.AppendUint32(funcs, 100), 24+funcSize+4)
	funcs = append(funcs, make([]byte, 8)...) // the end, whose offset is not used
	for _, f := range [][]uint32{{1, 4, 7, 1, 15}, {1, 1, 12, 0}} {
		b := make([]byte, funcSize)
		for i, v := range f[:4] {
			le.PutUint32(b[funcPCSP+4*i:], v)
		}
		for _, v := range f[4:] {
			b = le.AppendUint32(b, v)
		}
		funcs = append(funcs, b...)
	}
	table = append(table, tableMagic...)
	for _, v := range []uint64{2, 0, 0, tableHeaderSize, tableHeaderSize, tableHeaderSize, tableHeaderSize, uint64(tableHeaderSize + len(pctab))} {
		table = le.AppendUint64(table, v)
	}
	return slices.Concat(table, pctab, funcs), len(table)
}

func TestDropLines(t *testing.T) {
	table, tables := functionTable()
	section, _ := dataSection(segment{4096, slices.Concat([]byte("before"), table, []byte("behind"))})
	in := slices.Concat(header, section)
	kept := slices.Clone(in)
	out, err := DropLines(in)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(in, kept) || len(out) != len(in) {
		t.Error("the input or its size was changed")
	}
	got := out[bytes.Index(out, tableMagic):]
	if want := []byte{0, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 22, 24, 0}; !bytes.Equal(got[tables:tables+len(want)], want) {
		t.Errorf("tables %v, want %v", got[tables:tables+len(want)], want)
	}
	want := slices.Clone(table)
	copy(want[tables:], got[tables:tables+18])
	for _, f := range []int{tables + 18 + 24, tables + 18 + 24 + funcSize + 4} {
		clear(want[f+funcPCFile : f+funcPCLine+4])
	}
	if !bytes.Equal(got[:len(want)], want) || !bytes.Equal(got[len(want):], []byte("behind")) {
		t.Error("more than lines was changed")
	}
	if again, err := DropLines(out); err != nil || !bytes.Equal(again, out) {
		t.Errorf("a second run gives another result: %v", err)
	}
}

func TestDropLinesRefuses(t *testing.T) {
	le := binary.LittleEndian
	for _, test := range []struct {
		name, want string
		spoil      func(table []byte) []byte
	}{
		{"none", "not found", func(table []byte) []byte { return table[1:] }},
		{"only its beginning", "not found", func(table []byte) []byte { return table[:40] }},
		{"too many functions", "not that of Go", func(table []byte) []byte { le.PutUint64(table[8:], 1<<40); return table }},
		{"tables behind the end", "not that of Go", func(table []byte) []byte { le.PutUint64(table[64:], 1<<40); return table }},
		{"a function behind the end", "not that of Go", func(table []byte) []byte { le.PutUint32(table[90+4:], 1<<30); return table }},
		{"a table behind the end", "not that of Go", func(table []byte) []byte { le.PutUint32(table[90+24+funcPCSP:], 17); return table }},
		{"a table far away", "not that of Go", func(table []byte) []byte { le.PutUint32(table[90+24+funcPCSP:], 1<<31); return table }},
		{"very many tables", "not that of Go", func(table []byte) []byte { le.PutUint32(table[90+24+funcNPCData:], 1<<31); return table }},
	} {
		t.Run(test.name, func(t *testing.T) {
			table, _ := functionTable()
			if test.name == "a table behind the end" {
				table[72+17] = 1 // so that it has no end
			}
			section, _ := dataSection(segment{0, test.spoil(table)})
			if out, err := DropLines(slices.Concat(header, section)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%d bytes, %v, want %q", len(out), err, test.want)
			}
		})
	}
	if _, err := DropLines(header); err == nil {
		t.Error("a module without data was accepted")
	}
}
