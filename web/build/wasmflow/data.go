package wasmflow

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Section ids concerning data. WebAssembly core specification 2.0, 5.5.2.
const (
	sectionData      = 11
	sectionDataCount = 12
)

// maxGap is the largest number of zeros that is written to join two segments. Go's linker omits each run of eight
// zeros, which makes tens of thousands of segments. The position of each segment is a number that no compressor can
// predict, while a run of zeros costs next to nothing.
const maxGap = 1024

// segment is initial data of the memory. 5.5.14 of the specification.
type segment struct {
	off   int64
	bytes []byte
}

// joinData returns the sections after the code with the data segments sorted by position and adjacent ones joined.
// Memory is zero before the segments are copied to it, so the result is the same if no segments overlap.
func joinData(tail []byte) ([]byte, error) {
	r := &reader{b: tail}
	for r.off < len(tail) && r.err == nil {
		start := r.off
		id := r.byte()
		content := r.take(r.unsigned())
		switch {
		case r.err != nil:
		case id == sectionDataCount:
			return nil, errors.New("there is a data count section")
		case id == sectionData:
			joined, err := joinSegments(content)
			if err != nil {
				return nil, fmt.Errorf("data section: %w", err)
			}
			out := append(make([]byte, 0, len(tail)+len(joined)), tail[:start]...)
			out = append(out, sectionData)
			out = appendUnsigned(out, uint32(len(joined)))
			out = append(out, joined...)
			return append(out, tail[r.off:]...), nil
		}
	}
	return tail, r.err
}

func joinSegments(content []byte) ([]byte, error) {
	r := &reader{b: content}
	n := r.unsigned()
	list := make([]segment, 0, min(n, uint32(len(content))))
	for range n {
		if flags := r.unsigned(); flags != 0 && r.err == nil {
			return nil, fmt.Errorf("unknown segment kind %d", flags)
		}
		if op := r.byte(); op != opI32Const && r.err == nil {
			return nil, fmt.Errorf("segment position starts with opcode 0x%x", op)
		}
		s := segment{off: r.signed(32) & 0xffffffff}
		if op := r.byte(); op != opEnd && r.err == nil {
			return nil, fmt.Errorf("segment position continues with opcode 0x%x", op)
		}
		if s.bytes = r.take(r.unsigned()); r.err != nil {
			return nil, r.err
		}
		list = append(list, s)
	}
	if r.err == nil && r.off < len(content) {
		return nil, errors.New("trailing bytes")
	}
	slices.SortStableFunc(list, func(a, b segment) int { return cmp.Compare(a.off, b.off) })
	var joined []segment
	end := int64(0)
	for _, s := range list {
		gap := s.off - end
		if gap < 0 {
			return nil, fmt.Errorf("the segment at 0x%x overlaps another one", s.off)
		}
		end = s.off + int64(len(s.bytes))
		if k := len(joined); k > 0 && gap <= maxGap {
			last := &joined[k-1]
			last.bytes = append(append(last.bytes, make([]byte, gap)...), s.bytes...)
			continue
		}
		s.bytes = append([]byte(nil), s.bytes...)
		joined = append(joined, s)
	}
	out := appendUnsigned(make([]byte, 0, len(content)), uint32(len(joined)))
	for _, s := range joined {
		out = append(appendSigned(append(out, 0, opI32Const), int64(int32(s.off))), opEnd)
		out = append(appendUnsigned(out, uint32(len(s.bytes))), s.bytes...)
	}
	return out, r.err
}
