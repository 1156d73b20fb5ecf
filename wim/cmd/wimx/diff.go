package main

import (
	"fmt"
	"strings"

	"wimscope/wim"
	"wimscope/wim/find"
)

func diffVerb() verb {
	return verb{
		name:  "diff",
		usage: "WIMFILE IMAGE WIMFILE IMAGE [--ref=GLOB] [--json]",
		opts:  []option{{name: "ref", value: true}},
		run:   runDiff,
	}
}

// change is a path at which two images differ.
type change struct {
	Kind string   `json:"kind"` // "added", "removed", "changed", "metadata"
	Path string   `json:"path"`
	What []string `json:"what,omitempty"` // "content", "type", "attributes", …
}

// runDiff compares two images by path: entries only in the second one are added. Access times are ignored, since reading
// changes them. The exit status is 1 if there is any difference, like that of diff.
func runDiff(t *tool, o *parsed) error {
	if len(o.args) != 4 {
		return usageError{"diff takes two archives, each followed by an image"}
	}
	var images [2]*wim.Image
	for i := range images {
		a, err := t.open(o.args[2*i], o.all("ref"))
		if err != nil {
			return needFirst(err, o.args[2*i])
		}
		defer a.Close()
		n, err := a.image(o.args[2*i+1], true, false)
		if err == nil {
			err = a.needImages()
		}
		if err != nil {
			return err
		}
		if images[i], err = a.Image(n); err != nil {
			return coded(exitMetadata, err)
		}
		t.lookAt(images[i])
	}
	list := []change{}
	find.Diff(images[0], images[1], func(c find.Change) bool {
		im, n := images[0], c.Old
		if c.Kind == find.Added {
			im, n = images[1], c.New
		}
		list = append(list, change{c.Kind.String(), nativePath(im, n), c.What})
		return t.ctx.Err() == nil
	})
	if t.ctx.Err() != nil {
		return codef(exitInterrupted, "interrupted")
	}
	if o.has("json") {
		if err := t.json(list); err != nil {
			return err
		}
	} else {
		letters := map[string]string{"added": "+", "removed": "-", "changed": "M", "metadata": "m"}
		for _, c := range list {
			what := ""
			if len(c.What) > 0 {
				what = "  (" + strings.Join(c.What, ", ") + ")"
			}
			fmt.Fprintf(t.stdout, "%s %s%s\n", letters[c.Kind], t.name(c.Path), what)
		}
	}
	if len(list) > 0 {
		return reported(exitOther, "the images differ")
	}
	return nil
}
