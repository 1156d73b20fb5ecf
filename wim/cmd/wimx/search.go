package main

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"wimscope/wim"
	"wimscope/wim/find"
)

func searchVerb() verb {
	return verb{
		name:  "search",
		usage: "WIMFILE NAME-GLOB [--ref=GLOB] [--json]",
		opts:  []option{{name: "ref", value: true}},
		run:   runSearch,
	}
}

// hit is an entry that the search found.
type hit struct {
	Image int    `json:"image"`
	Path  string `json:"path"`
}

// group is a set of hits with the same content. A folder or an empty file forms a group of its own.
type group struct {
	Hash string `json:"hash,omitempty"`
	Size int64  `json:"size"`
	Dir  bool   `json:"dir,omitempty"`
	Hits []hit  `json:"hits"`
}

// runSearch searches for names in all images, ignoring case, or for paths if the text contains slashes. With * or ? the whole
// name must match; otherwise the text may occur anywhere in it. The exit status is 1 if nothing was found, like that of grep.
func runSearch(t *tool, o *parsed) error {
	if len(o.args) != 2 || o.args[1] == "" {
		return usageError{"search takes an archive and a name"}
	}
	a, err := t.open(o.args[0], o.all("ref"))
	if err != nil {
		return needFirst(err, o.args[0])
	}
	defer a.Close()
	query := find.NewQuery(queryText(o.args[1]))
	found := find.Groups{Keep: math.MaxInt}
	images := map[int]*wim.Image{}
	for _, i := range a.indexes(allImages) {
		im, err := a.Image(i)
		if err != nil {
			return coded(exitMetadata, err)
		}
		t.lookAt(im)
		images[i] = im
		s := find.In(im, query)
		for s.Step(65536, func(n wim.Node) bool { found.Add(im, n); return true }) {
			if t.ctx.Err() != nil {
				return codef(exitInterrupted, "interrupted")
			}
		}
	}
	order := make([]*group, 0, len(found.List))
	for _, f := range found.List {
		g := &group{Size: f.Size, Dir: f.Dir}
		if !f.Hash.IsZero() {
			g.Hash = f.Hash.String()
		}
		for _, h := range f.Hits {
			g.Hits = append(g.Hits, hit{h.Image, nativePath(images[h.Image], h.Node)})
		}
		order = append(order, g)
	}
	sort.SliceStable(order, func(i, j int) bool {
		return strings.ToUpper(order[i].Hits[0].Path) < strings.ToUpper(order[j].Hits[0].Path)
	})
	if o.has("json") {
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
			fmt.Fprintf(t.stdout, "    %d:%s\n", h.Image, t.name(h.Path))
		}
	}
	if len(order) == 0 {
		return reported(exitOther, "nothing found")
	}
	return nil
}
