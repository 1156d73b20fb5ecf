package blobs

import (
	"encoding/binary"
	"reflect"
	"testing"

	"wimscope/wim/format"
)

// TestChunkTableRules computes the places of chunks from tables of every form, valid and invalid.
func TestChunkTableRules(t *testing.T) {
	le32 := func(vs ...uint32) (b []byte) {
		for _, v := range vs {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return b
	}
	// Three chunks, the last of 100 bytes, the others of 4096, at offset 1000. The table has 8 bytes.
	plain := Resource{Form: FormChunked, Codec: format.LZMS, ChunkSize: 4096, Off: 1000, Size: 2*4096 + 100, Packed: 8 + 300 + 200 + 50}
	pipable := plain
	pipable.Form = FormPipable
	pipable.Packed += 12
	xpress := plain
	xpress.Codec, xpress.Packed = format.XPRESS, 8+300+200+150
	solid := plain
	solid.Form, solid.Packed = FormSolid, 16+12+550
	for _, c := range []struct {
		name   string
		r      Resource
		first  int64
		count  int64
		table  []byte
		off, n int64 // TableRange
		want   []Chunk
	}{
		{"offsets count from the table's end, the first is left out", plain, 0, 3, le32(300, 500), 1000, 8, []Chunk{{1008, 300, 4096}, {1308, 200, 4096}, {1508, 50, 100}}},
		{"only the second", plain, 1, 1, le32(300, 500), 1000, 8, []Chunk{{1308, 200, 4096}}},
		{"only the last", plain, 2, 1, le32(500), 1004, 4, []Chunk{{1508, 50, 100}}},
		{"as large as its bytes: raw", plain, 0, 1, le32(300), 1000, 4, []Chunk{{1008, 300, 4096}}},
		{"an empty chunk", plain, 0, 3, le32(300, 300), 1000, 8, []Chunk{{1008, 300, 4096}, {0, 0, 4096}, {0, 0, 100}}},
		{"backwards", plain, 0, 2, le32(500, 300), 1000, 8, []Chunk{{1008, 500, 4096}, {0, 0, 4096}}},
		{"past the end", plain, 0, 2, le32(600, 700), 1000, 8, []Chunk{{0, 0, 4096}, {0, 0, 4096}}},
		{"the last is larger than what it holds", plain, 2, 1, le32(449), 1004, 4, []Chunk{{0, 0, 100}}},
		{"smaller than any of XPRESS, but for one of fewer bytes", xpress, 0, 3, le32(300, 550), 1000, 8, []Chunk{{1008, 300, 4096}, {0, 0, 4096}, {1558, 100, 100}}},
		{"pipable: sizes before chunks do not count", pipable, 0, 3, le32(300, 500), 1562, 8, []Chunk{{1004, 300, 4096}, {1308, 200, 4096}, {1512, 50, 100}}},
		{"solid: sizes, one for each chunk", solid, 0, 3, le32(300, 200, 50), 1016, 12, []Chunk{{1028, 300, 4096}, {1328, 200, 4096}, {1528, 50, 100}}},
		{"solid: a size of 0", solid, 0, 2, le32(0, 200), 1016, 8, []Chunk{{0, 0, 4096}, {0, 200, 4096}}},
		{"solid: a size beyond the chunk's", solid, 0, 2, le32(4097, 200), 1016, 8, []Chunk{{0, 0, 4096}, {0, 0, 4096}}},
	} {
		if off, n := c.r.TableRange(c.first, c.count); off != c.off || n != c.n {
			t.Errorf("%s: table at %d, %d bytes; want %d, %d", c.name, off, n, c.off, c.n)
			continue
		}
		got := c.r.AppendChunks(nil, c.table, c.first, c.count)
		for i := range got {
			if c.want[i].Off == 0 {
				got[i].Off = 0 // the offset of an invalid chunk does not matter
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		if err := c.r.Check(1 << 20); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// Entries have eight bytes if the unpacked size is 4 GiB or more.
	for size, want := range map[int64]int64{1<<32 - 1: 4 * (1<<17 - 1), 1 << 32: 8 * (1<<17 - 1), 1<<32 + 1: 8 << 17} {
		r := Resource{Form: FormChunked, ChunkSize: 1 << 15, Size: size}
		if got := r.TableSize(); got != want {
			t.Errorf("table of %d bytes: %d, want %d", size, got, want)
		}
	}
	for name, r := range map[string]Resource{
		"more chunks than bytes":    {Form: FormChunked, ChunkSize: 4096, Size: 1 << 40, Packed: 1000},
		"no room for the table":     {Form: FormChunked, ChunkSize: 4096, Size: 5 * 4096, Packed: 20},
		"solid, no room":            {Form: FormSolid, ChunkSize: 4096, Size: 4096, Packed: 20},
		"stored, with another size": {Form: FormStored, Size: 5, Packed: 4},
		"past the end":              {Form: FormStored, Off: 1 << 62, Size: 5, Packed: 5},
	} {
		if r.Check(1<<20) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
