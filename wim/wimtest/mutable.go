package wimtest

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf16"

	"wimscope/wim/format"
)

// Mutable is an archive for mutation tests.
type Mutable struct {
	Name     string
	Parts    []SamplePart // part 1 first
	Refs     []SamplePart
	Metadata [][]byte // unpacked, of the images in the order of part 1's blob table
}

// Mutate changes one or two things in a copy of part 1, sometimes of another part, and returns a description. It knows the format:
// after a change of metadata it updates the SHA-1 in the blob table, so that parsers see the change, and it usually updates
// an integrity table that covers the change. The same seed makes the same change.
func (m *Mutable) Mutate(seed uint64) (parts []SamplePart, what string) {
	g := &changer{r: rand.New(rand.NewPCG(seed, 0x77696d)), m: m}
	parts = slices.Clone(m.Parts)
	at := 0
	if len(parts) > 1 && g.one(5) {
		at = g.r.IntN(len(parts))
	}
	g.first = at == 0
	g.b = bytes.Clone(parts[at].Bytes)
	g.header()
	for range 1 + g.r.IntN(4)/3 {
		g.change()
	}
	if g.covered && !g.one(10) {
		g.fixIntegrity()
	}
	parts[at].Bytes = g.b
	what = strings.Join(g.did, "; ")
	if at > 0 {
		what = fmt.Sprintf("part %d: %s", at+1, what)
	}
	return parts, what
}

type changer struct {
	r       *rand.Rand
	m       *Mutable
	first   bool // b is part 1
	b       []byte
	h       format.Header
	hdrOff  int
	covered bool // bytes covered by an integrity table were changed
	did     []string
}

func (g *changer) one(in int) bool { return g.r.IntN(in) == 0 }

func (g *changer) note(text string, args ...any) { g.did = append(g.did, fmt.Sprintf(text, args...)) }

// header parses the header, which in a pipable archive is the one at the end.
func (g *changer) header() {
	g.hdrOff = 0
	if _, _, pipable, _ := format.Probe(g.b); pipable {
		g.hdrOff = len(g.b) - format.HeaderSize
	}
	g.h, _ = format.ParseHeader(g.b[g.hdrOff:])
}

func (g *changer) putHeader() { copy(g.b[g.hdrOff:], g.h.Append(nil)) }

// add appends bytes, before the header at the end of a pipable archive.
func (g *changer) add(data []byte) uint64 {
	at := len(g.b)
	if g.hdrOff > 0 {
		at = g.hdrOff
		g.hdrOff += len(data)
	}
	g.b = slices.Insert(g.b, at, data...)
	return uint64(at)
}

func (g *changer) change() {
	switch n := g.r.IntN(100); {
	case n < 12:
		g.changeHeader()
	case n < 32:
		g.changeTable()
	case n < 47 && g.first:
		g.changeXML()
	case n < 88 && g.first && len(g.m.Metadata) > 0:
		g.changeMetadata()
	case n < 97:
		g.changeResource()
	default:
		g.changeEnd()
	}
}

// number returns an interesting replacement for v.
func (g *changer) number(v uint64) uint64 {
	list := []uint64{0, 1, v + 1, v - 1, v + 8, v - 8, v * 2, v ^ 1<<g.r.IntN(64), 1<<32 - 1, 1<<63 - 1, 1<<64 - 1, uint64(len(g.b)), g.r.Uint64() >> g.r.IntN(64)}
	return list[g.r.IntN(len(list))]
}

func get(b []byte, size int) uint64 {
	var full [8]byte
	copy(full[:], b[:size])
	return binary.LittleEndian.Uint64(full[:])
}

func put(b []byte, size int, v uint64) {
	var full [8]byte
	binary.LittleEndian.PutUint64(full[:], v)
	copy(b[:size], full[:])
}

type mutableField struct {
	name      string
	off, size int
}

func (g *changer) changeHeader() {
	list := []mutableField{
		{"magic", 0, 8}, {"size", 8, 4}, {"version", 0xc, 4}, {"flags", 0x10, 4}, {"flags", 0x10, 4}, {"chunk size", 0x14, 4}, {"guid", 0x18, 8}, {"part", 0x28, 2},
		{"parts", 0x2a, 2}, {"image count", 0x2c, 4}, {"image count", 0x2c, 4}, {"boot index", 0x78, 4},
		{"table size and flags", 0x30, 8}, {"table offset", 0x38, 8}, {"table size", 0x40, 8}, {"XML size and flags", 0x48, 8}, {"XML offset", 0x50, 8},
		{"XML size", 0x58, 8}, {"boot metadata", 0x60 + 8*g.r.IntN(3), 8}, {"integrity size", 0x7c, 8}, {"integrity offset", 0x84, 8}, {"integrity size", 0x8c, 8},
	}
	if g.one(8) {
		at := []int{0x30, 0x48, 0x60, 0x7c}[g.r.IntN(4)]
		clear(g.b[g.hdrOff+at : g.hdrOff+at+24])
		g.note("header: resource at 0x%x zeroed", at)
		g.header()
		return
	}
	f := list[g.r.IntN(len(list))]
	at := g.b[g.hdrOff+f.off:]
	v := g.number(get(at, f.size))
	put(at, f.size, v)
	g.note("header: %s 0x%x", f.name, get(at, f.size))
	if _, _, pipable, ok := format.Probe(g.b); ok && (g.hdrOff == 0 || pipable) {
		g.header()
	}
}

// entries returns the offset of the blob table and its number of entries.
func (g *changer) entries() (at, n int) {
	t := g.h.BlobTable
	if t.Off > uint64(len(g.b)) || t.PackedSize > uint64(len(g.b))-t.Off || t.Flags&format.ResCompressed != 0 {
		return 0, 0
	}
	return int(t.Off), int(t.PackedSize) / format.BlobEntrySize
}

func (g *changer) changeTable() {
	at, n := g.entries()
	if n == 0 {
		g.changeResource()
		return
	}
	i := g.r.IntN(n)
	if g.one(3) {
		for k := range n { // metadata entries, usually the first or the last
			if g.b[at+k*format.BlobEntrySize+7]&format.ResMetadata != 0 {
				i = k
			}
		}
	}
	g.covered = true
	e := g.b[at+i*format.BlobEntrySize : at+(i+1)*format.BlobEntrySize]
	switch g.r.IntN(8) {
	case 0:
		clear(e[30:50])
		g.note("table: entry %d: hash zeroed", i)
	case 1:
		e[30+g.r.IntN(20)] ^= 1 << g.r.IntN(8)
		g.note("table: entry %d: hash changed", i)
	case 2:
		k := g.r.IntN(n)
		copy(e, g.b[at+k*format.BlobEntrySize:at+(k+1)*format.BlobEntrySize])
		g.note("table: entry %d: overwritten with entry %d", i, k)
	case 3:
		clear(e)
		g.note("table: entry %d: zeroed", i)
	case 4:
		e[7] ^= []byte{1, 2, 2, 4, 4, 8, 0x10, 0x80}[g.r.IntN(8)]
		g.note("table: entry %d: flags 0x%x", i, e[7])
	default:
		f := []mutableField{{"packed size", 0, 7}, {"offset", 8, 8}, {"size", 16, 8}, {"part", 24, 2}, {"reference count", 26, 4}}[g.r.IntN(5)]
		v := get(e[f.off:], f.size)
		put(e[f.off:], f.size, g.number(v))
		g.note("table: entry %d: %s 0x%x, was 0x%x", i, f.name, get(e[f.off:], f.size), v)
	}
}

func (g *changer) changeXML() {
	x := g.h.XML
	if x.Off > uint64(len(g.b)) || x.PackedSize > uint64(len(g.b))-x.Off || x.Flags&format.ResCompressed != 0 || x.PackedSize < 4 {
		g.changeHeader()
		return
	}
	var units []uint16
	for i := x.Off + 2; i+1 < x.Off+x.PackedSize; i += 2 {
		units = append(units, binary.LittleEndian.Uint16(g.b[i:]))
	}
	text := string(utf16.Decode(units))
	data := []byte(nil)
	replace := func(old, now string) {
		g.note("XML: %q for %q", now, old)
		text = strings.Replace(text, old, now, 1)
	}
	switch g.r.IntN(14) {
	case 0:
		at := g.r.IntN(len(text))
		g.note("XML: %q removed at %d", text[at:at+1], at)
		text = text[:at] + text[at+1:]
	case 1, 2:
		at := g.r.IntN(len(text))
		c := []string{"<", ">", "&", `"`, "'", "/", "\x01", "\uffff", "\n", "\r", " ", "\u00e4", "=", "]]>", "--"}[g.r.IntN(15)]
		g.note("XML: %q inserted at %d", c, at)
		text = text[:at] + c + text[at:]
	case 3:
		replace(`INDEX="1"`, []string{`INDEX="0"`, `INDEX="2"`, `INDEX=""`, `INDEX="1x"`, `INDEX="01"`, `INDEX=" 1"`, `INDEX="-1"`, ``, `index="1"`, `INDEX='1'`}[g.r.IntN(10)])
	case 4:
		replace("</WIM>", `<IMAGE INDEX="2"><NAME>more</NAME></IMAGE></WIM>`)
	case 5:
		from, to := strings.Index(text, "<IMAGE"), strings.Index(text, "</IMAGE>")
		if from >= 0 && to > from {
			g.note("XML: image removed")
			text = text[:from] + text[to+len("</IMAGE>"):]
		}
	case 6:
		tag := []string{"NAME", "DIRCOUNT", "FILECOUNT", "TOTALBYTES", "CREATIONTIME", "HIGHPART", "IMAGE", "WIM"}[g.r.IntN(8)]
		replace("<"+tag, "<X"+tag)
	case 7:
		tag := []string{"NAME", "DIRCOUNT", "FILECOUNT", "TOTALBYTES", "HIGHPART"}[g.r.IntN(5)]
		replace("<"+tag+">", "<"+tag+">"+[]string{"x", "-1", "99999999999999999999", "<![CDATA[1]]>", "<!-- c -->", "&#x41;", "&#1;", "&lt;"}[g.r.IntN(8)])
	case 8:
		g.note("XML: big-endian")
		data = []byte{0xfe, 0xff}
		for _, u := range utf16.Encode([]rune(text)) {
			data = binary.BigEndian.AppendUint16(data, u)
		}
	case 9:
		g.note("XML: UTF-8")
		data = []byte(text)
	case 10:
		g.note("XML: no byte order mark")
		data = utf16Text(text)[2:]
	case 11:
		at := g.r.IntN(len(text))
		g.note("XML: cut at %d", at)
		text = text[:at]
	case 12:
		g.note("XML: a lone surrogate")
		data = utf16Text(text)
		at := 2 + 2*g.r.IntN(len(data)/2-1)
		binary.LittleEndian.PutUint16(data[at:], 0xd800)
	default:
		g.note("XML: something after it")
		text += []string{"\x00", " \n", "x", "<A/>", "<!-- c -->"}[g.r.IntN(5)]
	}
	if data == nil {
		data = utf16Text(text)
	}
	g.h.XML.Off, g.h.XML.PackedSize, g.h.XML.Size = g.add(data), uint64(len(data)), uint64(len(data))
	g.putHeader()
}

// changeResource changes bytes of a resource, usually at its start, which holds a chunk table or the header of a solid resource.
func (g *changer) changeResource() {
	at, n := g.entries()
	for range 10 {
		if n == 0 {
			break
		}
		e, _ := format.ParseBlobEntry(g.b[at+g.r.IntN(n)*format.BlobEntrySize:])
		size := e.Resource.PackedSize
		if e.Resource.Off >= uint64(len(g.b)) || size == 0 || size > uint64(len(g.b))-e.Resource.Off {
			continue
		}
		off := e.Resource.Off + g.r.Uint64N(size)
		if g.r.IntN(3) > 0 {
			off = e.Resource.Off + g.r.Uint64N(min(size, 24))
		}
		g.b[off] ^= 1 << g.r.IntN(8)
		g.covered = true
		g.note("resource at 0x%x: byte %d changed", e.Resource.Off, off-e.Resource.Off)
		return
	}
	off := g.r.IntN(len(g.b))
	g.b[off] ^= 1 << g.r.IntN(8)
	g.covered = true
	g.note("byte 0x%x changed", off)
}

func (g *changer) changeEnd() {
	if g.one(2) {
		n := 1 + g.r.IntN(len(g.b)/4)
		g.b = g.b[:len(g.b)-n]
		g.hdrOff = 0
		g.note("cut by %d", n)
		return
	}
	g.b = append(g.b, make([]byte, 1+g.r.IntN(5000))...)
	g.hdrOff = 0
	g.note("longer")
}

// fixIntegrity updates the integrity table.
func (g *changer) fixIntegrity() {
	x := g.h.Integrity
	if x.PackedSize == 0 || x.Off > uint64(len(g.b)) || x.PackedSize > uint64(len(g.b))-x.Off {
		return
	}
	t, err := format.ParseIntegrityTable(g.b[x.Off : x.Off+x.PackedSize])
	end := g.h.BlobTable.Off + g.h.BlobTable.PackedSize
	if err != nil || end > uint64(len(g.b)) {
		return
	}
	for i := range t.Hashes {
		from := format.HeaderSize + uint64(i)*uint64(t.ChunkSize)
		if from < end {
			t.Hashes[i] = sha1.Sum(g.b[from:min(from+uint64(t.ChunkSize), end)])
		}
	}
	copy(g.b[x.Off:], t.Append(nil))
}

// changeMetadata changes an image's metadata, stores it unpacked and updates its SHA-1 in the blob table.
func (g *changer) changeMetadata() {
	at, n := g.entries()
	image := g.r.IntN(len(g.m.Metadata))
	seen := 0
	for i := range n {
		off := at + i*format.BlobEntrySize
		e, _ := format.ParseBlobEntry(g.b[off:])
		if e.Resource.Flags&format.ResMetadata == 0 || e.RefCount == 0 {
			continue
		}
		if seen++; seen <= image {
			continue
		}
		meta := g.mutateTree(bytes.Clone(g.m.Metadata[image]))
		old := e.Resource
		e.Resource = format.ResourceHeader{Flags: format.ResMetadata, Size: uint64(len(meta)), PackedSize: uint64(len(meta)), Off: old.Off}
		if old.Flags&format.ResCompressed == 0 && old.PackedSize == e.Resource.PackedSize && old.Off+old.PackedSize <= uint64(len(g.b)) {
			copy(g.b[old.Off:], meta)
		} else {
			e.Resource.Off = g.add(meta)
		}
		e.Hash = sha1.Sum(meta)
		copy(g.b[off:], e.Append(nil))
		if g.h.BootMetadata.Off == old.Off && g.h.BootMetadata.PackedSize == old.PackedSize {
			g.h.BootMetadata = e.Resource
			g.putHeader()
		}
		g.covered = true
		return
	}
	g.changeTable()
}

// dentryAt is an entry of a metadata resource.
type dentryAt struct {
	off, end int // end of its stream entries
	name     string
	first    int // offset of its list; 0 if it has none
	streams  []int
}

// dentries returns the entries of a valid tree.
func dentries(meta []byte) (list []dentryAt) {
	s, err := format.ParseSecurityData(meta)
	if err != nil {
		return nil
	}
	read := func(off uint64) (d dentryAt, ok bool) {
		v, err := format.ViewDentry(meta, off)
		if v == nil || err != nil {
			return d, false
		}
		d = dentryAt{off: int(off), name: string(utf16.Decode(units(v.Name()))), first: int(v.SubdirOff())}
		off += v.Size()
		for range v.NumStreams() {
			st, err := format.ViewStream(meta, off)
			if err != nil {
				return d, false
			}
			d.streams = append(d.streams, int(off))
			off += st.Size()
		}
		d.end = int(off)
		return d, true
	}
	root, ok := read(s.RootOff())
	if !ok {
		return nil
	}
	list = append(list, root)
	for i := 0; i < len(list) && len(list) < 5000; i++ {
		if off := list[i].first; off != 0 {
			for {
				d, ok := read(uint64(off))
				if !ok {
					break
				}
				list = append(list, d)
				off = d.end
			}
		}
	}
	return list
}

func units(b []byte) []uint16 {
	out := make([]uint16, len(b)/2)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return out
}

func (g *changer) mutateTree(meta []byte) []byte {
	list := dentries(meta)
	if len(list) == 0 {
		return meta
	}
	i := g.r.IntN(len(list))
	d := list[i]
	other := list[g.r.IntN(len(list))]
	e := meta[d.off:]
	note := func(text string, args ...any) { g.note("tree: "+d.name+": "+text, args...) }
	nameLen := int(get(e[0x64:], 2))
	switch n := g.r.IntN(34); n {
	case 0, 1, 2:
		v := get(e, 8)
		pick := []uint64{v + 8, v - 8, 0, 8, 9, 101, 102, v + 112, 1 << 20, 1<<64 - 1, v + 1, uint64(other.end - other.off)}
		if d.end < len(meta) {
			pick = append(pick, v+get(meta[d.end:], 8), v+get(meta[d.end:], 8))
		}
		w := pick[g.r.IntN(len(pick))]
		put(e, 8, w)
		note("length %d, was %d", w, v)
	case 3, 4:
		a := get(e[8:], 4) ^ []uint64{0x10, 0x10, 0x400, 0x410, 0x4000, 1 << g.r.IntN(32)}[g.r.IntN(6)]
		if g.one(6) {
			a = 0
		}
		put(e[8:], 4, a)
		note("attributes 0x%x", a)
	case 5:
		put(e[0xc:], 4, []uint64{1<<32 - 1, 0, 1, 9999, 1<<32 - 5, 1 << 31}[g.r.IntN(6)])
		note("security id 0x%x", get(e[0xc:], 4))
	case 6, 7, 8, 9, 10:
		for range 20 { // prefer a folder
			if d.first == 0 && !g.one(8) {
				d = list[g.r.IntN(len(list))]
				e = meta[d.off:]
			}
		}
		v := []int{0, list[0].first, list[0].off, d.first + 8, d.first - 8, d.first + 1, len(meta), len(meta) - 8, len(meta) + 8, 1 << 20, other.first, other.off, other.end, other.off + 8, -8}[g.r.IntN(15)]
		put(e[0x10:], 8, uint64(v))
		note("list at %d, was %d", v, d.first)
	case 11:
		switch g.r.IntN(4) {
		case 0:
			clear(e[0x40:0x54])
			note("hash zeroed")
		case 1:
			copy(e[0x40:0x54], meta[other.off+0x40:])
			note("hash of %q", other.name)
		case 2:
			h := sha1.Sum(nil)
			copy(e[0x40:0x54], h[:])
			note("hash of no bytes")
		default:
			e[0x40+g.r.IntN(20)] ^= 1 << g.r.IntN(8)
			note("hash changed")
		}
	case 12, 13:
		v := get(e[0x60:], 2)
		put(e[0x60:], 2, []uint64{0, v + 1, v - 1, 0xffff, 2}[g.r.IntN(5)])
		note("streams %d, were %d", get(e[0x60:], 2), v)
	case 14, 15:
		v := get(e[0x64:], 2)
		put(e[0x64:], 2, []uint64{0, v + 1, v + 2, v - 2, v + 200, 0xffff, 0xfffe}[g.r.IntN(7)])
		note("name of %d bytes, were %d", get(e[0x64:], 2), v)
	case 16:
		v := get(e[0x62:], 2)
		put(e[0x62:], 2, []uint64{0, 2, v + 1, v + 8, 0xffff, 0xfffe, 24}[g.r.IntN(7)])
		note("short name of %d bytes, were %d", get(e[0x62:], 2), v)
	case 17, 18, 19, 20:
		name := []uint16{'.', '.'}[:1+g.r.IntN(2)]
		switch g.r.IntN(6) {
		case 0:
			name = units(meta[other.off+format.DentryFixedSize : other.off+format.DentryFixedSize+int(get(meta[other.off+0x64:], 2))])
		case 1:
			name = []uint16{[]uint16{0, '/', '\\', 1, 0xd800, 0xffff, ':', '*', ' '}[g.r.IntN(9)]}
		}
		if 2*len(name) <= nameLen {
			for k, u := range name {
				put(e[format.DentryFixedSize+2*k:], 2, uint64(u))
			}
			if g.one(2) {
				put(e[0x64:], 2, uint64(2*len(name)))
				put(e[format.DentryFixedSize+2*len(name):], 2, 0)
			}
		}
		note("name %q", string(utf16.Decode(units(e[format.DentryFixedSize:format.DentryFixedSize+int(get(e[0x64:], 2))]))))
	case 21:
		put(e[0x58:], 8, g.number(get(e[0x58:], 8)))
		note("link group or reparse tag 0x%x", get(e[0x58:], 8))
	case 22, 23:
		for _, x := range list {
			if len(x.streams) > 0 && (len(d.streams) == 0 || g.one(2)) {
				d = x
			}
		}
		if len(d.streams) == 0 {
			e[g.r.IntN(format.DentryFixedSize)] ^= 1 << g.r.IntN(8)
			note("a bit of its fixed part changed")
			break
		}
		st := meta[d.streams[g.r.IntN(len(d.streams))]:]
		f := []mutableField{{"length", 0, 8}, {"reserved", 8, 8}, {"hash", 16, 8}, {"name length", 36, 2}, {"name", 38, 2}}[g.r.IntN(5)]
		v := g.number(get(st[f.off:], f.size))
		put(st[f.off:], f.size, v)
		note("stream's %s 0x%x", f.name, v)
	case 24: // overwrite an entry with another of the same size
		if other.end-other.off == d.end-d.off && other.off != d.off {
			copy(e[:d.end-d.off], bytes.Clone(meta[other.off:other.end]))
			note("overwritten with %q", other.name)
		} else {
			e[g.r.IntN(format.DentryFixedSize)] ^= 1 << g.r.IntN(8)
			note("a bit of its fixed part changed")
		}
	case 25, 26:
		f := []mutableField{{"length", 0, 4}, {"count", 4, 4}, {"first size", 8, 8}}[g.r.IntN(3)]
		v := g.number(get(meta[f.off:], f.size))
		put(meta[f.off:], f.size, v)
		g.note("tree: security data: %s 0x%x", f.name, get(meta[f.off:], f.size))
	case 27:
		n := 1 + g.r.IntN(len(meta)-list[0].off)
		meta = meta[:len(meta)-n]
		g.note("tree: metadata cut by %d", n)
	case 28:
		meta = append(meta, bytes.Repeat([]byte{byte(g.r.Uint32())}, 1+g.r.IntN(64))...)
		g.note("tree: metadata longer")
	case 29:
		if d.end+8 <= len(meta) {
			put(meta[d.end:], 8, g.number(get(meta[d.end:], 8)))
			note("length of what follows 0x%x", get(meta[d.end:], 8))
		}
	case 30:
		at := d.off + format.DentryFixedSize + nameLen
		if at < d.end {
			at += g.r.IntN(d.end - at)
			meta[at] ^= 1 << g.r.IntN(8)
			note("byte %d changed", at-d.off)
		}
	default:
		at := list[0].off + g.r.IntN(len(meta)-list[0].off)
		meta[at] ^= 1 << g.r.IntN(8)
		g.note("tree: byte 0x%x changed", at)
	}
	return meta
}
