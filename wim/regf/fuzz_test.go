package regf

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"testing"

	"wimscope/wim/wimtest"
)

func base64Text(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// FuzzHive reads all of a hive. Each listed name is found by lookup, and a hive made from what was read gives the same when it is read
// again.
func FuzzHive(f *testing.F) {
	for _, made := range hives() {
		if b := wimtest.Hive(made); len(b) < 64<<10 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &counting{r: bytes.NewReader(b)}
		h, err := Open(c, int64(len(b)))
		if err != nil {
			if !errors.Is(err, ErrNotHive) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
			return
		}
		h.Limit = 1 << 14
		root, err := h.Root()
		if err != nil {
			return
		}
		entries := 0
		made := remake(t, root, 4, &entries)
		if c.bytes > 2000*h.Limit/pageCost*pageSize {
			t.Fatalf("%d bytes were read", c.bytes)
		}
		again := openHive(t, wimtest.Hive(made))
		other, err := again.Root()
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		if err := walk(other, "", &got); err != nil {
			t.Fatal(err)
		}
		walkMade(made, "", &want)
		if !slices.Equal(got, want) {
			t.Fatalf("got %q\nwant %q", got, want)
		}
	})
}

// remake returns what can be read of a key, and looks up each name in it.
func remake(t *testing.T, k *Key, depth int, entries *int) *wimtest.HiveKey {
	made := &wimtest.HiveKey{Name: k.Name}
	if *entries++; *entries > 50 || depth == 0 {
		return made
	}
	values, _ := k.Values()
	for i, v := range values[:min(len(values), 8)] {
		data, err := v.Bytes()
		if err != nil {
			continue
		}
		made.Values = append(made.Values, wimtest.HiveValue{Name: v.Name, Type: uint32(v.Type), Data: data})
		found, err := k.Value(v.Name)
		if err != nil {
			t.Fatalf("value %q is listed, but not found: %v", v.Name, err)
		}
		if fold(found.Name).is(v.Name) != true || !slices.ContainsFunc(values[:i+1], func(o *Value) bool { return *o == *found }) {
			t.Fatalf("value %q is found as %q, which is not listed before it", v.Name, found.Name)
		}
	}
	keys, _ := k.Subkeys()
	for _, s := range keys[:min(len(keys), 8)] {
		if found, err := k.subkey(s.Name); err == nil && !fold(found.Name).is(s.Name) {
			t.Fatalf("key %q is found as %q", s.Name, found.Name)
		} else if errors.Is(err, ErrNotFound) {
			t.Fatalf("key %q is listed, but not found", s.Name)
		}
		made.Keys = append(made.Keys, remake(t, s, depth-1, entries))
	}
	return made
}
