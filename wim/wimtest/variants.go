package wimtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Variant is a form of archive that an available tool can write. Steps are command lines, in which TREE, BASE and OUT stand for the
// tree to capture, another tree that shares files with it, and the archive's name without extension.
type Variant struct {
	Name   string
	Family string   // what decodes it: none, xpress, lzx, lzms, solid-xpress, solid-lzx, solid-lzms
	Chunk  int      // chunk size in bytes; 0 if nothing is compressed
	Steps  []string // run in order
	First  string   // file to open, with OUT
	Ref    string   // glob of the other files that it needs, with OUT; "" if none
	Images int      // number of images; TREE is image 1, BASE image 2
	Plain  bool     // the tree must be one of TreeOptions.Plain, without links
	Clock  bool     // the tool drops some times, so only contents can be compared with the source
}

// Programs returns the programs that the steps run.
func (v Variant) Programs() []string {
	var out []string
	for _, s := range v.Steps {
		out = append(out, strings.Fields(s)[0])
	}
	return out
}

// Base reports whether the steps need the tree BASE.
func (v Variant) Base() bool {
	return slices.ContainsFunc(v.Steps, func(s string) bool { return strings.Contains(s, "BASE") })
}

// Made is an archive that Variant.Make has written.
type Made struct {
	First string // path to open
	Ref   string // glob for --ref, "" if none is needed
}

// Make writes the archive into folder dir, which must exist, from the folders tree and base.
func (v Variant) Make(dir, tree, base string) (*Made, error) {
	name := strings.NewReplacer(" ", "-", "/", "-", ",", "").Replace(v.Name)
	out := filepath.Join(dir, name)
	fill := func(s string) string { return strings.NewReplacer("TREE", tree, "BASE", base, "OUT", out).Replace(s) }
	for _, s := range v.Steps {
		words := strings.Fields(s)
		for i := range words {
			words[i] = fill(words[i])
		}
		at := dir
		if words[0] == SevenZip {
			at = tree // 7-Zip stores paths as given
		}
		if _, err := Run(at, words[0], words[1:]...); err != nil {
			return nil, fmt.Errorf("variant %s: %w", v.Name, err)
		}
	}
	m := &Made{First: fill(v.First)}
	if v.Ref != "" {
		m.Ref = fill(v.Ref)
	}
	if _, err := os.Stat(m.First); err != nil {
		return nil, fmt.Errorf("variant %s: %w", v.Name, err)
	}
	return m, nil
}

// Variants returns all forms: each codec with each of its chunk sizes, solid or not, and each other property.
func Variants() []Variant {
	const capture = Wimlib + " capture TREE OUT.wim image "
	vs := []Variant{
		{Name: "none", Family: "none", Steps: []string{capture + "--compress=none"}},
		{Name: "none, solid", Family: "none", Steps: []string{capture + "--solid --compress=none"}},
	}
	for _, c := range []struct {
		codec    string
		low, top int
	}{{"XPRESS", 4 << 10, 64 << 10}, {"LZX", 32 << 10, 2 << 20}, {"LZMS", 32 << 10, 64 << 20}} {
		for n := c.low; n <= c.top; n *= 2 {
			vs = append(vs, Variant{
				Name: c.codec + " " + size(n), Family: strings.ToLower(c.codec), Chunk: n,
				Steps: []string{fmt.Sprintf("%s--compress=%s --chunk-size=%d", capture, c.codec, n)},
			}, Variant{
				Name: c.codec + " " + size(n) + " solid", Family: "solid-" + strings.ToLower(c.codec), Chunk: n,
				Steps: []string{fmt.Sprintf("%s--solid --solid-compress=%s --solid-chunk-size=%d", capture, c.codec, n)},
			})
		}
	}
	// Each other property is combined with some codec, so that all four take part.
	const append2 = Wimlib + " append BASE OUT.wim base "
	vs = append(vs,
		Variant{Name: "LZX, integrity table", Family: "lzx", Chunk: 32 << 10, Steps: []string{capture + "--check"}},
		Variant{Name: "LZMS solid, integrity table", Family: "solid-lzms", Chunk: 1 << 20, Steps: []string{capture + "--solid --check --solid-chunk-size=1M"}},
		Variant{Name: "XPRESS, two images", Family: "xpress", Chunk: 32 << 10, Images: 2, Steps: []string{capture + "--compress=XPRESS", append2}},
		Variant{Name: "LZMS solid, two images", Family: "solid-lzms", Chunk: 1 << 20, Images: 2, Steps: []string{capture + "--solid --solid-chunk-size=1M", append2 + "--solid --solid-chunk-size=1M"}},
		Variant{Name: "none, pipable", Family: "none", Steps: []string{capture + "--compress=none --pipable"}},
		Variant{Name: "XPRESS, pipable", Family: "xpress", Chunk: 4 << 10, Steps: []string{capture + "--compress=XPRESS --chunk-size=4096 --pipable"}},
		Variant{Name: "LZX, pipable", Family: "lzx", Chunk: 32 << 10, Steps: []string{capture + "--pipable --check"}},
		Variant{Name: "LZMS, pipable", Family: "lzms", Chunk: 128 << 10, Steps: []string{capture + "--compress=LZMS --pipable"}},
	)
	for _, codec := range []string{"none", "XPRESS", "LZX", "LZMS"} {
		chunk := map[string]int{"XPRESS": 32 << 10, "LZX": 32 << 10, "LZMS": 128 << 10}[codec]
		vs = append(vs,
			Variant{
				Name: codec + ", split", Family: strings.ToLower(codec), Chunk: chunk, First: "OUT.swm", Ref: "OUT*.swm",
				Steps: []string{capture + "--check --compress=" + codec, Wimlib + " split OUT.wim OUT.swm 0.02"},
			},
			Variant{
				Name: codec + ", delta", Family: strings.ToLower(codec), Chunk: chunk, First: "OUT-delta.wim", Ref: "OUT.wim",
				Steps: []string{
					Wimlib + " capture BASE OUT.wim base --compress=" + codec,
					Wimlib + " capture TREE OUT-delta.wim image --delta-from=OUT.wim --compress=" + codec,
				},
			})
	}
	vs = append(vs,
		Variant{
			Name: "LZX, pipable, split", Family: "lzx", Chunk: 32 << 10, First: "OUT.swm", Ref: "OUT*.swm",
			Steps: []string{capture + "--pipable", Wimlib + " split OUT.wim OUT.swm 0.02"},
		},
		Variant{
			Name: "LZMS solid, delta", Family: "solid-lzms", Chunk: 1 << 20, First: "OUT-delta.wim", Ref: "OUT.wim",
			Steps: []string{
				Wimlib + " capture BASE OUT.wim base --solid --solid-chunk-size=1M",
				Wimlib + " capture TREE OUT-delta.wim image --delta-from=OUT.wim --solid --solid-chunk-size=1M",
			},
		},
		Variant{
			Name: "LZX, rebuilt by export", Family: "lzx", Chunk: 32 << 10, First: "OUT-2.wim",
			Steps: []string{capture + "--compress=none", Wimlib + " export OUT.wim 1 OUT-2.wim --compress=LZX"},
		},
		Variant{
			Name: "LZX, Unix data", Family: "lzx", Chunk: 32 << 10, Steps: []string{capture + "--unix-data"},
		},
		Variant{
			Name: "7-Zip", Family: "none", Plain: true, Clock: true,
			Steps: []string{SevenZip + " a -twim -bd -snl -mtm -mtc -mta OUT.wim ."},
		},
	)
	for i := range vs {
		if vs[i].First == "" {
			vs[i].First = "OUT.wim"
		}
		if vs[i].Images == 0 {
			vs[i].Images = 1
		}
	}
	return vs
}

func size(n int) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%dM", n>>20)
	}
	return fmt.Sprintf("%dK", n>>10)
}
