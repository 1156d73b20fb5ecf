package handtree

import (
	"encoding/binary"
	"unicode/utf16"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// Item describes an entry of a metadata resource that is made by hand.
type Item struct {
	Name    string
	Raw     []byte // stored name, in place of name
	Attrs   uint32
	Dir     bool
	Kids    []*Item
	Streams []format.StreamEntry
	Sub     uint64 // subdir offset in place of the right one
	D       format.Dentry
}

func U16(s string) []byte { return ntname.Bytes(utf16.Encode([]rune(s))) }

func Dir(name string, kids ...*Item) *Item { return &Item{Name: name, Dir: true, Kids: kids} }

func File(name string) *Item { return &Item{Name: name, D: format.Dentry{Hash: HashOf(name)}} }

func (e *Item) With(f func(*Item)) *Item { f(e); return e }

func HashOf(s string) (h [20]byte) { copy(h[:], "hash of "+s); return h }

func Metadata(root *Item, sds ...[]byte) []byte {
	b := format.NewSecurityData(sds).Append(nil)
	return AppendTree(b, root)
}

func AppendTree(b []byte, root *Item) []byte {
	queue := []*Item{root}
	at := map[*Item]int{}
	add := func(e *Item) {
		at[e] = len(b)
		d := e.D
		if d.Name == nil {
			d.Name = U16(e.Name)
			if e.Raw != nil {
				d.Name = e.Raw
			}
		}
		d.Attributes |= e.Attrs
		if e.Dir {
			d.Attributes |= format.AttrDirectory
		}
		if d.SecurityID == 0 {
			d.SecurityID = -1
		} else if d.SecurityID > 0 {
			d.SecurityID--
		}
		d.NumStreams += uint16(len(e.Streams))
		b = d.Append(b)
		for _, s := range e.Streams {
			b = s.Append(b)
		}
	}
	add(root)
	b = format.AppendEndOfDirectory(b)
	for len(queue) > 0 {
		e := queue[0]
		queue = queue[1:]
		sub := uint64(len(b))
		if e.Sub != 0 {
			sub = e.Sub
		}
		if e.Dir || len(e.Kids) > 0 || e.Sub != 0 {
			binary.LittleEndian.PutUint64(b[at[e]+0x10:], sub)
		} else {
			continue
		}
		for _, k := range e.Kids {
			add(k)
			queue = append(queue, k)
		}
		b = format.AppendEndOfDirectory(b)
	}
	return b
}
