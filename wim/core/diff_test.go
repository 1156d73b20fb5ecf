package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

func TestDiff(t *testing.T) {
	set := func(e *entry, f func(*format.Dentry)) *entry { f(&e.d); return e }
	a := parseTree(t, metadata(dir("",
		file("same"),
		file("content"),
		file("gone"),
		dir("gone dir", file("x"), dir("y", file("z"))),
		dir("both", file("inner")),
		file("becomes a folder"),
		file("attrs"),
		file("times"),
		file("access time"),
		file("case"),
		file("streams").with(func(e *entry) {
			e.streams = []format.StreamEntry{{Name: u16("b"), Hash: hashOf("b")}, {Name: u16("a"), Hash: hashOf("a")}}
		}),
		file("more streams"),
		file("items"),
		set(file("security"), func(d *format.Dentry) { d.SecurityID = 1 }),
	), wimtest.Descriptor()))
	b := parseTree(t, metadata(dir("",
		file("same"),
		set(file("content"), func(d *format.Dentry) { d.Hash = hashOf("new"); d.Modified = 9 }),
		dir("new dir", file("x")),
		dir("both", file("inner"), file("new")),
		dir("becomes a folder", file("x")),
		file("attrs").with(func(e *entry) { e.attrs = format.AttrHidden }),
		set(file("times"), func(d *format.Dentry) { d.Created = 1; d.Modified = 2 }),
		set(file("access time"), func(d *format.Dentry) { d.Accessed = 1 }),
		file("CASE"),
		file("streams").with(func(e *entry) {
			e.streams = []format.StreamEntry{{Name: u16("a"), Hash: hashOf("a")}, {Name: u16("b"), Hash: hashOf("b")}}
		}),
		file("more streams").with(func(e *entry) { e.streams = []format.StreamEntry{{Name: u16("a"), Hash: hashOf("a")}} }),
		set(file("items"), func(d *format.Dentry) { d.Items = format.TaggedItem{Tag: 9, Data: []byte("x")}.Append(nil) }),
		file("security"),
	)))
	list := func(a, b *Image) []string {
		var got []string
		Diff(a, b, func(c Change) bool {
			path := ""
			if c.Old >= 0 {
				path = a.Path(c.Old)
			}
			if c.New >= 0 {
				path = b.Path(c.New)
			}
			got = append(got, strings.TrimSpace(fmt.Sprintf("%v %s %s", c.Kind, path, strings.Join(c.What, ", "))))
			return true
		})
		return got
	}
	want := []string{
		"metadata /attrs attributes",
		"changed /becomes a folder type, content, attributes",
		"added /becomes a folder/x",
		"added /both/new",
		"added /CASE",
		"removed /case",
		"changed /content content, modified",
		"removed /gone",
		"removed /gone dir",
		"removed /gone dir/x",
		"removed /gone dir/y",
		"removed /gone dir/y/z",
		"metadata /items items",
		"changed /more streams streams",
		"added /new dir",
		"added /new dir/x",
		"metadata /security security",
		"metadata /times created, modified",
	}
	if got := list(a, b); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := list(a, a); got != nil {
		t.Errorf("an image and itself: %q", got)
	}
	// The other way round, what was added is removed.
	swap := strings.NewReplacer("added", "removed", "removed", "added")
	back := list(b, a)
	for i := range back {
		back[i] = swap.Replace(back[i])
	}
	there := slices.Clone(want)
	slices.Sort(there)
	slices.Sort(back)
	if !slices.Equal(back, there) {
		t.Errorf("the other way round:\n%s\nwant\n%s", strings.Join(back, "\n"), strings.Join(there, "\n"))
	}
	count := 0
	Diff(a, b, func(Change) bool { count++; return count < 3 })
	if count != 3 {
		t.Errorf("it goes on to %d after false", count)
	}
}
