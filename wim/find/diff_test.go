package find_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/find"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/handtree"
)

func TestDiff(t *testing.T) {
	set := func(e *handtree.Item, f func(*format.Dentry)) *handtree.Item { f(&e.D); return e }
	a := archivetest.ParseTree(t, handtree.Metadata(handtree.Dir("",
		handtree.File("same"),
		handtree.File("content"),
		handtree.File("gone"),
		handtree.Dir("gone dir", handtree.File("x"), handtree.Dir("y", handtree.File("z"))),
		handtree.Dir("both", handtree.File("inner")),
		handtree.File("becomes a folder"),
		handtree.File("attrs"),
		handtree.File("times"),
		handtree.File("access time"),
		handtree.File("case"),
		handtree.File("streams").With(func(e *handtree.Item) {
			e.Streams = []format.StreamEntry{{Name: handtree.U16("b"), Hash: handtree.HashOf("b")}, {Name: handtree.U16("a"), Hash: handtree.HashOf("a")}}
		}),
		handtree.File("more streams"),
		handtree.File("items"),
		set(handtree.File("security"), func(d *format.Dentry) { d.SecurityID = 1 }),
	), wimtest.Descriptor()))
	b := archivetest.ParseTree(t, handtree.Metadata(handtree.Dir("",
		handtree.File("same"),
		set(handtree.File("content"), func(d *format.Dentry) { d.Hash = handtree.HashOf("new"); d.Modified = 9 }),
		handtree.Dir("new dir", handtree.File("x")),
		handtree.Dir("both", handtree.File("inner"), handtree.File("new")),
		handtree.Dir("becomes a folder", handtree.File("x")),
		handtree.File("attrs").With(func(e *handtree.Item) { e.Attrs = format.AttrHidden }),
		set(handtree.File("times"), func(d *format.Dentry) { d.Created = 1; d.Modified = 2 }),
		set(handtree.File("access time"), func(d *format.Dentry) { d.Accessed = 1 }),
		handtree.File("CASE"),
		handtree.File("streams").With(func(e *handtree.Item) {
			e.Streams = []format.StreamEntry{{Name: handtree.U16("a"), Hash: handtree.HashOf("a")}, {Name: handtree.U16("b"), Hash: handtree.HashOf("b")}}
		}),
		handtree.File("more streams").With(func(e *handtree.Item) {
			e.Streams = []format.StreamEntry{{Name: handtree.U16("a"), Hash: handtree.HashOf("a")}}
		}),
		set(handtree.File("items"), func(d *format.Dentry) { d.Items = format.TaggedItem{Tag: 9, Data: []byte("x")}.Append(nil) }),
		handtree.File("security"),
	)))
	list := func(a, b *wim.Image) []string {
		var got []string
		find.Diff(a, b, func(c find.Change) bool {
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
	// In the other direction, added entries are removed.
	swap := strings.NewReplacer("added", "removed", "removed", "added")
	back := list(b, a)
	for i := range back {
		back[i] = swap.Replace(back[i])
	}
	there := slices.Clone(want)
	slices.Sort(there)
	slices.Sort(back)
	if !slices.Equal(back, there) {
		t.Errorf("in the other direction:\n%s\nwant\n%s", strings.Join(back, "\n"), strings.Join(there, "\n"))
	}
	count := 0
	find.Diff(a, b, func(find.Change) bool { count++; return count < 3 })
	if count != 3 {
		t.Errorf("yield was called %d times after it returned false", count)
	}
}
