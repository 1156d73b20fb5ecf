package wimtest

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"
)

// Kind is the kind of an entry of a tree.
type Kind int

const (
	Dir     Kind = iota // a folder
	File                // a file with bytes of its own
	Hard                // another name of an earlier File
	Symlink             // a symbolic link
)

// Entry is one name of a tree.
type Entry struct {
	Path   string // relative to the top, with slashes
	Kind   Kind
	Data   []byte      // File
	Target string      // Symlink: its target; Hard: the Path of the File
	Sparse bool        // File: runs of zeros are left as holes on disk
	Mode   fs.FileMode // permission bits of Dir and File
	Time   time.Time   // last modification, a multiple of 100 ns
}

// Tree is the content of a folder, parents before children. The top itself is not among the entries.
type Tree struct {
	Seed    uint64
	Shape   string
	Entries []Entry
}

// TreeOptions limits a random tree. The zero value makes about forty entries and 300 KB.
type TreeOptions struct {
	Chunk   int  // make files of this size, one byte less and one more; 0: 32768
	Entries int  // approximate number; 0: 40
	Size    int  // largest other file; 0: 60000
	Plain   bool // only names and link targets that Windows and every archive tool can hold
}

// shapes are the kinds of trees. The seed chooses one, so that any eight consecutive seeds have all of them.
var shapes = [...]string{"mixed", "deep", "wide", "names", "links", "sizes", "empty", "program"}

// Random returns the tree of a seed. The same seed and options give the same tree on every machine.
func Random(seed uint64, o *TreeOptions) *Tree {
	var opt TreeOptions
	if o != nil {
		opt = *o
	}
	if opt.Chunk == 0 {
		opt.Chunk = 32768
	}
	if opt.Entries == 0 {
		opt.Entries = 40
	}
	if opt.Size == 0 {
		opt.Size = 60000
	}
	g := &grower{
		r:     rand.New(rand.NewPCG(seed, 0x57494d)),
		o:     opt,
		t:     &Tree{Seed: seed, Shape: shapes[seed%uint64(len(shapes))]},
		dirs:  []string{""},
		taken: map[string]bool{},
	}
	switch g.t.Shape {
	case "empty":
		g.empty()
	case "deep":
		g.deep()
	case "wide":
		g.wide()
	case "names":
		g.names()
	case "links":
		g.grow(opt.Entries/2, 0)
		g.links(opt.Entries / 2)
	case "sizes":
		g.sizes()
		g.grow(opt.Entries/4, 0)
	case "program":
		g.grow(opt.Entries/2, Program)
	default:
		g.grow(opt.Entries, Mixed)
		g.links(opt.Entries / 6)
		g.sizes()
	}
	return g.t
}

type grower struct {
	r     *rand.Rand
	o     TreeOptions
	t     *Tree
	dirs  []string // "" is the top
	files []string // Files only
	taken map[string]bool
}

// add appends an entry in folder dir unless its name is taken there. Plain trees have no names that differ only in case.
func (g *grower) add(dir, name string, e Entry) bool {
	p := name
	if dir != "" {
		p = dir + "/" + name
	}
	key := p
	if g.o.Plain {
		key = strings.ToLower(p)
	}
	if g.taken[key] {
		return false
	}
	g.taken[key] = true
	e.Path = p
	e.Time = g.time()
	if e.Mode == 0 {
		e.Mode = 0o644
		if e.Kind == Dir {
			e.Mode = 0o755
		} else if g.r.IntN(5) == 0 {
			e.Mode = 0o755
		}
	}
	switch e.Kind {
	case Dir:
		g.dirs = append(g.dirs, p)
	case File:
		g.files = append(g.files, p)
	}
	g.t.Entries = append(g.t.Entries, e)
	return true
}

// time returns a time between 1971 and 2100 that uses all seven decimals.
func (g *grower) time() time.Time {
	return time.Unix(31536000+g.r.Int64N(129*31557600), g.r.Int64N(10_000_000)*100).UTC()
}

func (g *grower) dir() string { return g.dirs[g.r.IntN(len(g.dirs))] }

func (g *grower) name() string {
	stem := fmt.Sprintf("%s%d", []string{"file", "Read Me", "setup", "LIB", "x"}[g.r.IntN(5)], g.r.IntN(1000))
	return stem + []string{".txt", ".dll", "", ".TAR.gz", ".x"}[g.r.IntN(5)]
}

func (g *grower) file(c Content, n int) Entry {
	return Entry{Kind: File, Data: c.Make(g.r, n)}
}

// grow adds n ordinary entries. If most is not Text, about half of the files have that content.
func (g *grower) grow(n int, most Content) {
	for range n {
		switch g.r.IntN(10) {
		case 0, 1:
			g.add(g.dir(), fmt.Sprintf("folder %d", g.r.IntN(1000)), Entry{Kind: Dir})
		case 2:
			if len(g.t.Entries) > 0 && len(g.files) > 0 { // the same bytes under another name: stored once
				for _, e := range g.t.Entries {
					if e.Kind == File && len(e.Data) > 0 {
						g.add(g.dir(), "copy of "+g.name(), Entry{Kind: File, Data: e.Data})
						break
					}
				}
			}
		case 3:
			g.add(g.dir(), g.name(), g.file(Text, 0))
		default:
			c := Content(g.r.IntN(int(numContents)))
			if most != Text && g.r.IntN(2) == 0 {
				c = most
			}
			size := g.r.IntN(g.o.Size)
			if g.r.IntN(2) == 0 {
				size = g.r.IntN(2000)
			}
			g.add(g.dir(), g.name(), g.file(c, size))
		}
	}
}

// sizes adds files of sizes that matter to codecs and chunk tables.
func (g *grower) sizes() {
	c := g.o.Chunk
	for _, n := range []int{0, 1, 2, 3, 8, 9, 10, 11, 17, 18, c - 1, c, c + 1, 2 * c, 2*c + 1} {
		kind := Content(g.r.IntN(int(numContents)))
		if n > 1<<20 { // codecs are slow: only content that packs fast
			kind = []Content{Zeros, Table, Text}[g.r.IntN(3)]
			if n > c+1 {
				continue
			}
		}
		g.add(g.dir(), fmt.Sprintf("size %d", n), g.file(kind, n))
	}
	sparse := make([]byte, 200_000+g.r.IntN(100_000))
	copy(sparse[70_000:], "an island in a sea of zeros")
	sparse[len(sparse)-1] = 1
	g.add(g.dir(), "sparse", Entry{Kind: File, Data: sparse, Sparse: true})
	g.add(g.dir(), "all hole", Entry{Kind: File, Data: make([]byte, 65536), Sparse: true})
}

func (g *grower) links(n int) {
	for i := range n {
		name := fmt.Sprintf("link %d", i)
		if len(g.files) > 0 && g.r.IntN(2) == 0 {
			g.add(g.dir(), name, Entry{Kind: Hard, Target: g.files[g.r.IntN(len(g.files))]})
			continue
		}
		// A target relative to the link's own folder, an absolute one, or one that does not exist.
		var target string
		switch g.r.IntN(5) {
		case 0:
			target = "/usr/share/doc"
		case 1:
			target = "no such file"
		case 2:
			target = "../../../outside/the tree"
		case 3:
			target = "."
		default:
			target = "folder 1/../file"
			if len(g.files) > 0 {
				f := g.files[g.r.IntN(len(g.files))]
				target = f[strings.LastIndexByte(f, '/')+1:]
			}
		}
		g.add(g.dir(), name, Entry{Kind: Symlink, Target: target})
	}
}

func (g *grower) empty() {
	switch g.t.Seed / uint64(len(shapes)) % 3 {
	case 0: // nothing at all
	case 1:
		g.add("", "only folder", Entry{Kind: Dir})
	default:
		g.add("", "a", Entry{Kind: Dir})
		g.add("a", "b", Entry{Kind: Dir})
		g.add("", "nothing", g.file(Text, 0))
		g.add("a/b", "nothing either", g.file(Text, 0))
	}
}

func (g *grower) deep() {
	d := ""
	for i := range 20 + g.r.IntN(40) {
		name := fmt.Sprintf("level %d", i)
		g.add(d, name, Entry{Kind: Dir})
		d = strings.TrimPrefix(d+"/"+name, "/")
		if g.r.IntN(3) == 0 {
			g.add(d, g.name(), g.file(Content(g.r.IntN(int(numContents))), g.r.IntN(3000)))
		}
	}
	g.add(d, "bottom", g.file(Text, 500))
	g.add(d, "way up", Entry{Kind: Symlink, Target: "../.."})
}

func (g *grower) wide() {
	g.add("", "many", Entry{Kind: Dir})
	for i := range 150 + g.r.IntN(100) {
		n := g.r.IntN(40)
		g.add("many", fmt.Sprintf("%04d.dat", i), g.file(Content(g.r.IntN(2)), n))
	}
	for i := range 30 {
		g.add("", fmt.Sprintf("dir%02d", i), Entry{Kind: Dir})
	}
}

// oddNames are names that are valid in a Linux folder and may cause trouble elsewhere.
var oddNames = []string{
	"ümläut – naïve.txt", "日本語のファイル", "Ω≈ç√∫", "emoji 🗜️ zip", "e\u0301 combining", "\u00e9 composed",
	" leading space", "trailing space ", "trailing dot.", "two dots..", "...", ".hidden", "-dash", "@at", "#hash", ";semi",
	"CON", "aux.txt", "com1", "desktop.ini", "a&b", "50%", "it's", "tab\there", "new\nline", "~tilde~1", "LONGNA~1.TXT",
	"[brackets]", "{braces}", "dollar$", "back`tick", "\u200b zero width", "\u202egnp.exe", "Case", "case", "CASE",
	"Straße", "STRASSE", "ﬀ", "İstanbul", "ıstanbul", "𝒜 outside the BMP",
}

// worseNames have characters that Windows forbids.
var worseNames = []string{"what?", "star*", "a:b", "a<b>c", "pipe|", `quote"`, `back\slash`, "bell\a"}

func (g *grower) names() {
	names := append([]string(nil), oddNames...)
	if g.o.Plain {
		names = names[:6]
	} else {
		names = append(names, worseNames...)
	}
	names = append(names, strings.Repeat("long name ", 24)+"end", strings.Repeat("é", 120))
	for _, n := range names {
		if g.r.IntN(6) == 0 {
			g.add(g.dir(), n, Entry{Kind: Dir})
		} else {
			g.add(g.dir(), n, g.file(Text, g.r.IntN(300)))
		}
	}
}

// Half returns a tree that shares some files with t and has others, for delta archives and second images.
func (t *Tree) Half() *Tree {
	h := &Tree{Seed: t.Seed, Shape: t.Shape}
	kept := map[string]bool{}
	for i, e := range t.Entries {
		switch {
		case e.Kind == Hard && !kept[e.Target]:
			continue
		case e.Kind == File && i%3 == 0:
			continue
		case e.Kind == File && i%7 == 0:
			e.Data = append([]byte("changed "), e.Data...)
		}
		kept[e.Path] = true
		h.Entries = append(h.Entries, e)
	}
	return h
}
