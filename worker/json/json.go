// Package json encodes and decodes JSON like encoding/json, as far as messages between page and workers need it.
// encoding/json would make up a tenth of the engine's program.
//
// It supports structs with encoding/json's tags (embedded ones are flattened), slices, strings, integers, booleans,
// and bytes as base64. Types with MarshalText are encoded as text; none is decoded, since UnmarshalText of time.Time
// would link its parser. A nil slice is encoded as [], not null.
package json

import (
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const maxDepth = 64 // nested values in decoded input

var errJSON = errors.New("json: unexpected value")

// Marshal encodes v as JSON.
func Marshal(v any) ([]byte, error) {
	c := codec{fields: make(map[reflect.Type][]field)}
	return c.append(nil, reflect.ValueOf(v))
}

// Unmarshal decodes JSON into the value that v points to. Unknown members are skipped.
func Unmarshal(b []byte, v any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("%w: not a pointer", errJSON)
	}
	d := decoder{codec: codec{fields: make(map[reflect.Type][]field)}, b: b}
	d.space()
	if err := d.value(p.Elem(), 0); err != nil {
		return err
	}
	if d.space(); d.at != len(d.b) {
		return d.fail("data after the value")
	}
	return nil
}

// codec caches the fields of the structs that it has met.
type codec struct{ fields map[reflect.Type][]field }

type field struct {
	name  string
	index []int
	empty bool // omitted if empty
}

func (c *codec) of(t reflect.Type) []field {
	if f, ok := c.fields[t]; ok {
		return f
	}
	var list []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _ := f.Tag.Lookup("json")
		name, rest, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			for _, inner := range c.of(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				list = append(list, inner)
			}
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		list = append(list, field{name: name, index: []int{i}, empty: rest == "omitempty"})
	}
	c.fields[t] = list
	return list
}

func (c *codec) append(b []byte, v reflect.Value) ([]byte, error) {
	if !v.IsValid() {
		return append(b, "null"...), nil
	}
	if v.Kind() != reflect.Pointer && v.CanInterface() {
		if m, ok := v.Interface().(encoding.TextMarshaler); ok {
			text, err := m.MarshalText()
			return appendString(b, string(text)), err
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(b, v.Uint(), 10), nil
	case reflect.String:
		return appendString(b, v.String()), nil
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		return c.append(b, v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b = append(b, '"')
			b = base64.StdEncoding.AppendEncode(b, v.Bytes())
			return append(b, '"'), nil
		}
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = c.append(b, v.Index(i)); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	case reflect.Struct:
		b = append(b, '{')
		some := false
		for _, f := range c.of(v.Type()) {
			x := v.FieldByIndex(f.index)
			if f.empty && isEmpty(x) {
				continue
			}
			if some {
				b = append(b, ',')
			}
			some = true
			b = append(appendString(b, f.name), ':')
			var err error
			if b, err = c.append(b, x); err != nil {
				return b, err
			}
		}
		return append(b, '}'), nil
	}
	return b, fmt.Errorf("json: cannot encode %v", v.Type())
}

// isEmpty is encoding/json's rule for omitempty: false, 0, nil and anything of length 0, but no struct.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// appendString appends a string; invalid UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

type decoder struct {
	codec
	b  []byte
	at int
}

func (d *decoder) fail(why string) error { return fmt.Errorf("%w: %s at byte %d", errJSON, why, d.at) }

func (d *decoder) space() {
	for d.at < len(d.b) {
		switch d.b[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// next returns the next byte, 0 at the end.
func (d *decoder) next() byte {
	if d.at < len(d.b) {
		return d.b[d.at]
	}
	return 0
}

func (d *decoder) take(word string) bool {
	if strings.HasPrefix(string(d.b[d.at:min(len(d.b), d.at+len(word))]), word) {
		d.at += len(word)
		return true
	}
	return false
}

// value decodes one value into v; if v is invalid, it skips the value.
func (d *decoder) value(v reflect.Value, depth int) error {
	if depth > maxDepth {
		return d.fail("nested too deeply")
	}
	switch c := d.next(); {
	case c == 'n' && d.take("null"):
		if v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice) {
			v.SetZero()
		}
		return nil
	case c == 't' && d.take("true"), c == 'f' && d.take("false"):
		if !v.IsValid() {
			return nil
		}
		if v.Kind() != reflect.Bool {
			return d.fail("want a boolean")
		}
		v.SetBool(c == 't')
		return nil
	case c == '"':
		s, err := d.text()
		if err != nil || !v.IsValid() {
			return err
		}
		return d.setText(v, s)
	case c == '-' || '0' <= c && c <= '9':
		return d.number(v)
	case c == '[':
		return d.list(v, depth)
	case c == '{':
		return d.object(v, depth)
	}
	return d.fail("want a value")
}

// target follows pointers, allocating what they point to.
func target(v reflect.Value) reflect.Value {
	for v.IsValid() && v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}

func (d *decoder) setText(v reflect.Value, s string) error {
	v = target(v)
	switch {
	case v.Kind() == reflect.String:
		v.SetString(s)
		return nil
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return d.fail("invalid base64")
		}
		v.SetBytes(b)
		return nil
	}
	return d.fail("want a string")
}

// number decodes a number. Bodies hold integers only; JavaScript writes those below 1e21 with digits alone.
func (d *decoder) number(v reflect.Value) error {
	start := d.at
	d.take("-")
	whole := d.digits()
	plain := d.at
	if d.take(".") {
		whole = d.digits() && whole
	}
	if d.take("e") || d.take("E") {
		_ = d.take("+") || d.take("-")
		whole = d.digits() && whole
	}
	s := string(d.b[start:d.at])
	digits := strings.TrimPrefix(s, "-")
	if !whole || len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return d.fail("want a number")
	}
	v = target(v)
	if !v.IsValid() {
		return nil
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || d.at != plain || v.OverflowInt(n) {
			return d.fail("number out of range")
		}
		v.SetInt(n)
		return nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || d.at != plain || v.OverflowUint(n) {
			return d.fail("number out of range")
		}
		v.SetUint(n)
		return nil
	}
	return d.fail("want a number")
}

// digits skips digits and reports whether there were any.
func (d *decoder) digits() bool {
	start := d.at
	for d.at < len(d.b) && d.b[d.at] >= '0' && d.b[d.at] <= '9' {
		d.at++
	}
	return d.at > start
}

func (d *decoder) list(v reflect.Value, depth int) error {
	v = target(v)
	if v.IsValid() {
		if v.Kind() != reflect.Slice {
			return d.fail("want a list")
		}
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	d.at++
	for first := true; ; first = false {
		d.space()
		if first && d.next() == ']' {
			d.at++
			return nil
		}
		var item reflect.Value
		if v.IsValid() {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			item = v.Index(v.Len() - 1)
		}
		if err := d.value(item, depth+1); err != nil {
			return err
		}
		d.space()
		switch d.next() {
		case ',':
			d.at++
		case ']':
			d.at++
			return nil
		default:
			return d.fail("list without an end")
		}
	}
}

func (d *decoder) object(v reflect.Value, depth int) error {
	v = target(v)
	var fields []field
	if v.IsValid() {
		if v.Kind() != reflect.Struct {
			return d.fail("want an object")
		}
		fields = d.of(v.Type())
	}
	d.at++
	for first := true; ; first = false {
		d.space()
		if first && d.next() == '}' {
			d.at++
			return nil
		}
		if d.next() != '"' {
			return d.fail("member without a name")
		}
		name, err := d.text()
		if err != nil {
			return err
		}
		if d.space(); d.next() != ':' {
			return d.fail("member without a value")
		}
		d.at++
		d.space()
		var member reflect.Value
		for _, f := range fields {
			if f.name == name {
				member = v.FieldByIndex(f.index)
				break
			}
		}
		if err := d.value(member, depth+1); err != nil {
			return err
		}
		d.space()
		switch d.next() {
		case ',':
			d.at++
		case '}':
			d.at++
			return nil
		default:
			return d.fail("object without an end")
		}
	}
}

// text decodes a string. Lone surrogates, which JSON can hold, become U+FFFD.
func (d *decoder) text() (string, error) {
	d.at++
	start := d.at
	for d.at < len(d.b) { // most strings contain no escapes
		switch c := d.b[d.at]; {
		case c == '"':
			s := string(d.b[start:d.at])
			d.at++
			return strings.ToValidUTF8(s, "\ufffd"), nil
		case c == '\\':
			return d.escaped(append([]byte(nil), d.b[start:d.at]...))
		case c < ' ':
			return "", d.fail("control character in a string")
		}
		d.at++
	}
	return "", d.fail("string without an end")
}

func (d *decoder) escaped(out []byte) (string, error) {
	for d.at < len(d.b) {
		c := d.b[d.at]
		d.at++
		switch {
		case c == '"':
			return strings.ToValidUTF8(string(out), "\ufffd"), nil
		case c < ' ':
			return "", d.fail("control character in a string")
		case c != '\\':
			out = append(out, c)
			continue
		}
		c = d.next()
		d.at++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := d.hex4()
			if !ok {
				return "", d.fail("invalid escape")
			}
			if utf16.IsSurrogate(r) {
				back := d.at
				pair := rune(utf8.RuneError)
				if d.take(`\u`) {
					if low, ok := d.hex4(); ok {
						pair = utf16.DecodeRune(r, low)
					}
				}
				if pair == utf8.RuneError {
					d.at = back
				}
				r = pair
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", d.fail("invalid escape")
		}
	}
	return "", d.fail("string without an end")
}

func (d *decoder) hex4() (rune, bool) {
	if d.at+4 > len(d.b) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(d.b[d.at:d.at+4]), 16, 16)
	if err != nil {
		return 0, false
	}
	d.at += 4
	return rune(n), true
}
