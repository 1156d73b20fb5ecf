package main

import (
	"wimscope/wim/write"
)

func reorderVerb() verb {
	return verb{
		name:  "reorder",
		usage: "WIMFILE IMAGE... [--check] [--include-integrity] [--nocheck] [--dry-run] [--verify-after]",
		opts:  join(integrityOptions(), runOptionTable(), []option{{name: "ref", value: true}}),
		run:   runReorder,
	}
}

// runReorder moves the named images to the front, in that order; the others follow in their old order. The boot image stays
// the same.
func runReorder(t *tool, o *parsed) error {
	if len(o.args) < 2 {
		return usageError{"reorder takes an archive and the images to move to the front, by index or name"}
	}
	return t.change(o, false, nil, func(c *changing) error {
		e, err := c.builder()
		if err != nil {
			return err
		}
		var first []int
		seen := map[int]bool{}
		for _, arg := range o.args[1:] {
			index, err := c.a.image(arg, true, false)
			if err != nil {
				return err
			}
			if seen[index] {
				return usageError{"image " + arg + " is named twice"}
			}
			seen[index] = true
			first = append(first, index)
		}
		moved, err := putFirst(e, first)
		if err != nil {
			return err
		}
		if !moved {
			c.unchanged()
			return nil
		}
		_, err = c.write(modification{edit: e})
		return err
	})
}

// putFirst moves images to the front, in that order. It reports whether any image had to be moved.
func putFirst(e *write.Builder, first []int) (moved bool, err error) {
	at := make([]int, e.Len()) // at[i] is the image, by its old index, that stands at i+1
	for i := range at {
		at[i] = i + 1
	}
	for to, image := range first {
		from := to
		for at[from] != image {
			from++
		}
		if from == to {
			continue
		}
		if err := e.Move(from+1, to+1); err != nil {
			return moved, err
		}
		copy(at[to+1:from+1], at[to:from])
		at[to], moved = image, true
	}
	return moved, nil
}
