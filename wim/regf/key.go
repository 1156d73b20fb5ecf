package regf

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"wimscope/wim/ntname"
)

// Key is a key of a hive.
type Key struct {
	// Name has no backslash.
	Name string
	// Written is the time of the last change, in units of 100 ns since 1601.
	Written uint64

	h                *Hive
	off              uint32 // of its cell
	subkeys, values  uint32 // how many there are
	keyList, valList uint32 // offsets of the cells that list them
}

const (
	nkSize    = 0x4c
	nkLatin   = 0x20 // flag: the name is Latin-1
	maxName   = 255  // characters of a key's name
	maxLists  = 5    // depth of nested lists; Windows writes two
	noHint    = 0
	hintFirst = 1 // lf: the first four characters of the name
	hintHash  = 2 // lh: a hash of the whole name
)

// key reads the key at off.
func (h *Hive) key(off uint32) (*Key, error) {
	c, err := h.cell(off, nkSize)
	if err != nil {
		return nil, err
	}
	b, err := h.read(c, 0, nkSize)
	if err != nil {
		return nil, err
	}
	if string(b[:2]) != "nk" {
		return nil, c.corrupt("is not a key")
	}
	le := binary.LittleEndian
	k := &Key{
		h: h, off: off, Written: le.Uint64(b[4:]),
		subkeys: le.Uint32(b[0x14:]), keyList: le.Uint32(b[0x1c:]), values: le.Uint32(b[0x24:]), valList: le.Uint32(b[0x28:]),
	}
	n, latin := int64(le.Uint16(b[0x48:])), le.Uint16(b[2:])&nkLatin != 0
	if n > 2*maxName || latin && n > maxName {
		return nil, c.corrupt("the name of a key has %d bytes", n)
	}
	if b, err = h.read(c, nkSize, n); err != nil {
		return nil, err
	}
	k.Name = text(b, latin)
	return k, nil
}

// Subkeys returns the keys right below k in the order of the hive: by name in upper case. With an error it returns the keys
// found before.
func (k *Key) Subkeys() ([]*Key, error) {
	var list []*Key
	k.h.begin()
	err := k.each(func(_ int, _, off uint32) (bool, error) {
		sub, err := k.h.key(off)
		if err == nil {
			list = append(list, sub)
		}
		return err == nil, err
	})
	if err == nil && int64(len(list)) != int64(k.subkeys) {
		err = fmt.Errorf("%w: key %q lists %d keys, but counts %d", ErrCorrupt, k.Name, len(list), k.subkeys)
	}
	return list, err
}

// subkey returns a key right below k. Lists have hints of the names, so it reads only a few cells. Hints may be wrong in hives
// that other programs wrote, so it looks for a name that it does not find with hints again without them.
func (k *Key) subkey(name string) (found *Key, err error) {
	k.h.begin()
	want := fold(name)
	for _, hinted := range [...]bool{true, false} {
		skipped := false
		err := k.each(func(kind int, hint, off uint32) (bool, error) {
			if hinted && !want.may(kind, hint) {
				skipped = true
				return true, nil
			}
			sub, err := k.h.key(off)
			if err == nil && want.is(sub.Name) {
				found = sub
			}
			return found == nil, err
		})
		if found != nil {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if !skipped {
			break
		}
	}
	return nil, fmt.Errorf("key %q: %w", name, ErrNotFound)
}

// each calls yield for each key below k, with its hint in the list, until yield returns false.
func (k *Key) each(yield func(kind int, hint, off uint32) (more bool, err error)) error {
	if k.subkeys == 0 {
		return nil
	}
	_, err := k.h.list(k.keyList, maxLists, yield)
	return err
}

// list calls yield for each key in a list of keys, or in the lists of a list of lists. depth limits the nesting.
func (h *Hive) list(off uint32, depth int, yield func(kind int, hint, off uint32) (bool, error)) (more bool, err error) {
	c, err := h.cell(off, 4)
	if err != nil {
		return false, err
	}
	if depth == 0 {
		return false, c.corrupt("lists of keys are nested too deeply")
	}
	b, err := h.read(c, 0, 4)
	if err != nil {
		return false, err
	}
	kind, width, lists := noHint, int64(8), false
	switch string(b[:2]) {
	case "lf":
		kind = hintFirst
	case "lh":
		kind = hintHash
	case "li":
		width = 4
	case "ri":
		width, lists = 4, true
	default:
		return false, c.corrupt("is not a list of keys")
	}
	count := int64(binary.LittleEndian.Uint16(b[2:]))
	for i := range count {
		if b, err = h.read(c, 4+width*i, width); err != nil {
			return false, err
		}
		at, hint := binary.LittleEndian.Uint32(b), uint32(0)
		if width == 8 {
			hint = binary.LittleEndian.Uint32(b[4:])
		}
		if lists {
			more, err = h.list(at, depth-1, yield)
		} else {
			more, err = yield(kind, hint, at)
		}
		if !more || err != nil {
			return false, err
		}
	}
	return true, nil
}

// folded is a name in upper case.
type folded []uint16

func fold(name string) folded {
	units := utf16.Encode([]rune(name))
	for i, u := range units {
		units[i] = ntname.Upper(u)
	}
	return units
}

// is reports whether name is f, ignoring case.
func (f folded) is(name string) bool {
	i := 0
	for _, r := range name {
		for _, u := range utf16.AppendRune(make([]uint16, 0, 2), r) {
			if i >= len(f) || ntname.Upper(u) != f[i] {
				return false
			}
			i++
		}
	}
	return i == len(f)
}

// may reports whether a key with that hint can have the name f.
func (f folded) may(kind int, hint uint32) bool {
	switch kind {
	case hintHash:
		return hint == f.hash()
	case hintFirst:
		for i := range 4 {
			c := uint16(hint >> (8 * i) & 0xff)
			if c == 0 || c >= 0x80 { // padding, or a character that is not ASCII
				return true
			}
			if i >= len(f) || ntname.Upper(c) != f[i] {
				return false
			}
		}
	}
	return true
}

// hash returns the hint for lists of kind lh.
func (f folded) hash() uint32 {
	var h uint32
	for _, u := range f {
		h = 37*h + uint32(u)
	}
	return h
}

// text decodes a name: Latin-1 or UTF-16.
func text(b []byte, latin bool) string {
	if !latin {
		return utf16Text(b)
	}
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// utf16Text decodes UTF-16LE. An unpaired surrogate becomes U+FFFD; an odd byte at the end is dropped.
func utf16Text(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}
