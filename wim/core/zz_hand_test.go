package core

import (
	"encoding/binary"
	"unicode/utf16"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// entry describes an entry of a metadata resource that is made by hand.
type entry struct {
	name    string
	raw     []byte // stored name, in place of name
	attrs   uint32
	dir     bool
	kids    []*entry
	streams []format.StreamEntry
	sub     uint64 // subdir offset in place of the right one
	d       format.Dentry
}

func u16(s string) []byte { return ntname.Bytes(utf16.Encode([]rune(s))) }

func dir(name string, kids ...*entry) *entry { return &entry{name: name, dir: true, kids: kids} }

func file(name string) *entry { return &entry{name: name, d: format.Dentry{Hash: hashOf(name)}} }

func (e *entry) with(f func(*entry)) *entry { f(e); return e }

func hashOf(s string) (h [20]byte) { copy(h[:], "hash of "+s); return h }

func metadata(root *entry, sds ...[]byte) []byte {
	b := format.NewSecurityData(sds).Append(nil)
	return appendTree(b, root)
}

func appendTree(b []byte, root *entry) []byte {
	queue := []*entry{root}
	at := map[*entry]int{}
	add := func(e *entry) {
		at[e] = len(b)
		d := e.d
		if d.Name == nil {
			d.Name = u16(e.name)
			if e.raw != nil {
				d.Name = e.raw
			}
		}
		d.Attributes |= e.attrs
		if e.dir {
			d.Attributes |= format.AttrDirectory
		}
		if d.SecurityID == 0 {
			d.SecurityID = -1
		} else if d.SecurityID > 0 {
			d.SecurityID--
		}
		d.NumStreams += uint16(len(e.streams))
		b = d.Append(b)
		for _, s := range e.streams {
			b = s.Append(b)
		}
	}
	add(root)
	b = format.AppendEndOfDirectory(b)
	for len(queue) > 0 {
		e := queue[0]
		queue = queue[1:]
		sub := uint64(len(b))
		if e.sub != 0 {
			sub = e.sub
		}
		if e.dir || len(e.kids) > 0 || e.sub != 0 {
			binary.LittleEndian.PutUint64(b[at[e]+0x10:], sub)
		} else {
			continue
		}
		for _, k := range e.kids {
			add(k)
			queue = append(queue, k)
		}
		b = format.AppendEndOfDirectory(b)
	}
	return b
}
