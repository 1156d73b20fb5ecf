//go:build linux

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wimscope/wim/wimtest"
)

// form is a way of packing: a codec with one of its chunk sizes, not solid, solid, or pipable.
type form struct {
	name    string
	family  string
	codec   string
	chunk   int
	solid   bool
	pipable bool
}

// forms returns all forms.
func forms() []form {
	list := []form{{name: "none", family: "none", codec: "none"}, {name: "none pipable", family: "none", codec: "none", pipable: true}}
	for _, c := range []struct {
		codec    string
		low, top int
	}{{"XPRESS", 4 << 10, 64 << 10}, {"LZX", 32 << 10, 2 << 20}, {"LZMS", 32 << 10, 1 << 30}} {
		for n := c.low; n <= c.top; n *= 2 {
			name := fmt.Sprintf("%s %dK", c.codec, n>>10)
			family := strings.ToLower(c.codec)
			list = append(list,
				form{name: name, family: family, codec: c.codec, chunk: n},
				form{name: name + " pipable", family: family, codec: c.codec, chunk: n, pipable: true},
				form{name: name + " solid", family: "solid-" + family, codec: c.codec, chunk: n, solid: true})
		}
	}
	return list
}

// options returns the command line options for the form.
func (f form) options(level int, check bool) []string {
	var args []string
	switch {
	case f.solid:
		args = []string{"--solid", fmt.Sprintf("--solid-compress=%s:%d", f.codec, level), fmt.Sprintf("--solid-chunk-size=%d", f.chunk)}
	case f.codec == "none":
		args = []string{"--compress=none"}
	default:
		args = []string{fmt.Sprintf("--compress=%s:%d", f.codec, level), fmt.Sprintf("--chunk-size=%d", f.chunk)}
	}
	if f.pipable {
		args = append(args, "--pipable")
	}
	if check {
		args = append(args, "--check")
	}
	return args
}

// levels has a level of wimlib for each of the engine's.
var levels = [...]int{20, 50, 100}

// planted is a tree on disk, its contents, and wimlib's view of it.
type planted struct {
	seed     uint64
	dir      string
	snap     wimtest.Snapshot
	facts    string // "dir --detailed" of wimlib's capture
	once     sync.Once
	err      error
	absolute string // a link with an absolute target inside the tree
}

// unix reports whether the tree is captured with --unix-data; it then has owners, modes and special files.
func (p *planted) unix() bool { return p.seed%2 == 1 }

// fixed reports whether links are fixed to the tree's root.
func (p *planted) fixed() bool { return p.seed%3 == 0 }

// options returns the options of capture for the tree.
func (p *planted) options() []string {
	args := []string{"--norpfix"}
	if p.fixed() {
		args[0] = "--rpfix"
	}
	if p.unix() {
		args = append(args, "--unix-data")
	}
	return args
}

// grove provides trees, each written once.
type grove struct {
	dir   string
	mu    sync.Mutex
	trees map[string]*planted
}

func newGrove(dir string) *grove { return &grove{dir: dir, trees: map[string]*planted{}} }

// tree returns the tree of a seed, with file sizes around the chunk size.
func (g *grove) tree(seed uint64, chunk int) (*planted, error) {
	if chunk > 1<<20 {
		chunk = 0 // large chunks need large files; chunks that are never full are tested too
	}
	key := fmt.Sprint(seed, "-", chunk)
	g.mu.Lock()
	p := g.trees[key]
	if p == nil {
		p = &planted{seed: seed, dir: filepath.Join(g.dir, key)}
		g.trees[key] = p
	}
	g.mu.Unlock()
	p.once.Do(func() { p.err = p.plant(chunk) })
	if p.err != nil {
		return nil, fmt.Errorf("tree %d: %w", seed, p.err)
	}
	return p, nil
}

func (p *planted) plant(chunk int) error {
	t := wimtest.Random(p.seed, &wimtest.TreeOptions{Chunk: chunk})
	if err := t.Write(p.dir); err != nil {
		return err
	}
	for _, e := range t.Entries {
		if e.Kind == wimtest.File {
			p.absolute = "absolute link"
			if err := os.Symlink(filepath.Join(p.dir, e.Path), filepath.Join(p.dir, p.absolute)); err != nil {
				return err
			}
			break
		}
	}
	if p.unix() {
		if err := unixFacts(p.dir, t); err != nil {
			return err
		}
	}
	if err := steadyTimes(p.dir); err != nil {
		return err
	}
	var err error
	if p.snap, err = wimtest.Snap(p.dir); err != nil {
		return err
	}
	theirs := p.dir + ".wim"
	if _, err := wimtest.Run("", wimtest.Wimlib, append([]string{"capture", p.dir, theirs, "image", "--compress=none"}, p.options()...)...); err != nil {
		return err
	}
	out, err := wimtest.Run("", wimtest.Wimlib, "dir", theirs, "1", "--detailed")
	p.facts = entryFacts(string(out), time.Time{})
	return err
}

// unixFacts adds to a tree what only --unix-data keeps: owners, all mode bits, extended attributes, pipes, sockets and
// devices.
func unixFacts(dir string, t *wimtest.Tree) error {
	r := rand.New(rand.NewPCG(t.Seed, 0x554e4958))
	root := os.Geteuid() == 0
	for _, e := range t.Entries {
		p := filepath.Join(dir, e.Path)
		if root && r.IntN(4) == 0 {
			if err := os.Lchown(p, r.IntN(70000), r.IntN(70000)); err != nil {
				return err
			}
		}
		if e.Kind == wimtest.Symlink {
			continue
		}
		if r.IntN(4) == 0 {
			if err := syscall.Chmod(p, uint32(r.IntN(0o10000))|0o400); err != nil {
				return err
			}
		}
		if r.IntN(4) == 0 {
			for k := range 1 + r.IntN(3) {
				err := syscall.Setxattr(p, fmt.Sprintf("user.wimx%d", k), wimtest.Text.Make(r, r.IntN(200)), 0)
				if err == syscall.ENOTSUP {
					break
				}
				if err != nil {
					return err
				}
			}
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "a pipe"), 0o640); err != nil {
		return err
	}
	if !root {
		return nil
	}
	if err := syscall.Mknod(filepath.Join(dir, "a device"), syscall.S_IFCHR|0o600, 1<<8|3); err != nil {
		return err
	}
	return syscall.Mknod(filepath.Join(dir, "a block device"), syscall.S_IFBLK|0o660, 7<<8|200)
}

// entryFacts returns the output of "dir --detailed" about the entries of an image, without how and where blobs are stored.
// Link groups are numbered in order, since their numbers have no meaning, and so are times from start on, if that is set:
// programs that run one after another have different ones. Reading a symbolic link changes its access time.
func entryFacts(list string, start time.Time) string {
	var b strings.Builder
	groups := map[string]int{"0x0000000000000000": 0}
	for entry := range strings.SplitSeq(list, "----------------------------------------------------------------------------\n") {
		link := strings.Contains(entry, "\nReparse Tag ")
		alone := strings.Contains(entry, "\nLink Count          = 1\n")
		for line := range strings.Lines(entry) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			key, value = strings.TrimSpace(key), strings.TrimSpace(value)
			switch key {
			case "Compressed size", "Offset in WIM", "Solid resource", "Solid offset", "Part Number", "Flags":
				continue
			case "Link Group ID":
				n, ok := groups[value]
				if alone {
					n = 0
				} else if !ok {
					n = len(groups)
					groups[value] = n
				}
				line = fmt.Sprintf("%s = %d\n", key, n)
			case "Last Access Time", "Creation Time", "Last Write Time":
				if link && key == "Last Access Time" {
					continue
				}
				at, err := time.Parse("Mon Jan 02 15:04:05 2006 MST", value)
				if err == nil && !start.IsZero() && !at.Before(start.Truncate(time.Second)) && at.Before(start.Add(time.Hour)) {
					line = key + " = now\n"
				}
			}
			b.WriteString(line)
		}
	}
	return b.String()
}

// noCounts removes reference counts, which depend on other images.
func noCounts(facts string) string {
	var b strings.Builder
	for line := range strings.Lines(facts) {
		if !strings.HasPrefix(line, "Reference Count") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// imageFacts returns entryFacts of an image of an archive, by wimlib.
func imageFacts(archive string, image int, start time.Time, more ...string) (string, error) {
	out, err := wimtest.Run("", wimtest.Wimlib, append([]string{"dir", archive, fmt.Sprint(image), "--detailed"}, more...)...)
	return entryFacts(string(out), start), err
}

// TestCaptureEveryForm captures random trees in every form, with all levels in turn. wimlib and 7-Zip must find everything
// there, and wimlib's own capture must be equal.
func TestCaptureEveryForm(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib, wimtest.SevenZip)
	campaign := os.Getenv("WIMSCOPE_CAMPAIGN") != ""
	members := map[string]int{}
	for _, f := range forms() {
		members[f.family] += len(levels) * 2
	}
	g := newGrove(t.TempDir())
	for i, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			try := func(seed uint64, level int, check bool) {
				t.Helper()
				p, err := g.tree(seed, f.chunk)
				if err != nil {
					t.Fatal(err)
				}
				if err := captureForm(dir, p, f, level, check); err != nil {
					t.Errorf("tree %d, level %d, check %v: %v", seed, level, check, err)
				}
			}
			if !campaign {
				try(uint64(i), levels[i/3%3], i%2 == 0)
				return
			}
			n := max((200+members[f.family]-1)/members[f.family], 2)
			for k := range n * len(levels) * 2 {
				try(2000+uint64(k%50+i), levels[k%3], k/3%2 == 0)
			}
		})
	}
}

func captureForm(dir string, p *planted, f form, level int, check bool) error {
	archive, ours, theirs := filepath.Join(dir, "a.wim"), filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	defer func() {
		for _, name := range []string{archive, ours, theirs} {
			os.RemoveAll(name)
		}
	}()
	args := append(append([]string{"capture", p.dir, archive, "image"}, f.options(level, check)...), p.options()...)
	if _, errs, code := wimx(dir, args...); code != 0 {
		return fmt.Errorf("wimx %s: status %d\n%s", strings.Join(args, " "), code, errs)
	}
	if _, errs, code := wimx(dir, "verify", archive); code != 0 || strings.Contains(errs, "WARNING") {
		return fmt.Errorf("wimx verify: status %d\n%s", code, errs)
	}
	if _, err := wimtest.Run(dir, wimtest.Wimlib, "verify", archive); err != nil {
		return err
	}
	if !f.pipable { // which 7-Zip does not support
		if _, err := wimtest.Run(dir, wimtest.SevenZip, "t", "-bd", archive); err != nil {
			return err
		}
	}
	facts, err := imageFacts(archive, 1, time.Time{})
	if err != nil {
		return err
	}
	if d := firstLine(p.facts, facts); d != "" {
		return fmt.Errorf("dir --detailed: %s", d)
	}
	apply := []string{"apply", archive, "1", theirs}
	if f.pipable { // also from a pipe
		apply[1] = "-"
	}
	var more []string
	if p.unix() {
		more = append(more, "--unix-data")
	}
	if !p.fixed() {
		more = append(more, "--norpfix")
	}
	cmd := exec.Command(wimtest.Wimlib, append(apply, more...)...)
	if f.pipable {
		in, err := os.Open(archive)
		if err != nil {
			return err
		}
		defer in.Close()
		cmd.Stdin = in
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("wimlib-imagex apply: %w\n%s", err, out)
	}
	if _, errs, code := wimx(dir, append([]string{"apply", archive, "1", ours}, more...)...); code != 0 {
		return fmt.Errorf("wimx apply: status %d\n%s", code, errs)
	}
	look := wimtest.Usual
	if p.unix() {
		look = wimtest.Unix
	}
	for _, by := range []string{theirs, ours} {
		got, err := wimtest.Snap(by)
		if err != nil {
			return err
		}
		want := p.snap
		if l := got[p.absolute]; p.fixed() && l != nil { // it leads into the target folder
			if w := strings.Replace(want[p.absolute].Target, p.dir, by, 1); l.Target != w {
				return fmt.Errorf("%s: %q leads to %q, want %q", filepath.Base(by), p.absolute, l.Target, w)
			}
			l.Target = want[p.absolute].Target
		}
		if d := wimtest.Diff(want, got, look); d != nil {
			return fmt.Errorf("applied to %s:\n%s", filepath.Base(by), strings.Join(d, "\n"))
		}
	}
	return nil
}

// TestNTFSFactsSurvive writes archives of NTFS volumes, which wimlib captured, in every form and in every way that keeps an
// image: attributes, streams, security, short names, object IDs and links stay, both in the listing and applied to a volume.
func TestNTFSFactsSurvive(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib, wimtest.MkNTFS, wimtest.NTFSCopy)
	all := forms()
	seeds, step := []uint64{0}, 9
	if os.Getenv("WIMSCOPE_CAMPAIGN") != "" {
		seeds, step = []uint64{0, 3001, 3002, 3003, 3004, 3005, 3006, 3007, 3008}, 1
	}
	for _, seed := range seeds { // 0 is the handmade tree
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			volume := func(name string) wimtest.NTFS {
				t.Helper()
				v, err := wimtest.NewNTFS(at(name), 16)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			// again returns wimlib's view of an image that it applied to a volume and captured again.
			again := func(archive string) string {
				t.Helper()
				v := volume("again.img")
				defer os.Remove(string(v))
				if err := v.Apply(archive, 1, ""); err != nil {
					t.Fatal(err)
				}
				os.Remove(at("again.wim"))
				if err := v.Capture(at("again.wim"), "again", "--compress=none"); err != nil {
					t.Fatal(err)
				}
				return mustFacts(t, at("again.wim"))
			}
			v := volume("volume.img")
			if seed == 0 {
				root, security := wimtest.WindowsTree()
				if err := os.WriteFile(at("hand.wim"), wimtest.One(root, security...).Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := v.Apply(at("hand.wim"), 1, ""); err != nil {
					t.Fatal(err)
				}
			} else if err := v.Fill(wimtest.Random(seed, &wimtest.TreeOptions{Plain: true})); err != nil {
				t.Fatal(err)
			}
			if err := v.Capture(at("base.wim"), "base", "--compress=LZX"); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(at("tree/sub"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at("tree/sub/file"), []byte("something new"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := steadyTimes(at("tree")); err != nil {
				t.Fatal(err)
			}
			want, wantAgain := mustFacts(t, at("base.wim")), again(at("base.wim"))
			update := "--command=add " + at("tree") + " /added/here"
			copyFile(t, at("base.wim"), at("theirs.wim"))
			start := time.Now()
			wimtest.MustRun(t, dir, wimtest.Wimlib, "update", at("theirs.wim"), "1", update)
			wantUpdated, err := imageFacts(at("theirs.wim"), 1, start)
			if err != nil {
				t.Fatal(err)
			}
			copyFile(t, at("base.wim"), at("chain.wim"))
			for i := 0; i < len(all); i += step {
				f := all[i]
				pack := f.options(levels[i/3%3], i%2 == 0)
				os.Remove(at("out.wim"))
				mustWimx(t, append([]string{"export", at("base.wim"), "1", at("out.wim")}, pack...)...)
				same := func(what, archive, want string, start time.Time) {
					t.Helper()
					wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", archive)
					mustWimx(t, "verify", archive)
					got, err := imageFacts(archive, 1, start)
					if err != nil {
						t.Fatal(err)
					}
					if d := firstLine(noCounts(want), noCounts(got)); d != "" {
						t.Errorf("%s, %s: dir --detailed: %s", f.name, what, d)
					}
				}
				same("exported", at("out.wim"), want, time.Time{})
				if d := firstLine(wantAgain, again(at("out.wim"))); d != "" {
					t.Errorf("%s: on a volume: dir --detailed: %s", f.name, d)
				}
				if !f.pipable {
					pack = append(pack, "--not-pipable")
				}
				mustWimx(t, append([]string{"optimize", at("chain.wim")}, pack...)...)
				same("optimized", at("chain.wim"), want, time.Time{})
				mustWimx(t, "append", at("tree"), at("out.wim"), "second")
				same("appended to", at("out.wim"), want, time.Time{})
				mustWimx(t, "update", at("out.wim"), "1", update)
				same("updated", at("out.wim"), wantUpdated, start)
			}
		})
	}
}

func mustFacts(t *testing.T, archive string) string {
	t.Helper()
	s, err := imageFacts(archive, 1, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestLargeChunk packs chunks of more than 64 MiB, with repetitions at greater distances than that.
func TestLargeChunk(t *testing.T) {
	if os.Getenv("WIMSCOPE_CAMPAIGN") == "" {
		t.Skip("takes long, and much memory: make campaign runs it")
	}
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	tree, file := filepath.Join(dir, "tree"), filepath.Join(dir, "a.wim")
	const once = 4 << 20
	random := wimtest.Noise.Make(newRand(1), once)
	all := slices.Concat(random, bytes.Repeat(wimtest.Text.Make(newRand(2), 1<<20), 70), random, bytes.Repeat(wimtest.Text.Make(newRand(3), 1<<20), 60))
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, "all"), all, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, pack := range []string{"--solid --solid-chunk-size=128M --solid-compress=LZMS:20", "--solid --solid-chunk-size=128M", "--solid --solid-chunk-size=1G", "--compress=LZMS --chunk-size=256M"} {
		mustWimx(t, append([]string{"capture", tree, file, "--quiet"}, strings.Fields(pack)...)...)
		if fi, err := os.Stat(file); err != nil || fi.Size() > once*3/2 {
			t.Errorf("%s: %d bytes, of which %d are random; %v", pack, fi.Size(), once, err)
		}
		mustWimx(t, "verify", file)
		wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", file)
	}
}
