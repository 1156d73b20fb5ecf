package wimtest

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// HiveKey is a key of a registry hive that Hive makes.
type HiveKey struct {
	Name   string
	Wide   bool   // the name is stored as UTF-16 even where Latin-1 can hold it
	List   string // kind of its key list: "lf", "lh", "li", or "ri" for a list of lists of two; "" is "lh"
	Hint   uint32 // added to the hints in the list; a nonzero number makes them wrong
	Keys   []*HiveKey
	Values []HiveValue
}

// HiveValue is a value of a HiveKey.
type HiveValue struct {
	Name string
	Wide bool
	Type uint32
	Data []byte // more than 16344 bytes are stored as big data
}

// HiveText returns a value of type REG_SZ.
func HiveText(name, text string) HiveValue {
	return HiveValue{Name: name, Type: 1, Data: append(wideText(text), 0, 0)}
}

// HiveTexts returns a value of type REG_MULTI_SZ.
func HiveTexts(name string, texts ...string) HiveValue {
	return HiveValue{Name: name, Type: 7, Data: wideText(strings.Join(append(texts, ""), "\x00") + "\x00")}
}

// HiveNumber returns a value of type REG_DWORD.
func HiveNumber(name string, n uint32) HiveValue {
	return HiveValue{Name: name, Type: 4, Data: binary.LittleEndian.AppendUint32(nil, n)}
}

// HivePath returns nested keys for the steps of a path, separated by backslashes. The last one gets the keys and values.
func HivePath(path string, keys []*HiveKey, values ...HiveValue) *HiveKey {
	step, rest, more := strings.Cut(path, `\`)
	if !more {
		return &HiveKey{Name: step, Keys: keys, Values: values}
	}
	return &HiveKey{Name: step, Keys: []*HiveKey{HivePath(rest, keys, values...)}}
}

// Hive returns a registry hive of version 1.5 with that root, in bins of 4096 bytes, or more where a cell needs more.
func Hive(root *HiveKey) []byte {
	h := &hiveMaker{}
	at := h.key(root, true)
	h.closeBin()
	le := binary.LittleEndian
	base := make([]byte, 4096)
	copy(base, "regf")
	le.PutUint32(base[4:], 1)
	le.PutUint32(base[8:], 1)
	le.PutUint32(base[20:], 1) // version
	le.PutUint32(base[24:], 5)
	le.PutUint32(base[32:], 1) // clustering factor
	le.PutUint32(base[36:], at)
	le.PutUint32(base[40:], uint32(len(h.b)))
	le.PutUint32(base[44:], 1)
	SealHive(base)
	return append(base, h.b...)
}

// SealHive writes the checksum of a hive's base block.
func SealHive(b []byte) {
	var sum uint32
	for at := 0; at < 508; at += 4 {
		sum ^= binary.LittleEndian.Uint32(b[at:])
	}
	switch sum {
	case 0:
		sum = 1
	case 1<<32 - 1:
		sum--
	}
	binary.LittleEndian.PutUint32(b[508:], sum)
}

// hiveMaker lays cells into bins.
type hiveMaker struct {
	b   []byte
	bin int // start of the open bin
	end int // its end
}

// cell writes a cell and returns its offset.
func (h *hiveMaker) cell(data []byte) uint32 {
	size := (4 + len(data) + 7) &^ 7
	if len(h.b)+size > h.end {
		h.closeBin()
		h.bin = len(h.b)
		h.end = h.bin + (32+size+4095)&^4095
		head := make([]byte, 32)
		copy(head, "hbin")
		binary.LittleEndian.PutUint32(head[4:], uint32(h.bin))
		binary.LittleEndian.PutUint32(head[8:], uint32(h.end-h.bin))
		h.b = append(h.b, head...)
	}
	at := len(h.b)
	h.b = binary.LittleEndian.AppendUint32(h.b, uint32(-size))
	h.b = append(h.b, data...)
	h.b = append(h.b, make([]byte, at+size-len(h.b))...)
	return uint32(at)
}

// closeBin turns the rest of the open bin into a free cell.
func (h *hiveMaker) closeBin() {
	if left := h.end - len(h.b); left > 0 {
		h.b = binary.LittleEndian.AppendUint32(h.b, uint32(left))
		h.b = append(h.b, make([]byte, left-4)...)
	}
}

func (h *hiveMaker) key(k *HiveKey, root bool) uint32 {
	le := binary.LittleEndian
	var subs []uint32
	for _, s := range k.Keys {
		subs = append(subs, h.key(s, false))
	}
	const none = 1<<32 - 1
	keys, values := uint32(none), uint32(none)
	if len(subs) > 0 {
		keys = h.list(k, subs)
	}
	if len(k.Values) > 0 {
		var list []byte
		for i := range k.Values {
			list = le.AppendUint32(list, h.value(&k.Values[i]))
		}
		values = h.cell(list)
	}
	name, latin := hiveName(k.Name, k.Wide)
	flags := uint16(0)
	if latin {
		flags |= 0x20
	}
	if root {
		flags |= 0x0c // root key, not deletable
	}
	nk := make([]byte, 0x4c)
	copy(nk, "nk")
	le.PutUint16(nk[2:], flags)
	le.PutUint64(nk[4:], 132_000_000_000_000_000)
	le.PutUint32(nk[0x14:], uint32(len(subs)))
	le.PutUint32(nk[0x1c:], keys)
	le.PutUint32(nk[0x20:], none)
	le.PutUint32(nk[0x24:], uint32(len(k.Values)))
	le.PutUint32(nk[0x28:], values)
	le.PutUint32(nk[0x2c:], none)
	le.PutUint32(nk[0x30:], none)
	le.PutUint16(nk[0x48:], uint16(len(name)))
	at := h.cell(append(nk, name...))
	for _, s := range subs {
		le.PutUint32(h.b[s+4+0x10:], at)
	}
	return at
}

func (h *hiveMaker) list(k *HiveKey, subs []uint32) uint32 {
	le := binary.LittleEndian
	kind := k.List
	if kind == "" || kind == "ri" {
		kind = "lh"
	}
	leaf := func(from, to int) uint32 {
		b := le.AppendUint16([]byte(kind), uint16(to-from))
		for i := from; i < to; i++ {
			b = le.AppendUint32(b, subs[i])
			switch kind {
			case "lf":
				var hint [4]byte
				name, _ := hiveName(k.Keys[i].Name, false)
				copy(hint[:], name)
				b = le.AppendUint32(b, le.Uint32(hint[:])+k.Hint)
			case "lh":
				b = le.AppendUint32(b, hiveHash(k.Keys[i].Name)+k.Hint)
			}
		}
		return h.cell(b)
	}
	if k.List != "ri" {
		return leaf(0, len(subs))
	}
	n := (len(subs) + 1) / 2
	b := le.AppendUint16([]byte("ri"), uint16(n))
	for i := range n {
		b = le.AppendUint32(b, leaf(2*i, min(2*i+2, len(subs))))
	}
	return h.cell(b)
}

// hiveHash returns the hint for lists of kind lh. It uses Go's upper case, not that of NTFS.
func hiveHash(name string) uint32 {
	var hash uint32
	for _, u := range utf16.Encode([]rune(strings.ToUpper(name))) {
		hash = 37*hash + uint32(u)
	}
	return hash
}

func (h *hiveMaker) value(v *HiveValue) uint32 {
	le := binary.LittleEndian
	size, data := uint32(len(v.Data)), uint32(0)
	switch n := len(v.Data); {
	case n <= 4:
		var b [4]byte
		copy(b[:], v.Data)
		size, data = size|1<<31, le.Uint32(b[:])
	case n > 16344:
		var list []byte
		count := 0
		for rest := v.Data; len(rest) > 0; count++ {
			part := rest[:min(len(rest), 16344)]
			rest = rest[len(part):]
			list = le.AppendUint32(list, h.cell(append(part[:len(part):len(part)], 0, 0, 0, 0)))
		}
		db := le.AppendUint16([]byte("db"), uint16(count))
		data = h.cell(le.AppendUint32(db, h.cell(list)))
	default:
		data = h.cell(v.Data)
	}
	name, latin := hiveName(v.Name, v.Wide)
	vk := make([]byte, 0x14)
	copy(vk, "vk")
	le.PutUint16(vk[2:], uint16(len(name)))
	le.PutUint32(vk[4:], size)
	le.PutUint32(vk[8:], data)
	le.PutUint32(vk[12:], v.Type)
	if latin {
		le.PutUint16(vk[16:], 1)
	}
	return h.cell(append(vk, name...))
}

// hiveName encodes a name, as Latin-1 if possible.
func hiveName(name string, wide bool) (b []byte, latin bool) {
	for _, r := range name {
		wide = wide || r > 0xff
		b = append(b, byte(r))
	}
	if wide {
		return wideText(name), false
	}
	return b, true
}

func wideText(s string) []byte { return utf16Bytes(utf16Of(s)) }
