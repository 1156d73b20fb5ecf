package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/wim/write"
)

// runOptions is how an archive is written, whatever is in it.
type runOptions struct {
	threads     int
	dryRun      bool // say how large it would be, and write nothing
	verifyAfter bool // read it all when it is written
	skip        bool // leave out files that cannot be read, or that change meanwhile
	refs        []string
}

func runOptionTable() []option {
	return []option{{name: "threads", value: true}, {name: "dry-run"}, {name: "verify-after"}}
}

func (o *parsed) runOptions() (r runOptions, err error) {
	r = runOptions{dryRun: o.has("dry-run"), verifyAfter: o.has("verify-after"), skip: o.has("skip-errors")}
	r.refs = append(r.refs, o.all("ref")...)
	for _, name := range o.all("delta-from") {
		r.refs = append(r.refs, globOf(name))
	}
	r.threads, err = o.threads()
	return r, err
}

// globOf is a pattern that a name matches, and nothing else.
func globOf(name string) string {
	if onWindows {
		return name // where there is no way to write that
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// writing is an archive that is going to be written.
type writing struct {
	plan     *write.Plan
	options  *write.Options
	sources  []fs.FS              // of Content.Source
	partSize int64                // bytes; 0: it is not split
	compact  bool                 // resources are moved in place, which cannot be undone
	over     *target              // the archive that the new file replaces, nil if none
	instead  string               // for the hint if that is refused: what would keep everything in place
	through  bool                 // to a device or a pipe: what was written cannot be taken back
	lacks    map[format.Hash]bool // contents that were missing before
	runOptions
}

// files opens what is in no archive.
func (w *writing) files() shard.ContentFiles { return w.plan.FilesOf(w.sources...) }

// named gives an error about a content with the whole path of the file, as errors of scans have it: there are several sources.
func (w *writing) named(e *shard.ContentError) *shard.ContentError {
	_, c, ok := w.plan.Content(e.ID)
	if !ok || c.Source < 0 || c.Source >= len(w.sources) {
		return e
	}
	h, ok := w.sources[c.Source].(hostFS)
	if !ok {
		return e
	}
	n := *e
	n.Path = h.path(c.Path)
	if pe, ok := n.Err.(*fs.PathError); ok { // which names it once more
		n.Err = pe.Err
	}
	return &n
}

// toFile writes an archive to a file, which appears complete or not at all, or to a device or pipe; "-" is standard output. After
// a dry run there is no report.
func (w *writing) toFile(t *tool, name string) (*write.Report, error) {
	w.warnings(t)
	if err := w.reportLosses(t); err != nil {
		return nil, err
	}
	at := filePlace{name: "standard output", through: true, own: true}
	if name != "-" {
		var err error
		if at, err = t.placeFor(name); err != nil {
			return nil, err
		}
		if err = at.needArchive(w.options.Pipable); err != nil {
			return nil, err
		}
	}
	switch {
	case w.dryRun:
		return nil, w.estimate(t, at.name, at.folder())
	case at.through && w.verifyAfter:
		return nil, codef(exitParameter, "--verify-after: what goes through a pipe or device cannot be read again")
	case at.through:
		w.through = true
		return t.writeThrough(at, func(to io.WriterAt) (*write.Report, error) { return w.run(t, to) })
	}
	if err := w.room(t, at.folder()); err != nil {
		return nil, err
	}
	f, err := t.newFile(at)
	if err != nil {
		return nil, err
	}
	defer f.drop()
	r, err := w.run(t, sink{f.File, t})
	if err != nil {
		return nil, err
	}
	if w.verifyAfter {
		if err := w.verifyWritten(t, []string{f.File.Name()}, name, "was not kept"); err != nil {
			return nil, err
		}
	}
	if onWindows && w.over != nil {
		w.over.Close() // or it could not be replaced
	}
	return r, f.keep()
}

// inPlace changes an archive in its file. Until the header is written, which comes last, it is the one that it was.
func (w *writing) inPlace(t *tool, a *target) (*write.Report, error) {
	w.warnings(t)
	if err := w.reportLosses(t); err != nil {
		return nil, err
	}
	dir := filepath.Dir(a.path)
	if w.dryRun {
		return nil, w.estimate(t, a.name, dir)
	}
	if err := w.room(t, dir); err != nil {
		return nil, err
	}
	takeBack := func() {}
	if w.compact {
		t.warn("%q is being compacted in place. Do not interrupt this, or else the archive will be lost!", a.name)
	} else {
		var err error
		if takeBack, err = a.remember(); err != nil {
			return nil, err
		}
	}
	r, err := w.run(t, sink{a.file, t})
	if err != nil {
		takeBack()
		return nil, err
	}
	if w.verifyAfter {
		return r, w.verifyWritten(t, []string{a.path}, a.name, "was written")
	}
	return r, nil
}

// remember gives a function that cuts off what was added, should the header still be the one that it is now.
func (a *target) remember() (takeBack func(), err error) {
	var before, after [format.HeaderSize]byte
	fi, err := a.file.Stat()
	if err == nil {
		_, err = a.file.ReadAt(before[:], 0)
	}
	return func() {
		if _, err := a.file.ReadAt(after[:], 0); err == nil && after == before {
			a.file.Truncate(fi.Size())
		}
	}, coded(exitRead, err)
}

// warnings says which of Microsoft's programs will not be able to read what is going to be written. LZMS by itself is left
// unsaid: all do that Microsoft still supports.
func (w *writing) warnings(t *tool) {
	if t.quiet {
		return
	}
	for _, x := range w.plan.Warnings() {
		if x.Key != write.WarnLZMS {
			t.warn("%s", x.Text)
		}
	}
}

// run writes an archive, and shows how far it is.
func (w *writing) run(t *tool, to io.WriterAt) (*write.Report, error) {
	show, err := w.stages(t)
	if err != nil {
		return nil, err
	}
	ctx := t.ctx
	if w.compact {
		ctx = context.WithoutCancel(ctx)
	}
	r, err := write.Run(ctx, w.plan, w.files(), to, w.engineOptions(t, show))
	show.end(r)
	return r, w.writeError(t, err)
}

func (w *writing) engineOptions(t *tool, show *stageBar) *write.RunOptions {
	return &write.RunOptions{Workers: w.threads, Memory: usableMemory(), Progress: show.step, Problem: func(e *shard.ContentError) bool {
		if w.skip {
			e = w.named(e)
			t.leftOut++
			t.warn("%s: %v; it is left out", e.Path, e.Err)
		}
		return w.skip
	}}
}

// fate says what becomes of the bytes that were written when writing fails.
func (w *writing) fate() string {
	switch {
	case w.through:
		return "what was written is cut off and of no use"
	case w.compact:
		return "the archive is incomplete: \"verify\" tells what is lost"
	}
	return "what was written was removed"
}

// writeError puts what stopped the writing into words.
func (w *writing) writeError(t *tool, err error) error {
	var (
		ce   *shard.ContentError
		sums *blobs.IntegrityError
	)
	if errors.As(err, &ce) {
		err = w.named(ce)
	}
	switch {
	case err == nil:
		return nil
	case diskFull(err):
		return hinted{coded(exitWrite, err), w.fate() + "; " + roomHint}
	case errors.As(err, &sums):
		return hinted{err, "the archive is damaged and was not changed: \"verify\" names the files that are hit; --nocheck writes it without an integrity table"}
	case errors.Is(err, format.ErrChecksum):
		return hinted{err, "\"verify\" lists all that is damaged"}
	case errors.As(err, &ce) && errors.Is(err, blobs.ErrChanged):
		return coded(exitChanged, fmt.Errorf("%w; --skip-errors leaves such files out", err))
	}
	return interrupted(err)
}

// room refuses what cannot fit the disk: what is copied as it is takes as many bytes as it has.
func (w *writing) room(t *tool, dir string) error {
	free, ok := freeSpace(dir)
	if !ok {
		return nil
	}
	e, err := w.plan.Estimate(t.ctx, nil, 0)
	if err != nil {
		return err
	}
	if need := min(e.Copied, e.Grows); need > free {
		return codef(exitWrite, "there is no room: at least %s are needed in %q, and %s are free", sizeText(need), dir, sizeText(free))
	}
	return nil
}

// estimate is --dry-run: how large an archive would be, and whether there is room for it.
func (w *writing) estimate(t *tool, name, dir string) error {
	const sample = 16 << 20
	e, err := w.plan.Estimate(t.ctx, w.files(), sample)
	if err != nil {
		return w.writeError(t, err)
	}
	about := "about "
	if e.Exact {
		about = ""
	}
	free, known := int64(0), false
	if dir != "" {
		free, known = freeSpace(dir)
	}
	if t.asJSON {
		out := &estimateOut{Name: name, Copy: e.Copied, Pack: e.Pack, Memory: e.Memory, Size: e.Size, Grows: e.Grows, Exact: e.Exact}
		if known {
			out.Free = &free
		}
		t.event(event{Event: "estimate", Estimate: out})
	} else {
		line := func(what string, n int64) { fmt.Fprintf(t.stdout, "%-17s%s\n", what+":", sizeText(n)) }
		fmt.Fprintf(t.stdout, "Dry run: nothing is written.\n")
		line("Data to copy", e.Copied)
		line("Data to pack", e.Pack)
		line("Thread's memory", e.Memory)
		fmt.Fprintf(t.stdout, "%-17s%s%s (%d bytes) in %q\n", "Size:", about, sizeText(e.Size), e.Size, name)
		if known {
			line("Space to take", max(e.Grows, 0))
			line("Space free", free)
		}
	}
	if x := e.Large; x != nil {
		t.warn("%s may need a part of %s, larger than the %s asked for; one of 4 GiB or more is made with --force only", x.Name, sizeText(x.Need), sizeText(x.Part))
	}
	if known && e.Grows > free {
		return codef(exitWrite, "there is no room: %s%s are needed in %q, and %s are free", about, sizeText(e.Grows), dir, sizeText(free))
	}
	return nil
}

// estimateOut is the result of --dry-run, in bytes.
type estimateOut struct {
	Name   string `json:"name"`
	Copy   int64  `json:"copy"`   // packed bytes that are copied
	Pack   int64  `json:"pack"`   // unpacked bytes that are packed
	Memory int64  `json:"memory"` // of a thread
	Size   int64  `json:"size"`   // of the archive
	Grows  int64  `json:"grows"`  // by how much the file grows
	Exact  bool   `json:"exact"`
	Free   *int64 `json:"free,omitempty"` // on the disk, if that is known
}

// lacks lists the contents that an archive's images need and that no open file has, as those of a delta archive without its base.
func (t *tool) lacks(a *opened) (map[format.Hash]bool, error) {
	r, err := t.verifyAll(a, 1, &verify.Options{NoIntegrity: true, NoBlobs: true})
	if err != nil {
		return nil, err
	}
	all := map[format.Hash]bool{}
	for _, m := range r.Missing {
		all[m.Hash] = true
	}
	return all, nil
}

// verifyWritten is --verify-after: all that an archive holds is read again. fate says what became of it if it is no good.
func (w *writing) verifyWritten(t *tool, parts []string, name, fate string) error {
	open := func() (*opened, error) { return t.open(parts[0], w.refs) }
	if len(parts) > 1 {
		open = func() (*opened, error) { return t.openParts(parts) }
	}
	a, err := open()
	if err != nil {
		return err
	}
	defer a.Close()
	r, err := t.verifyAll(a, w.threads, nil)
	if err != nil {
		return err
	}
	before := func(m verify.Missing) bool { return w.lacks[m.Hash] }
	elsewhere := len(r.Missing)
	r.Missing = slices.DeleteFunc(r.Missing, before)
	elsewhere -= len(r.Missing)
	if !r.Sound() || len(r.Missing) > 0 {
		fmt.Fprint(t.stderr, r.Text())
		return codef(exitHash, "%q %s: what is in the file is not what it should be", name, fate)
	}
	if elsewhere > 0 {
		t.warn("%d contents were not verified: they are in no open file, and were not before", elsewhere)
	}
	if r.LossesN > 0 {
		t.warn("what is in %s is what was to be written, but it is incomplete: %s", name, r.Losses[0].String())
		return nil
	}
	t.say("%q was successfully verified.\n", name)
	return nil
}
