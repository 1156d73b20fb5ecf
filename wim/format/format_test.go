package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// u16 encodes ASCII as UTF-16LE.
func u16(s string) []byte {
	var b []byte
	for _, c := range []byte(s) {
		b = append(b, c, 0)
	}
	return b
}

// records returns one record of each kind, with a value in every field.
func records() []struct {
	name  string
	bytes []byte
	again func([]byte) ([]byte, []Field, error)
} {
	res := ResourceHeader{PackedSize: 0x123456789abcde, Flags: ResCompressed | ResSolid, Off: 0xd0, Size: 1 << 40}
	hash := [20]byte{1, 2, 3, 19: 20}
	d := Dentry{Attributes: 0x20, SecurityID: -1, SubdirOff: 0x100, Created: 1, Accessed: 2, Modified: 3, Hash: hash, Unknown: 4,
		Link: 5, NumStreams: 1, Name: u16("long name.txt"), ShortName: u16("LONGNA~1.TXT"), Items: TaggedItem{Tag: TagObjectID, Data: make([]byte, 16)}.Append(nil)}
	type out = struct {
		name  string
		bytes []byte
		again func([]byte) ([]byte, []Field, error)
	}
	return []out{
		{"Header", Header{Magic: [8]byte([]byte(Magic)), Size: HeaderSize, Version: Version113, Flags: FlagCompression | FlagLZX, ChunkSize: 32768,
			GUID: [16]byte{1, 15: 2}, PartNumber: 1, TotalParts: 2, ImageCount: 3, BlobTable: res, XML: res, BootMetadata: res, BootIndex: 1, Integrity: res, Unused: [60]byte{59: 9}}.Append(nil),
			func(b []byte) ([]byte, []Field, error) {
				x, err := ParseHeader(b)
				return x.Append(nil), x.Fields(), err
			}},
		{"ResourceHeader", res.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseResourceHeader(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"BlobEntry", BlobEntry{Resource: res, Part: 2, RefCount: 7, Hash: hash}.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseBlobEntry(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"SolidHeader", SolidHeader{Size: 1 << 33, ChunkSize: 1 << 26, Codec: uint32(LZMS)}.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseSolidHeader(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"PipableBlobHeader", PipableBlobHeader{Magic: PipableMagic, Size: 5, Hash: hash, Flags: 4}.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParsePipableBlobHeader(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"IntegrityTable", IntegrityTable{Size: 52, Count: 2, ChunkSize: 10 << 20, Hashes: [][20]byte{hash, {}}}.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseIntegrityTable(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"SecurityData", NewSecurityData([][]byte{{1, 2, 3}, {4}, nil}).Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseSecurityData(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"Dentry", d.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseDentry(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"StreamEntry", StreamEntry{Hash: hash, Name: u16("stream")}.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseStreamEntry(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"TaggedItem", TaggedItem{Tag: 77, Data: []byte("seven b")}.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseTaggedItem(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"UnixData", UnixData{1, 2, 0o100644, 3}.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseUnixData(b)
			return x.Append(nil), x.Fields(), err
		}},
		{"Xattr", Xattr{Flags: 0x80, Name: "user.x", Value: []byte("v")}.Append(nil), func(b []byte) ([]byte, []Field, error) {
			x, err := ParseXattr(b)
			return x.Append(nil), x.Fields(), err
		}},
	}
}

// TestRecords checks that each record is unchanged after writing and parsing, and that its fields cover it without gap or
// overlap.
func TestRecords(t *testing.T) {
	for _, r := range records() {
		t.Run(r.name, func(t *testing.T) {
			again, fields, err := r.again(r.bytes)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again, r.bytes) {
				t.Errorf("got  %x\nwant %x", again, r.bytes)
			}
			at := 0
			for _, f := range fields {
				if f.Off != at || f.Size < 0 {
					t.Errorf("field %s is at %d, %d bytes; the one before ends at %d", f.Name, f.Off, f.Size, at)
				}
				at = f.Off + f.Size
			}
			if at != len(r.bytes) {
				t.Errorf("fields end at %d of %d bytes", at, len(r.bytes))
			}
			for n := range r.bytes {
				if _, _, err := r.again(r.bytes[:n]); err == nil && r.name != "TaggedItem" {
					t.Errorf("the first %d of %d bytes are accepted", n, len(r.bytes))
				}
			}
		})
	}
}

// TestHeaderLayout checks offsets that published descriptions get wrong: a GUID of 16 bytes, the integrity resource header
// at 0x7c with nothing before it, 208 bytes in total.
func TestHeaderLayout(t *testing.T) {
	b := Header{Magic: [8]byte([]byte(Magic)), Size: 208, Version: Version014, ChunkSize: 0x11223344,
		PartNumber: 0x5566, TotalParts: 0x7788, ImageCount: 0x99aabbcc, BootIndex: 0xddeeff00, Integrity: ResourceHeader{PackedSize: 0x42}}.Append(nil)
	if len(b) != 208 {
		t.Fatalf("%d bytes", len(b))
	}
	for _, c := range []struct {
		name string
		off  int
		want []byte
	}{
		{"size", 0x08, []byte{208, 0, 0, 0}},
		{"version", 0x0c, []byte{0, 0x0e, 0, 0}},
		{"chunk size", 0x14, []byte{0x44, 0x33, 0x22, 0x11}},
		{"part number", 0x28, []byte{0x66, 0x55}},
		{"total parts", 0x2a, []byte{0x88, 0x77}},
		{"images", 0x2c, []byte{0xcc, 0xbb, 0xaa, 0x99}},
		{"boot index", 0x78, []byte{0, 0xff, 0xee, 0xdd}},
		{"integrity", 0x7c, []byte{0x42, 0, 0, 0, 0, 0, 0, 0}},
	} {
		if got := b[c.off : c.off+len(c.want)]; !bytes.Equal(got, c.want) {
			t.Errorf("%s at 0x%x: got %x, want %x", c.name, c.off, got, c.want)
		}
	}
}

func TestOldVersion(t *testing.T) {
	for v, want := range map[uint32]string{0x10900: "1.09", 0x10a00: "1.10", 0x10b00: "1.11", 0x10c00: "1.12", Version113: "", Version014: "", 0: ""} {
		if got := OldVersion(v); got != want {
			t.Errorf("OldVersion(0x%x) is %q, want %q", v, got, want)
		}
	}
}

// TestChunkEntrySize checks that the unpacked size decides, and that 4 GiB already needs more than four bytes.
func TestChunkEntrySize(t *testing.T) {
	for size, want := range map[uint64]int{0: 4, 0xffffffff: 4, 0x1_0000_0000: 8, 1 << 50: 8} {
		if got := ChunkEntrySize(size); got != want {
			t.Errorf("ChunkEntrySize(0x%x) is %d, want %d", size, got, want)
		}
	}
}

func TestSecurityData(t *testing.T) {
	mk := func(total, count uint32, sizes []uint64, rest int) []byte {
		b := binary.LittleEndian.AppendUint32(nil, total)
		b = binary.LittleEndian.AppendUint32(b, count)
		for _, s := range sizes {
			b = binary.LittleEndian.AppendUint64(b, s)
		}
		return append(b, make([]byte, rest)...)
	}
	for _, c := range []struct {
		name string
		b    []byte
		root uint64
		n    int
		ok   bool
	}{
		{"total length 0 means 8", mk(0, 0, nil, 100), 8, 0, true},
		{"total length not a multiple of eight", mk(19, 1, []uint64{3}, 100), 24, 1, true},
		{"total length larger than need be", mk(40, 1, []uint64{3}, 100), 40, 1, true},
		{"exact", mk(24, 1, []uint64{8}, 8), 24, 1, true},
		{"total length past the end", mk(200, 1, []uint64{8}, 8), 0, 0, false},
		{"count past the total length", mk(24, 3, []uint64{1}, 8), 0, 0, false},
		{"count 2^32-1", mk(24, 0xffffffff, []uint64{1}, 8), 0, 0, false},
		{"descriptor past the total length", mk(24, 1, []uint64{9}, 100), 0, 0, false},
		{"sizes that overflow", mk(40, 2, []uint64{8, 1<<64 - 4}, 100), 0, 0, false},
		{"total length 4", mk(4, 0, nil, 0), 0, 0, false},
	} {
		s, err := ParseSecurityData(c.b)
		if (err == nil) != c.ok {
			t.Errorf("%s: error %v", c.name, err)
			continue
		}
		if c.ok && (s.RootOff() != c.root || len(s.Descriptors) != c.n) {
			t.Errorf("%s: root at %d, %d descriptors; want %d, %d", c.name, s.RootOff(), len(s.Descriptors), c.root, c.n)
		}
	}
}

func TestDentryNames(t *testing.T) {
	full := Dentry{Name: u16("name"), ShortName: u16("short")}.Append(nil)
	edit := func(f func(b []byte)) []byte {
		b := bytes.Clone(full)
		f(b)
		return b
	}
	put64 := func(off int, v uint64) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint64(b[off:], v) }
	}
	put16 := func(off int, v uint16) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint16(b[off:], v) }
	}
	exact := uint64(DentryFixedSize + 8 + 2 + 10) // without the short name's terminator
	for _, c := range []struct {
		name string
		b    []byte
		ok   bool
	}{
		{"as written", full, true},
		{"without the last terminator", edit(put64(0, exact)), true},
		{"a byte too short for the names", edit(put64(0, exact-1)), false},
		{"length 101", edit(put64(0, 101)), false},
		{"length past the end", edit(put64(0, uint64(len(full)+1))), false},
		{"length 2^64-1", edit(put64(0, 1<<64-1)), false},
		{"name past the length", edit(put16(0x64, 60)), false},
		{"both names at their most", edit(func(b []byte) { put16(0x64, 0xfffe)(b); put16(0x62, 0xfffe)(b) }), false},
		{"odd name", edit(put16(0x64, 7)), false},
	} {
		v, err := ViewDentry(c.b, 0)
		if (err == nil) != c.ok {
			t.Errorf("%s: error %v", c.name, err)
			continue
		}
		if c.ok && (string(v.Name()) != string(u16("name")) || string(v.ShortName()) != string(u16("short"))) {
			t.Errorf("%s: names %q, %q", c.name, v.Name(), v.ShortName())
		}
	}
	if v, err := ViewDentry(make([]byte, 8), 0); v != nil || err != nil {
		t.Errorf("end of directory: %v, %v", v, err)
	}
	for _, off := range []uint64{1, 8, 1 << 63, 1<<64 - 1} {
		if _, err := ViewDentry(make([]byte, 8), off); err == nil {
			t.Errorf("a dentry at %d of 8 bytes is accepted", off)
		}
		if _, err := ViewStream(make([]byte, 8), off); err == nil {
			t.Errorf("a stream entry at %d of 8 bytes is accepted", off)
		}
	}
}

// TestViewsDoNotAllocate checks what the memory use of trees with a hundred thousand entries depends on.
func TestViewsDoNotAllocate(t *testing.T) {
	meta := Dentry{Name: u16("name"), NumStreams: 1}.Append(nil)
	meta = StreamEntry{Name: u16("s")}.Append(meta)
	sum := 0
	n := testing.AllocsPerRun(100, func() {
		v, err := ViewDentry(meta, 0)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ViewStream(meta, v.Size())
		if err != nil {
			t.Fatal(err)
		}
		sum += len(v.Name()) + len(s.Name()) + int(v.Hash()[0]) + len(v.Items())
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzRecords checks that records which parse are written back as the same bytes, or, where padding is not kept, as bytes
// that parse to the same record.
func FuzzRecords(f *testing.F) {
	for i, r := range records() {
		f.Add(uint8(i), r.bytes)
	}
	all := records()
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		r := all[int(kind)%len(all)]
		first, fields, err := r.again(b)
		if err != nil {
			return
		}
		second, again, err := r.again(first)
		if err != nil {
			t.Fatalf("%s: %x is written as %x, which is refused: %v", r.name, b, first, err)
		}
		if !bytes.Equal(first, second) || fmt.Sprint(fields) != fmt.Sprint(again) {
			t.Fatalf("%s: %x is written as %x, then as %x", r.name, b, first, second)
		}
		switch r.name {
		case "Dentry", "StreamEntry", "TaggedItem": // padding is not kept
		default:
			if !bytes.HasPrefix(b, first) {
				t.Fatalf("%s: %x is written as %x", r.name, b, first)
			}
		}
		at := 0
		for _, x := range fields {
			if x.Off != at {
				t.Fatalf("%s: field %s is at %d, not %d", r.name, x.Name, x.Off, at)
			}
			at += x.Size
		}
	})
}

// FuzzItems checks that every walk over tagged items and extended attributes ends, and that they are written back
// unchanged.
func FuzzItems(f *testing.F) {
	f.Add(TaggedItem{Tag: TagXattrs, Data: Xattr{Name: "n", Value: []byte("v")}.Append(nil)}.Append(nil))
	f.Add([]byte(strings.Repeat("\x01", 64)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; ; {
			item, next, ok := NextItem(rest)
			if !ok {
				break
			}
			if len(next) >= len(rest) {
				t.Fatal("no progress")
			}
			for attrs := item.Data; ; {
				x, next, ok := NextXattr(attrs)
				if !ok {
					break
				}
				if w := x.Append(nil); !bytes.Equal(w, attrs[:len(attrs)-len(next)]) {
					t.Fatalf("%x is written as %x", attrs, w)
				}
				attrs = next
			}
			rest = next
		}
	})
}
