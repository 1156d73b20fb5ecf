//go:build !js

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest"
)

// Differences from wimlib-imagex over mutated archives. The test compares the verdicts of verify, and the lists of entries that both
// read. Every difference must belong to a class below, which gives the reason; any other is a finding. wim/verify/README.md has
// the figures of the last campaign.

// differClass is a kind of difference.
type differClass struct {
	name, why string
	is        func(c *differCase) bool
}

// differCase is a mutated archive and the results of both programs.
type differCase struct {
	name, what string
	ours       int    // exit status of wimx verify
	first      string // first line of our report
	report     *verify.Report
	theirs     int
	theirWords string

	listOurs, listTheirs     string // of the images, if both programs list them
	lostEntries, lostContent bool   // against the archive that was mutated
}

func (c *differCase) says(text string) bool { return strings.Contains(c.theirWords, text) }

// weGood has the classes of archives that only wimx finds good: nothing is lost in any of them.
func weGood() []differClass {
	return []differClass{
		{"encoding of the XML", "UTF-8 and UTF-16BE are accepted too", func(c *differCase) bool { return c.theirs == exitXML && c.says("Start tag expected") }},
		{"reference count of metadata", "a count other than 1 is harmless", func(c *differCase) bool { return c.theirs == exitTable && c.says("refcnt != 1") }},
		{"chunk size without codec", "an uncompressed archive has no chunks", func(c *differCase) bool {
			return c.theirs == exitChunkSize && c.says("for compression type None")
		}},
		{"part number in a solid run", "the resource's part number is used, and that part is open", func(c *differCase) bool { return c.theirs == exitMissingContent && c.says("wrong part number") }},
		{"SHA-1 of nothing", "it stands for an empty stream", func(c *differCase) bool {
			return c.theirs == exitMissingContent && c.says("da39a3ee5e6b4b0d3255bfef95601890afd80709")
		}},
		{"root is a reparse point", "its entries are read anyway", func(c *differCase) bool { return c.theirs == exitMetadata && c.says("not a directory") }},
		{"place of no integrity table", "its size is 0", func(c *differCase) bool {
			return c.theirs == exitIntegrityTable && len(c.report.Integrity) > 0 && c.report.Integrity[0].State == "none"
		}},
		{"count of images in a later part", "part 1 has the images", func(c *differCase) bool { return c.theirs == exitImageCount && strings.HasPrefix(c.what, "part ") }},
		{"XML document of a later part", "that of part 1 is used", func(c *differCase) bool { return c.theirs == exitXML && strings.HasPrefix(c.what, "part ") }},
		{"sizes of an entry without a hash", "the entry is ignored", func(c *differCase) bool {
			return c.theirs == exitTable && strings.HasPrefix(c.name, "zero-and-empty-entries")
		}},
		{"sizes of metadata with reference count 0", "it is not an image", func(c *differCase) bool {
			return c.theirs == exitTable && strings.HasPrefix(c.name, "metadata-refcount-0")
		}},
		{"repeated hash", "the readable one of two entries in the blob table is used", func(c *differCase) bool {
			return c.theirs == exitTable && strings.HasPrefix(c.name, "duplicate-hash")
		}},
		{"name without a NUL", "the NUL may be missing", func(c *differCase) bool {
			return c.theirs == exitMetadata && lengthChanged.MatchString(c.what) && !c.lostEntries
		}},
	}
}

var lengthChanged = regexp.MustCompile(`name of \d+ bytes|: length \d+|byte \S+ changed|a bit of its fixed part`)

// theyGood has the classes of archives that only wimlib-imagex finds good.
func theyGood() []differClass {
	loss := func(c *differCase, kinds ...wim.LossKind) bool {
		return c.report != nil && slices.ContainsFunc(c.report.Losses, func(l wim.Loss) bool {
			return l.Image > 0 && len(kinds) == 0 || slices.Contains(kinds, l.Kind)
		})
	}
	return []differClass{
		{"images lost", "it trusts the header, warns, and opens the remaining images", func(c *differCase) bool { return loss(c, wim.LossImages, wim.LossBlobTable) }},
		{"entries or contents of a tree lost", "it skips them, with or without a warning", func(c *differCase) bool { return loss(c) }},
		{"XML document", "it accepts wrong sizes and a wrong INDEX", func(c *differCase) bool { return loss(c, wim.LossXML, wim.LossXMLImages) }},
		{"metadata without a SHA-1", "it finds no image then, and warns", func(c *differCase) bool {
			return c.report != nil && c.report.Verdict == verify.Damaged && c.says("Could not find metadata")
		}},
		{"metadata that cannot be read", "it treats a length that is far too large as 0", func(c *differCase) bool { return c.report != nil && len(c.report.Images) > 0 }},
		{"solid resource", "it uses neither the last size in the chunk table nor the part number of the resource's entry", func(c *differCase) bool {
			return c.ours == exitDecompression && (strings.Contains(c.what, "resource at") || strings.Contains(c.what, ": part"))
		}},
		{"size of a resource", "it ignores the upper bits of an impossibly large size", func(c *differCase) bool {
			return c.ours == exitDecompression && strings.Contains(c.what, "packed size 0x")
		}},
		{"part number", "it opens a part that is not the first", func(c *differCase) bool { return c.ours == exitNotFirstPart }},
		{"integrity table at offset 0", "it treats the table as missing", func(c *differCase) bool { return c.ours == exitIntegrityTable }},
		{"sizes in the header", "it uses one of two sizes that contradict each other", func(c *differCase) bool { return c.ours == exitHeader }},
		{"header names bytes past the end", "it does not use them", func(c *differCase) bool { return c.ours == exitTruncated }},
	}
}

// lists has the classes of archives that both programs list differently.
func lists() []differClass {
	// differ returns the first lines in which the lists differ, under paths that are the same.
	differ := func(c *differCase) (ours, theirs []string, same bool) {
		a, b := strings.Split(c.listOurs, "Full Path"), strings.Split(c.listTheirs, "Full Path")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				x, y := strings.Split(a[i], "\n"), strings.Split(b[i], "\n")
				return x, y, x[0] == y[0]
			}
		}
		return nil, nil, false
	}
	return []differClass{
		{"folder that is a reparse point", "its entries are listed, unless its tag is a name surrogate", func(c *differCase) bool {
			return c.says("Ignoring children of non-directory") || strings.Contains(c.what, "attributes 0x410")
		}},
		{"hard links that are not alike", "it shows the metadata of one of them for all", func(c *differCase) bool {
			x, y, same := differ(c)
			return same && len(x) == len(y) && slices.Equal(hashLines(x), hashLines(y))
		}},
		{"contents of a reparse point", "the order of two streams decides which is its reparse data, including empty ones", func(c *differCase) bool {
			x, _, same := differ(c)
			return same && len(x) > 1 && strings.Contains(x[1], "4") && !slices.Equal(hashLines(x), nil) || same && strings.Contains(strings.Join(x, ""), "0x00000400")
		}},
	}
}

func hashLines(lines []string) (out []string) {
	for _, l := range lines {
		if strings.HasPrefix(l, "Hash") {
			out = append(out, l)
		}
	}
	return out
}

// lost has the classes of archives that wimx finds good although entries or contents of the original cannot be reached.
func lost() []differClass {
	return []differClass{
		{"entry with another SHA-1", "it is valid, with another blob or none; the original blob is reported for its wrong reference count", func(c *differCase) bool {
			return !c.lostEntries && otherContent.MatchString(c.what)
		}},
	}
}

var otherContent = regexp.MustCompile(`hash zeroed|hash of|overwritten with`)

// entriesOf reduces the output of dir --detailed to paths, attributes, times and nonempty contents. The rest is not part of the tree,
// or is covered by other tests.
func entriesOf(detailed string) string {
	var b strings.Builder
	folder := false
	for line := range strings.Lines(detailed) {
		name, value, _ := strings.Cut(line, "=")
		switch strings.TrimSpace(name) {
		case "Attributes":
			folder = strings.HasPrefix(value, " 0x0000001") // and not a reparse point
		case "Full Path", "Creation Time", "Last Write Time", "Last Access Time":
		case "Hash":
			if folder || strings.Trim(value, " 0x\n") == "" || strings.Contains(value, "da39a3ee5e6b4b0d3255bfef95601890afd80709") {
				continue
			}
		default:
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}

func classOf(list []differClass, c *differCase) string {
	for _, k := range list {
		if k.is(c) {
			return k.name
		}
	}
	return ""
}

// mutable is an archive to be mutated, with what is in it.
type mutable struct {
	wimtest.Mutable
	entries int
	content map[format.Hash]bool
}

func (m *mutable) count(a *wim.Archive) (entries int, content map[format.Hash]bool) {
	content = map[format.Hash]bool{}
	for i := range a.Images() {
		im, err := a.Image(i + 1)
		if err != nil {
			continue
		}
		entries += im.Len()
		im.EachStream(0, wim.Node(im.Len()), func(_ wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
			content[h] = true
			return true
		})
	}
	return entries, content
}

func openSample(parts, refs []wimtest.SamplePart) (*wim.Archive, error) {
	list := func(ps []wimtest.SamplePart) (out []blobs.Part) {
		for _, p := range ps {
			out = append(out, blobs.Part{Name: p.Name, R: bytes.NewReader(p.Bytes), Size: int64(len(p.Bytes))})
		}
		return out
	}
	return wim.Open(list(parts), &blobs.Options{References: list(refs)})
}

func newMutable(name string, parts, refs []wimtest.SamplePart) (*mutable, error) {
	m := &mutable{Mutable: wimtest.Mutable{Name: name, Parts: parts, Refs: refs}}
	a, err := openSample(parts, refs)
	if err != nil {
		return nil, err
	}
	for i := range a.Images() {
		b, err := a.Metadata(i + 1)
		if err != nil {
			return nil, err
		}
		m.Metadata = append(m.Metadata, b)
	}
	m.entries, m.content = m.count(a)
	return m, nil
}

// mutables returns the archives: each codec, solid, pipable, split and delta ones of a small tree, and hand-made ones.
func mutables(t testing.TB) []*mutable {
	var out []*mutable
	dir, asIs := t.TempDir(), t.TempDir()
	add := func(name string, parts, refs []wimtest.SamplePart) {
		m, err := newMutable(name, parts, refs)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// An archive that wimlib-imagex refuses unchanged would always differ, for a known reason.
		c, err := m.ask(asIs, parts)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.ours == 0 && c.theirs == 0 {
			out = append(out, m)
		}
	}
	for _, s := range wimtest.Samples() {
		if (s.Outcome == wimtest.Opens || s.Outcome == wimtest.NeedsOthers && len(s.Refs) > 0) && s.Name != "no-image" {
			total := 0
			for _, p := range append(slices.Clone(s.Parts), s.Refs...) {
				total += len(p.Bytes)
			}
			if total < 200<<10 {
				add(s.Name, s.Parts, s.Refs)
			}
		}
	}
	tree, base := filepath.Join(dir, "tree"), filepath.Join(dir, "base")
	write := func(root string, more bool) {
		for name, text := range map[string]string{
			"a.txt": "first\n", "d/b.txt": "second\n", "d/e/c.txt": strings.Repeat("third ", 3000), "d/e/f/deep": "fourth", "z": strings.Repeat("0123456789abcdef", 9000),
		} {
			p := filepath.Join(root, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if more {
			if err := errors.Join(os.WriteFile(filepath.Join(root, "more"), []byte("only here"), 0o644), os.Mkdir(filepath.Join(root, "empty"), 0o755),
				os.Symlink("a.txt", filepath.Join(root, "link")), os.Link(filepath.Join(root, "a.txt"), filepath.Join(root, "d", "hard"))); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(tree, true)
	write(base, false)
	read := func(names ...string) (list []wimtest.SamplePart) {
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, wimtest.SamplePart{Name: filepath.Base(n), Bytes: b})
		}
		return list
	}
	for _, v := range wimtest.Variants() {
		if !slices.Contains([]string{
			"none", "none, solid", "XPRESS 4K", "LZX 32K", "LZMS 32K", "XPRESS 4K solid", "LZX 32K solid", "LZMS 1M solid", "LZX, integrity table", "XPRESS, two images",
			"LZMS solid, two images", "none, pipable", "LZX, pipable", "none, split", "LZX, split", "none, delta", "LZMS solid, delta", "LZX, Unix data",
		}, v.Name) {
			continue
		}
		at := filepath.Join(dir, strconv.Itoa(len(out)))
		if err := os.Mkdir(at, 0o755); err != nil {
			t.Fatal(err)
		}
		made, err := v.Make(at, tree, base)
		if err != nil {
			t.Fatal(err)
		}
		parts, refs := read(made.First), []wimtest.SamplePart(nil)
		if made.Ref != "" {
			names, _ := filepath.Glob(made.Ref)
			names = slices.DeleteFunc(names, func(n string) bool { return n == made.First })
			if strings.HasSuffix(made.First, ".swm") {
				parts = append(parts, read(names...)...)
			} else {
				refs = read(names...)
			}
		}
		add(v.Name, parts, refs)
	}
	return out
}

// errTheirsHangs means that wimlib-imagex does not terminate, for example because it counts up to the header's number of
// images.
var errTheirsHangs = errors.New("wimlib-imagex does not end")

// theirRun runs wimlib-imagex.
func theirRun(dir string, args ...string) (stdout, stderr string, status int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, wimtest.Wimlib, args...)
	var out, errs bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = dir, &out, &errs
	err = c.Run()
	var ee *exec.ExitError
	switch {
	case ctx.Err() != nil:
		err = errTheirsHangs
	case errors.As(err, &ee) && ee.ExitCode() >= 0:
		err = nil
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode(), err
}

// ask runs both programs on parts. dir is empty before and after.
func (m *mutable) ask(dir string, parts []wimtest.SamplePart) (*differCase, error) {
	c := &differCase{}
	var refs []string
	for i, p := range append(slices.Clone(parts), m.Refs...) {
		name := filepath.Join(dir, p.Name)
		if err := os.WriteFile(name, p.Bytes, 0o600); err != nil {
			return nil, err
		}
		defer os.Remove(name)
		if i > 0 {
			refs = append(refs, "--ref="+p.Name)
		}
	}
	first := parts[0].Name
	ours := func(args ...string) (stdout, stderr string, status int) {
		for i := range args {
			if args[i] == first {
				args[i] = filepath.Join(dir, first)
			} else if r, ok := strings.CutPrefix(args[i], "--ref="); ok {
				args[i] = "--ref=" + filepath.Join(dir, r)
			}
		}
		return wimx("", args...)
	}
	var err error
	_, c.theirWords, c.theirs, err = theirRun(dir, append([]string{"verify", first}, refs...)...)
	if err != nil {
		return nil, fmt.Errorf("wimlib-imagex: %w", err)
	}
	out, errs, status := ours(append([]string{"verify", first, "--json"}, refs...)...)
	c.ours = status
	c.first, _, _ = strings.Cut(errs, "\n")
	for line := range strings.Lines(out) {
		if !strings.Contains(line, `"verdict"`) {
			continue
		}
		out = line
		c.report = &verify.Report{}
		if err := json.Unmarshal([]byte(out), c.report); err != nil {
			return nil, err
		}
		c.first = c.report.Summary()
	}
	if c.ours == 0 {
		a, err := openSample(parts, m.Refs)
		var wrong *blobs.WrongPartError
		if errors.As(err, &wrong) { // on the command line it would be a file of --ref
			a, err = openSample(parts[:1], append(slices.Clone(parts[1:]), m.Refs...))
		}
		if errors.Is(err, blobs.ErrMissingPart) { // it is a later part now, without images
			return c, nil
		}
		if err != nil {
			return nil, err
		}
		entries, content := m.count(a)
		c.lostEntries = entries < m.entries
		for h := range m.content {
			c.lostContent = c.lostContent || !content[h]
		}
	}
	for i := range 2 {
		args := append([]string{"dir", first, strconv.Itoa(i + 1), "--detailed"}, refs...)
		theirs, words, status, err := theirRun(dir, args...)
		if err != nil {
			return nil, fmt.Errorf("wimlib-imagex: %w: %s", err, words)
		}
		if status != 0 {
			continue
		}
		mine, _, status := ours(args...)
		if status == 0 {
			c.listOurs, c.listTheirs = c.listOurs+entriesOf(mine), c.listTheirs+entriesOf(theirs)
		}
	}
	return c, nil
}

// TestDifferFromWimlib compares both programs over mutated archives.
func TestDifferFromWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	n := 60
	if os.Getenv("WIMSCOPE_CAMPAIGN") != "" {
		n = 10_000
	}
	first := 0
	if s := os.Getenv("WIMSCOPE_DIFFER"); s != "" { // number of cases, and first seed
		fmt.Sscan(s, &n, &first)
	}
	list := mutables(t)
	var mu sync.Mutex
	counts := map[string]int{}
	examples := map[string]string{}
	next := make(chan uint64)
	var wg sync.WaitGroup
	dirs := t.TempDir()
	for w := range 2 {
		wg.Go(func() {
			dir := filepath.Join(dirs, strconv.Itoa(w))
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Error(err)
			}
			for seed := range next {
				m := list[seed%uint64(len(list))]
				start := time.Now()
				parts, what := m.Mutate(seed)
				c, err := m.ask(dir, parts)
				if errors.Is(err, errTheirsHangs) {
					mu.Lock()
					counts["verdict: none, "+err.Error()]++
					mu.Unlock()
					continue
				}
				if err != nil {
					t.Errorf("seed %d, %s: %v", seed, m.Name, err)
					continue
				}
				c.name, c.what = m.Name, what
				kinds := c.judge()
				mu.Lock()
				if d := time.Since(start); d > 5*time.Second {
					t.Logf("seed %d, %s: %s: took %v", seed, m.Name, c.what, d)
				}
				for _, k := range kinds {
					counts[k]++
					if examples[k] == "" {
						examples[k] = fmt.Sprintf("seed %d, %s: %s", seed, m.Name, c.what)
					}
					if strings.HasSuffix(k, "unexplained") && counts[k] <= 200 {
						t.Errorf("%s: seed %d, %s: %s\n  wimx: %d, %s\n  wimlib-imagex: %d, %s", k, seed, m.Name, c.what, c.ours, c.first, c.theirs, gist(c.theirWords))
						if c.listOurs != c.listTheirs {
							t.Logf("lists:\n%s", firstLine(c.listTheirs, c.listOurs))
						}
						save(t, m, seed)
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- uint64(first + i)
	}
	close(next)
	wg.Wait()
	keys := make([]string, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		t.Logf("%6d %s (%s)", counts[k], k, examples[k])
	}
}

// judge returns the class of the case.
func (c *differCase) judge() (kinds []string) {
	side := func(status int) string {
		if status == 0 {
			return "good"
		}
		return "bad"
	}
	kinds = append(kinds, fmt.Sprintf("verdict: wimx %s, wimlib-imagex %s", side(c.ours), side(c.theirs)))
	add := func(group string, list []differClass) {
		k := classOf(list, c)
		if k == "" {
			k = "unexplained"
		}
		kinds = append(kinds, group+": "+k)
	}
	switch {
	case c.ours == 0 && c.theirs != 0:
		add("only wimx says good", weGood())
	case c.ours != 0 && c.theirs == 0:
		add("only wimlib-imagex says good", theyGood())
	case c.ours != 0:
		kinds = append(kinds, fmt.Sprintf("both say bad: status %d, %d", c.ours, c.theirs))
	}
	if c.ours == 0 && (c.lostEntries || c.lostContent) {
		add("good, and less than before", lost())
	}
	if c.listOurs != c.listTheirs {
		add("lists differ", lists())
	}
	return kinds
}

// gist returns the relevant messages of wimlib-imagex.
func gist(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(line, "integrity information") {
			out = append(out, line)
		}
	}
	return strings.Join(out, " | ")
}

// save keeps a finding in the folder WIMSCOPE_FINDINGS, if that is set.
func save(t *testing.T, m *mutable, seed uint64) {
	dir := os.Getenv("WIMSCOPE_FINDINGS")
	if dir == "" {
		return
	}
	parts, _ := m.Mutate(seed)
	dir = filepath.Join(dir, strconv.FormatUint(seed, 10))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Error(err)
	}
	for _, p := range append(parts, m.Refs...) {
		if err := os.WriteFile(filepath.Join(dir, p.Name), p.Bytes, 0o644); err != nil {
			t.Error(err)
		}
	}
}
