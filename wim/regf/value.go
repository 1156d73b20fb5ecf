package regf

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Type is the type of a value's data.
type Type uint32

// The types that Text and Number accept.
const (
	TypeString      Type = 1  // REG_SZ
	TypeNumber32    Type = 4  // REG_DWORD
	TypeNumber32Big Type = 5  // REG_DWORD_BIG_ENDIAN
	TypeStrings     Type = 7  // REG_MULTI_SZ
	TypeNumber64    Type = 11 // REG_QWORD
)

const (
	vkSize       = 0x14
	vkLatin      = 1       // flag: the name is Latin-1
	inline       = 1 << 31 // bit of a value's size: the data are in the offset field
	maxValue     = 1 << 20
	maxValueName = 16383 // characters
	segment      = 16344 // bytes of each segment of big data, except the last
)

// Value is a value of a key. Its data are read on demand.
type Value struct {
	Name string // "" is the key's default value
	Type Type

	h    *Hive
	size uint32 // including the bit inline
	data uint32 // offset of the data's cell, or the data themselves
}

// Value returns the value of a name, ignoring case, or ErrNotFound.
func (k *Key) Value(name string) (*Value, error) {
	k.h.begin()
	want := fold(name)
	var found *Value
	err := k.eachValue(func(v *Value) bool {
		if want.is(v.Name) {
			found = v
		}
		return found == nil
	})
	if err == nil && found == nil {
		err = fmt.Errorf("value %q: %w", name, ErrNotFound)
	}
	return found, err
}

// Values returns the values of k in the order of the hive. With an error it returns the values found before.
func (k *Key) Values() (list []*Value, err error) {
	k.h.begin()
	err = k.eachValue(func(v *Value) bool {
		list = append(list, v)
		return true
	})
	return list, err
}

func (k *Key) eachValue(yield func(*Value) bool) error {
	if k.values == 0 {
		return nil
	}
	list, err := k.h.cell(k.valList, 4*int64(k.values))
	if err != nil {
		return err
	}
	for i := range int64(k.values) {
		b, err := k.h.read(list, 4*i, 4)
		if err != nil {
			return err
		}
		v, err := k.h.value(binary.LittleEndian.Uint32(b))
		if err != nil {
			return err
		}
		if !yield(v) {
			return nil
		}
	}
	return nil
}

// value reads the value at off.
func (h *Hive) value(off uint32) (*Value, error) {
	c, err := h.cell(off, vkSize)
	if err != nil {
		return nil, err
	}
	b, err := h.read(c, 0, vkSize)
	if err != nil {
		return nil, err
	}
	if string(b[:2]) != "vk" {
		return nil, c.corrupt("is not a value")
	}
	le := binary.LittleEndian
	v := &Value{h: h, size: le.Uint32(b[4:]), data: le.Uint32(b[8:]), Type: Type(le.Uint32(b[12:]))}
	n, latin := int64(le.Uint16(b[2:])), le.Uint16(b[16:])&vkLatin != 0
	if n > 2*maxValueName || latin && n > maxValueName {
		return nil, c.corrupt("the name of a value has %d bytes", n)
	}
	if b, err = h.read(c, vkSize, n); err != nil {
		return nil, err
	}
	v.Name = text(b, latin)
	return v, nil
}

// Size returns the size of the data in bytes.
func (v *Value) Size() int { return int(v.size &^ inline) }

// Bytes reads the data, at most 1 MiB.
func (v *Value) Bytes() ([]byte, error) {
	v.h.begin()
	n := int64(v.Size())
	switch {
	case v.size&inline != 0 && n <= 4:
		return binary.LittleEndian.AppendUint32(nil, v.data)[:n], nil
	case v.size&inline != 0, n > maxValue:
		return nil, fmt.Errorf("%w: value %q has %d bytes", ErrCorrupt, v.Name, n)
	case n == 0:
		return nil, nil
	}
	c, err := v.h.cell(v.data, 1)
	if err != nil {
		return nil, err
	}
	if n > segment && c.n < n {
		return v.h.bigData(c, n)
	}
	b, err := v.h.read(c, 0, n)
	return append([]byte(nil), b...), err
}

// bigData reads n bytes of data that are too long for one cell. The record in the cell refers to a list of segments.
func (h *Hive) bigData(c cell, n int64) ([]byte, error) {
	b, err := h.read(c, 0, 8)
	if err != nil {
		return nil, err
	}
	count := int64(binary.LittleEndian.Uint16(b[2:]))
	if string(b[:2]) != "db" || count != (n+segment-1)/segment {
		return nil, c.corrupt("does not hold data of %d bytes", n)
	}
	list, err := h.cell(binary.LittleEndian.Uint32(b[4:]), 4*count)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, min(n, int64(h.left)))
	for i := range count {
		b, err := h.read(list, 4*i, 4)
		if err != nil {
			return nil, err
		}
		part, err := h.cell(binary.LittleEndian.Uint32(b), 1)
		if err != nil {
			return nil, err
		}
		if b, err = h.read(part, 0, min(segment, n-segment*i)); err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// Text returns a string, or the first of several, up to its NUL. It returns ErrType for REG_EXPAND_SZ, whose meaning depends on
// a machine's environment. Unpaired surrogates become U+FFFD.
func (v *Value) Text() (string, error) {
	if v.Type != TypeString && v.Type != TypeStrings {
		return "", fmt.Errorf("value %q is not a string: %w", v.Name, ErrType)
	}
	b, err := v.Bytes()
	if err != nil {
		return "", err
	}
	if len(b)%2 != 0 {
		return "", fmt.Errorf("%w: value %q is a string with an odd size, %d bytes", ErrCorrupt, v.Name, len(b))
	}
	s, _, _ := strings.Cut(utf16Text(b), "\x00")
	return s, nil
}

// Number returns a number of 32 or 64 bits.
func (v *Value) Number() (int64, error) {
	size := 4
	switch v.Type {
	case TypeNumber64:
		size = 8
	case TypeNumber32, TypeNumber32Big:
	default:
		return 0, fmt.Errorf("value %q is not a number: %w", v.Name, ErrType)
	}
	b, err := v.Bytes()
	if err != nil {
		return 0, err
	}
	if len(b) != size {
		return 0, fmt.Errorf("%w: value %q is a number of %d bytes", ErrCorrupt, v.Name, len(b))
	}
	switch v.Type {
	case TypeNumber64:
		return int64(binary.LittleEndian.Uint64(b)), nil
	case TypeNumber32Big:
		return int64(binary.BigEndian.Uint32(b)), nil
	}
	return int64(binary.LittleEndian.Uint32(b)), nil
}
