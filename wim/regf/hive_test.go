package regf

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

func openHive(t testing.TB, b []byte) *Hive {
	t.Helper()
	h, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// walk appends a line for each key and value from k down.
func walk(k *Key, path string, out *[]string) error {
	*out = append(*out, fmt.Sprintf("%q", path+k.Name))
	values, err := k.Values()
	if err != nil {
		return err
	}
	for _, v := range values {
		data, err := v.Bytes()
		if err != nil {
			return err
		}
		*out = append(*out, fmt.Sprintf("%q %q %d %x", path+k.Name, v.Name, v.Type, data))
	}
	keys, err := k.Subkeys()
	if err != nil {
		return err
	}
	for _, s := range keys {
		if err := walk(s, path+k.Name+`\`, out); err != nil {
			return err
		}
	}
	return nil
}

// walkMade appends the lines that walk must append for the same hive.
func walkMade(k *wimtest.HiveKey, path string, out *[]string) {
	*out = append(*out, fmt.Sprintf("%q", path+k.Name))
	for _, v := range k.Values {
		*out = append(*out, fmt.Sprintf("%q %q %d %x", path+k.Name, v.Name, v.Type, v.Data))
	}
	for _, s := range k.Keys {
		walkMade(s, path+k.Name+`\`, out)
	}
}

func keys(names ...string) (list []*wimtest.HiveKey) {
	for _, n := range names {
		list = append(list, &wimtest.HiveKey{Name: n, Values: []wimtest.HiveValue{wimtest.HiveText("its name", n)}})
	}
	return list
}

// hives returns hives with each kind of list, name and value.
func hives() []*wimtest.HiveKey {
	names := []string{"A", "Böse", "Microsoft", "Windows", "Windows NT", "Ωmega", "日本", "𝒳"}
	var many []string
	for i := range 700 { // more than a list of 4096 bytes holds
		many = append(many, fmt.Sprintf("key %03d", i))
	}
	list := []*wimtest.HiveKey{{Name: "ROOT"}}
	for _, kind := range []string{"lf", "lh", "li", "ri"} {
		list = append(list, &wimtest.HiveKey{Name: "ROOT", List: kind, Keys: keys(names...)}, &wimtest.HiveKey{Name: "ROOT", Keys: []*wimtest.HiveKey{
			{Name: "many", List: kind, Keys: keys(many...)},
		}})
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 5000)
	return append(list, &wimtest.HiveKey{Name: "ROOT", Wide: true, Values: []wimtest.HiveValue{
		wimtest.HiveText("", "the default"), wimtest.HiveText("Empty", ""), wimtest.HiveText("Text", "Größe 日本 𝒳"),
		{Name: "Wide", Wide: true, Type: 1, Data: wimtest.HiveText("", "x").Data}, {Name: "Größe", Type: 3, Data: []byte{1, 2, 3}}, wimtest.HiveText("日本", "Japan"),
		wimtest.HiveNumber("Number", 0x80000001), {Name: "Big endian", Type: 5, Data: []byte{1, 2, 3, 4}}, {Name: "Long", Type: 11, Data: []byte{1, 2, 3, 4, 5, 6, 7, 0x88}},
		wimtest.HiveTexts("List", "one", "two"), {Name: "Nothing", Type: 0}, {Name: "Expand", Type: 2, Data: wimtest.HiveText("", "%x%").Data},
		{Name: "Small", Type: 3, Data: big[:16344]}, {Name: "Two", Type: 3, Data: big[:16345]}, {Name: "Full", Type: 3, Data: big[:2*16344]}, {Name: "Big", Type: 3, Data: big},
	}})
}

func TestHive(t *testing.T) {
	for i, made := range hives() {
		b := wimtest.Hive(made)
		h := openHive(t, b)
		if h.Dirty || h.BadChecksum || h.Major != 1 || h.Minor != 5 {
			t.Errorf("hive %d: %+v", i, h)
		}
		root, err := h.Root()
		if err != nil {
			t.Fatalf("hive %d: %v", i, err)
		}
		var got, want []string
		if err := walk(root, "", &got); err != nil {
			t.Errorf("hive %d: %v", i, err)
		}
		walkMade(made, "", &want)
		if !slices.Equal(got, want) {
			t.Errorf("hive %d: got\n%s\nwant\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

//go:embed README.md
var readme string

// The example in the README is a hive.
func TestExample(t *testing.T) {
	b := wimtest.Dump(readme)
	b = append(b, make([]byte, max(0, 8192-len(b)))...) // the page omits rows of zeros
	h := openHive(t, b)
	root, err := h.Root()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := walk(root, "", &got); err != nil {
		t.Fatal(err)
	}
	want := []string{`"ROOT"`, `"ROOT\\Microsoft"`, `"ROOT\\Microsoft" "Edition" 1 43006f00720065000000`, `"ROOT\\Microsoft" "UBR" 4 db0e0000`}
	if !slices.Equal(got, want) || h.Dirty || h.BadChecksum {
		t.Errorf("got %q, %+v", got, h)
	}
}

// Lookup finds keys and values by names in other case, despite wrong hints, and in each kind of list.
func TestLookup(t *testing.T) {
	for _, kind := range []string{"lf", "lh", "li", "ri"} {
		for _, hint := range []uint32{0, 1} {
			leaf := wimtest.HivePath(`Microsoft\Windows NT\Größe ω`, nil, wimtest.HiveText("Édition", "found"), wimtest.HiveNumber("Other", 1))
			root := &wimtest.HiveKey{Name: "ROOT", List: kind, Hint: hint, Keys: append(keys("A", "B", "Classes", "Micro"), append([]*wimtest.HiveKey{leaf}, keys("Wow")...)...)}
			h := openHive(t, wimtest.Hive(root))
			if _, err := h.Key(`\MICROSOFT\\windows nt\gRÖSSe ω\`); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: the sharp s was found as two: %v", kind, err)
			}
			k, err := h.Key(`\MICROSOFT\\windows nt\gRÖßE Ω\`)
			if err != nil {
				t.Errorf("%s, hints off by %d: %v", kind, hint, err)
				continue
			}
			v, err := k.Value("éDITION")
			if err != nil {
				t.Fatal(err)
			}
			if s, err := v.Text(); s != "found" || err != nil {
				t.Errorf("%q, %v", s, err)
			}
			if _, err := k.Value("Editio"); !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
			if _, err := h.Key("Microsof"); !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
		}
	}
}

func TestValueTypes(t *testing.T) {
	made := hives()
	root, err := openHive(t, wimtest.Hive(made[len(made)-1])).Root()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"": "the default", "Empty": "", "Text": "Größe 日本 𝒳", "List": "one", "日本": "Japan", "Number": "2147483649", "Big endian": "16909060",
		"Long": "-8644934341102468607", "Größe": "ErrType", "Expand": "ErrType", "Nothing": "ErrType",
	} {
		v, err := root.Value(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		got, err := v.Text()
		if errors.Is(err, ErrType) {
			var n int64
			if n, err = v.Number(); err == nil {
				got = fmt.Sprint(n)
			} else if errors.Is(err, ErrType) {
				got, err = "ErrType", nil
			}
		}
		if got != want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", name, got, err, want)
		}
	}
}

// hivexml finds the same keys and values.
func TestAgainstHiveXML(t *testing.T) {
	wimtest.Need(t, wimtest.HiveXML)
	dir := t.TempDir()
	for i, made := range hives() {
		b := wimtest.Hive(made)
		if err := os.WriteFile(filepath.Join(dir, "hive"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		out := wimtest.MustRun(t, dir, wimtest.HiveXML, "hive")
		var doc struct {
			Root xmlKey `xml:"node"`
		}
		if err := xml.Unmarshal(out, &doc); err != nil {
			t.Fatal(err)
		}
		root, err := openHive(t, b).Root()
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		if err := walkXML(root, &got); err != nil {
			t.Fatal(err)
		}
		doc.Root.lines(&want)
		if !slices.Equal(got, want) {
			t.Errorf("hive %d: we read\n%s\nhivexml\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// xmlKey is a key as hivexml writes it.
type xmlKey struct {
	Name   string `xml:"name,attr"`
	Values []struct {
		Type    string   `xml:"type,attr"`
		Key     string   `xml:"key,attr"`
		Default string   `xml:"default,attr"`
		Value   string   `xml:"value,attr"`
		Strings []string `xml:"string"`
	} `xml:"value"`
	Keys []xmlKey `xml:"node"`
}

func (k *xmlKey) lines(out *[]string) {
	*out = append(*out, k.Name)
	for _, v := range k.Values {
		value := strings.ReplaceAll(v.Value, "\n", "") // base64 is wrapped
		if v.Type == "string-list" {
			value = v.Strings[0]
		}
		*out = append(*out, fmt.Sprintf("%s %s %q", k.Name, v.Key, value))
	}
	for i := range k.Keys {
		k.Keys[i].lines(out)
	}
}

func walkXML(k *Key, out *[]string) error {
	*out = append(*out, k.Name)
	values, err := k.Values()
	if err != nil {
		return err
	}
	for _, v := range values {
		b, err := v.Bytes()
		if err != nil {
			return err
		}
		value := ""
		switch v.Type {
		case TypeString, TypeStrings:
			value, err = v.Text()
		case 2:
			value = strings.TrimRight(utf16Text(b), "\x00")
		case TypeNumber32, TypeNumber32Big, TypeNumber64:
			var n int64
			n, err = v.Number()
			value = fmt.Sprint(n)
			if v.Type != TypeNumber64 {
				value = fmt.Sprint(int32(n))
			}
		default:
			value = base64Text(b)
		}
		if err != nil {
			return err
		}
		*out = append(*out, fmt.Sprintf("%s %s %q", k.Name, v.Name, value))
	}
	subs, err := k.Subkeys()
	if err != nil {
		return err
	}
	for _, s := range subs {
		if err := walkXML(s, out); err != nil {
			return err
		}
	}
	return nil
}

// counting counts the bytes read of a hive.
type counting struct {
	r     io.ReaderAt
	bytes int
}

func (c *counting) ReadAt(b []byte, off int64) (int, error) {
	c.bytes += len(b)
	return c.r.ReadAt(b, off)
}

// A lookup of one key among many, in a hive of 64 MB, reads only a few pages.
func TestReadsLittle(t *testing.T) {
	var many []string
	for i := range 4200 {
		many = append(many, fmt.Sprintf("key %04d", i))
	}
	root := &wimtest.HiveKey{Name: "ROOT", Keys: []*wimtest.HiveKey{{Name: "Classes", Keys: keys(many...)}}}
	for i := range root.Keys[0].Keys {
		root.Keys[0].Keys[i].Values[0].Data = make([]byte, 16000)
	}
	b := wimtest.Hive(root)
	if len(b) < 64<<20 {
		t.Fatalf("the hive has %d bytes", len(b))
	}
	c := &counting{r: bytes.NewReader(b)}
	h, err := Open(c, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	k, err := h.Key(`CLASSES\KEY 3210`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Value("its name"); err != nil {
		t.Fatal(err)
	}
	if c.bytes > 20*pageSize {
		t.Errorf("%d bytes were read", c.bytes)
	}
}

// Open reports or refuses faults of the base block. Other faults are errors of the call that meets them.
func TestBroken(t *testing.T) {
	le := binary.LittleEndian
	leaf := wimtest.HivePath("a", keys("b", "c"), wimtest.HiveText("v", "a longer text"))
	good := wimtest.Hive(&wimtest.HiveKey{Name: "ROOT", Keys: []*wimtest.HiveKey{leaf}})
	at := func(sig string) int { return bytes.Index(good, []byte(sig)) }
	rootKey := 4096 + int(le.Uint32(good[36:]))
	keyA := bytes.Index(good, append([]byte{1, 0, 0, 0}, 'a')) // length of the name, of the class, the name
	keyA -= 0x48
	for _, tt := range []struct {
		name  string
		spoil func(b []byte) []byte
		open  error // of Open
		find  error // of looking up a value
		list  error // of listing everything
	}{
		{name: "nothing", spoil: func(b []byte) []byte { return b }},
		{name: "empty", spoil: func(b []byte) []byte { return nil }, open: ErrNotHive},
		{name: "short", spoil: func(b []byte) []byte { return b[:4095] }, open: ErrNotHive},
		{name: "signature", spoil: func(b []byte) []byte { b[0] = 'x'; return b }, open: ErrNotHive},
		{name: "version 2", spoil: func(b []byte) []byte { b[20] = 2; return b }, open: ErrNotHive},
		{name: "cut", spoil: func(b []byte) []byte { return b[:len(b)-1] }, open: ErrCorrupt},
		{name: "bytes after the bins", spoil: func(b []byte) []byte { return append(b, "behind"...) }},
		{name: "bins of 4 GiB", spoil: func(b []byte) []byte { le.PutUint32(b[40:], 1<<32-1); return b }, open: ErrCorrupt},
		{name: "bins of 0 bytes", spoil: func(b []byte) []byte { le.PutUint32(b[40:], 0); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "root beyond", spoil: func(b []byte) []byte { le.PutUint32(b[36:], 1<<32-8); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "root unaligned", spoil: func(b []byte) []byte { b[36]++; return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "root free", spoil: func(b []byte) []byte { le.PutUint32(b[rootKey:], 88); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "root of -2 GiB", spoil: func(b []byte) []byte { le.PutUint32(b[rootKey:], 1<<31); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "root is no key", spoil: func(b []byte) []byte { b[rootKey+4] = 'v'; return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "root too small", spoil: func(b []byte) []byte { le.PutUint32(b[rootKey:], 1<<32-64); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "no bin", spoil: func(b []byte) []byte { b[4096] = 'x'; return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "bin elsewhere", spoil: func(b []byte) []byte { b[4101] = 0x10; return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "bin too small", spoil: func(b []byte) []byte { le.PutUint32(b[4104:], 64); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "bin too large", spoil: func(b []byte) []byte { le.PutUint32(b[4104:], 1<<20); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "name too long", spoil: func(b []byte) []byte { le.PutUint16(b[rootKey+4+0x48:], 60000); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "more keys than there are", spoil: func(b []byte) []byte { le.PutUint32(b[rootKey+4+0x14:], 2); return b }, list: ErrCorrupt},
		{name: "keys, but no list", spoil: func(b []byte) []byte { le.PutUint32(b[rootKey+4+0x1c:], 1<<32-1); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "the list is a key", spoil: func(b []byte) []byte { copy(b[rootKey+4+0x1c:], b[36:40]); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "list cut", spoil: func(b []byte) []byte { le.PutUint16(b[at("lh")+2:], 60000); return b }, list: ErrCorrupt},
		{name: "more values than there are", spoil: func(b []byte) []byte { le.PutUint32(b[keyA+0x24:], 1<<30); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "a value is a key", spoil: func(b []byte) []byte { b[bytes.LastIndex(b, []byte("vk"))] = 'n'; return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "data beyond", spoil: func(b []byte) []byte { le.PutUint32(b[bytes.LastIndex(b, []byte("vk"))+8:], 1<<31-8); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "data of 1 MiB", spoil: func(b []byte) []byte { le.PutUint32(b[bytes.LastIndex(b, []byte("vk"))+4:], 1<<20); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "data of 2 GiB", spoil: func(b []byte) []byte { le.PutUint32(b[bytes.LastIndex(b, []byte("vk"))+4:], 1<<31-1); return b }, find: ErrCorrupt, list: ErrCorrupt},
		{name: "inline data of 5 bytes", spoil: func(b []byte) []byte { le.PutUint32(b[bytes.LastIndex(b, []byte("vk"))+4:], 1<<31+5); return b }, find: ErrCorrupt, list: ErrCorrupt},
	} {
		b := tt.spoil(bytes.Clone(good))
		h, err := Open(bytes.NewReader(b), int64(len(b)))
		if !errors.Is(err, tt.open) || (err == nil) != (tt.open == nil) {
			t.Errorf("%s: Open: got %v, want %v", tt.name, err, tt.open)
		}
		if err != nil {
			continue
		}
		find := func() error {
			k, err := h.Key("A")
			if err != nil {
				return err
			}
			v, err := k.Value("V")
			if err != nil {
				return err
			}
			_, err = v.Text()
			return err
		}
		if err := find(); !errors.Is(err, tt.find) || (err == nil) != (tt.find == nil) {
			t.Errorf("%s: looking up: got %v, want %v", tt.name, err, tt.find)
		}
		root, err := h.Root()
		if err == nil {
			err = walk(root, "", new([]string))
		}
		if !errors.Is(err, tt.list) || (err == nil) != (tt.list == nil) {
			t.Errorf("%s: listing: got %v, want %v", tt.name, err, tt.list)
		}
	}
	// A cell that extends into the next bin, and one that begins at an offset that is not a multiple of 8.
	two := wimtest.Hive(&wimtest.HiveKey{Name: "ROOT", Values: []wimtest.HiveValue{{Name: "v", Type: 3, Data: make([]byte, 4000)}, {Name: "w", Type: 3, Data: make([]byte, 4000)}}})
	root := 4096 + int(le.Uint32(two[36:]))
	le.PutUint32(two[4096+32:], uint32(0x100000000-4096))
	k, err := openHive(t, two).Root()
	if err != nil {
		t.Fatal(err)
	}
	if v, err := k.Value("v"); err != nil {
		t.Error(err)
	} else if _, err := v.Bytes(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a cell in two bins: %v", err)
	}
	copy(two[root+0x54:], two[root:root+0x54]) // into free space, at a multiple of 4
	le.PutUint32(two[36:], uint32(root+0x54-4096))
	if _, err := openHive(t, two).Root(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a cell at 0x%x: %v", root+0x54, err)
	}
	dirty := bytes.Clone(good)
	dirty[4]++
	if h := openHive(t, dirty); !h.Dirty || !h.BadChecksum {
		t.Errorf("dirty: %+v", h)
	}
	wimtest.SealHive(dirty)
	if h := openHive(t, dirty); !h.Dirty || h.BadChecksum {
		t.Errorf("dirty, sealed: %+v", h)
	}
}

// Lists that contain themselves, or one key tens of thousands of times, lead to an error after limited reading.
func TestListsWithoutEnd(t *testing.T) {
	le := binary.LittleEndian
	cell := func(b []byte, data []byte) ([]byte, uint32) {
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
		at := len(b) - 4096
		n := (4 + len(data) + 7) &^ 7
		b = le.AppendUint32(b, uint32(-n))
		b = append(b, data...)
		return append(b, make([]byte, n-4-len(data))...), uint32(at)
	}
	made := func(list func(own, key uint32) []byte) []byte {
		b := wimtest.Hive(&wimtest.HiveKey{Name: "ROOT", Keys: keys("x")})
		key := 4096 + int(le.Uint32(b[36:])) + 4
		b = b[:len(b):len(b)]
		start := len(b)
		b = append(b, "hbin"...)
		b = le.AppendUint32(b, uint32(start-4096))
		b = append(b, make([]byte, 24)...)
		own := uint32(len(b) - 4096)
		b, _ = cell(b, list(own, le.Uint32(b[36:])))
		b = append(b, make([]byte, (4096-len(b)%4096)%4096)...)
		le.PutUint32(b[start+8:], uint32(len(b)-start))
		le.PutUint32(b[40:], uint32(len(b)-4096))
		le.PutUint32(b[key+0x1c:], own)
		le.PutUint32(b[key+0x14:], 1<<32-1)
		return b
	}
	repeat := func(kind string, n int, words ...uint32) []byte {
		b := le.AppendUint16([]byte(kind), uint16(n))
		for range n {
			for _, w := range words {
				b = le.AppendUint32(b, w)
			}
		}
		return b
	}
	// Four nested lists of 5000 lists each, and nothing in the last: 5000 to the fourth.
	explosion := made(func(own, _ uint32) []byte {
		const n = 5000
		var all []byte
		for level := range uint32(4) {
			next := own + (level+1)*(4*n+8)
			b := repeat("ri", n, next)
			if level > 0 {
				all = le.AppendUint32(all, uint32(0x100000000-(4*n+8)))
			}
			all = append(all, b...)
		}
		return append(le.AppendUint32(all, 1<<32-8), repeat("li", 0)...)
	})
	own := 4096 + int(le.Uint32(explosion[4096+int(le.Uint32(explosion[36:]))+4+0x1c:]))
	le.PutUint32(explosion[own:], uint32(0x100000000-(4*5000+8)))
	for _, tt := range []struct {
		name string
		b    []byte
		want error
	}{
		{"a list of itself", made(func(own, _ uint32) []byte { return repeat("ri", 1, own) }), ErrCorrupt},
		{"a list of itself, many", made(func(own, _ uint32) []byte { return repeat("ri", 65535, own) }), ErrCorrupt},
		{"a key below itself", made(func(_, key uint32) []byte { return repeat("li", 65535, key) }), ErrCorrupt},
		{"a key below itself, no hint", made(func(_, key uint32) []byte { return repeat("lh", 65535, key, 1) }), ErrCorrupt},
		{"lists of lists of lists", explosion, ErrLimit},
	} {
		name, b := tt.name, tt.b
		c := &counting{r: bytes.NewReader(b)}
		h, err := Open(c, int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Key("missing"); err == nil {
			t.Errorf("%s: found", name)
		}
		root, err := h.Root()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := root.Subkeys(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if c.bytes > 1<<30 {
			t.Errorf("%s: %d bytes were read", name, c.bytes)
		}
	}
}
