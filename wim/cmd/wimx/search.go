package main

import (
	"fmt"
	"sort"
	"strings"

	"wimscope/wim"
)

func searchVerb() verb {
	return verb{
		name:  "search",
		usage: "WIMFILE NAME-GLOB [--ref=GLOB] [--json]",
		opts:  []option{{name: "ref", value: true}, {name: "json"}},
		run:   runSearch,
	}
}

// hit is an entry that a search found.
type hit struct {
	Image int    `json:"image"`
	Path  string `json:"path"`
}

// group is the hits that have the same content; a folder or an empty file is a group of its own name.
type group struct {
	Hash string `json:"hash,omitempty"`
	Size int64  `json:"size"`
	Dir  bool   `json:"dir,omitempty"`
	Hits []hit  `json:"hits"`
}

// runSearch looks for names in all images, ignoring case: with * or ? the whole name must match, otherwise the words
// may stand anywhere in it. It ends with status 1 if nothing was found, as grep does.
func runSearch(t *tool, o *parsed) error {
	if len(o.args) != 2 || o.args[1] == "" {
		return usageError{"search takes an archive and a name"}
	}
	a, err := t.open(o.args[0], o.all("ref"))
	if err != nil {
		return needFirst(err, o.args[0])
	}
	defer a.Close()
	pattern := o.args[1]
	if !hasGlob(pattern) {
		pattern = "*" + pattern + "*"
	}
	groups := map[string]*group{}
	var order []*group
	for _, i := range a.indexes(allImages) {
		im, err := a.Image(i)
		if err != nil {
			return coded(exitMetadata, err)
		}
		for n := wim.Node(1); int(n) < im.Len(); n++ {
			if n%4096 == 0 && t.ctx.Err() != nil {
				return codef(exitInterrupted, "interrupted")
			}
			name := nativeName(im.RawName(n))
			if !matchName(pattern, name, true) {
				continue
			}
			h := im.Hash(n)
			key := h.String()
			if h.IsZero() {
				key = fmt.Sprint(im.IsDir(n)) + strings.ToUpper(im.Path(n))
			}
			g := groups[key]
			if g == nil {
				g = &group{Size: im.Size(n), Dir: im.IsDir(n)}
				if !h.IsZero() {
					g.Hash = h.String()
				}
				groups[key] = g
				order = append(order, g)
			}
			g.Hits = append(g.Hits, hit{i, nativePath(im, n)})
		}
	}
	sort.SliceStable(order, func(i, j int) bool {
		return strings.ToUpper(order[i].Hits[0].Path) < strings.ToUpper(order[j].Hits[0].Path)
	})
	if o.has("json") {
		if order == nil {
			order = []*group{}
		}
		if err := t.json(order); err != nil {
			return err
		}
	}
	for _, g := range order {
		if o.has("json") {
			break
		}
		switch {
		case g.Dir:
			fmt.Fprintln(t.stdout, "folder")
		case g.Hash == "":
			fmt.Fprintln(t.stdout, "empty file")
		default:
			fmt.Fprintf(t.stdout, "%s  %d bytes\n", g.Hash, g.Size)
		}
		for _, h := range g.Hits {
			fmt.Fprintf(t.stdout, "    %d:%s\n", h.Image, h.Path)
		}
	}
	if len(order) == 0 {
		return told(exitOther, "nothing found")
	}
	return nil
}
