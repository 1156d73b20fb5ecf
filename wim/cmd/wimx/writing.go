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

// runOptions are options common to all verbs that write an archive.
type runOptions struct {
	threads     int
	dryRun      bool // print an estimate, and write nothing
	verifyAfter bool // verify the archive after it was written
	skip        bool // leave out files that cannot be read, or that change while they are read
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

// globOf returns a pattern that matches only the name.
func globOf(name string) string {
	if onWindows {
		return name // there is no way to escape it there
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// writing describes the writing of an archive.
type writing struct {
	plan     *write.Plan
	options  *write.Options
	sources  []fs.FS              // draft.Content.Source is an index into it
	partSize int64                // bytes; 0: not split
	compact  bool                 // resources are moved in place, which cannot be undone
	over     *target              // the archive that the new file replaces, nil if none
	instead  string               // hint for errors: how to keep all data in place
	through  bool                 // to a device or a pipe: the output cannot be removed
	lacks    map[format.Hash]bool // blobs that were missing before
	runOptions
}

// files opens contents that are files.
func (w *writing) files() shard.ContentFiles { return w.plan.FilesOf(w.sources...) }

// named returns an error about a content with the full path of the file, as in errors of scans: there are several sources.
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
	if pe, ok := n.Err.(*fs.PathError); ok { // it repeats the name
		n.Err = pe.Err
	}
	return &n
}

// toFile writes an archive to a file, which appears complete or not at all, or to a device or pipe. "-" is standard output. A
// dry run returns no report.
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
		return nil, codef(exitParameter, "--verify-after: output to a pipe or device cannot be read again")
	case at.through:
		w.through = true
		var r *write.Report
		err := t.writeThrough(at, func(to io.WriterAt) (err error) {
			r, err = w.run(t, to)
			return err
		})
		return r, err
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

// inPlace changes an archive in its file. Until the header is written, which comes last, it is the old archive.
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

// remember returns a function that cuts off appended data if the header is still the current one.
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

// warnings warns about Microsoft programs that cannot read the archive. LZMS by itself gets no warning: all versions that
// Microsoft still supports can read it.
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

// run writes an archive and reports progress.
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

func (w *writing) engineOptions(t *tool, show *stageBar) *shard.Options {
	return &shard.Options{Workers: w.threads, Memory: usableMemory(), Progress: show.step, Problem: func(e *shard.ContentError) bool {
		if w.skip {
			e = w.named(e)
			t.leftOut++
			t.warn("%s: %v; skipped", e.Path, e.Err)
		}
		return w.skip
	}}
}

// fate returns what happens to the output when writing fails.
func (w *writing) fate() string {
	switch {
	case w.through:
		return "the output is truncated and unusable"
	case w.compact:
		return "the archive is incomplete: run \"verify\" to see what is lost"
	}
	return "the output was removed"
}

// writeError words the error that stopped the writing.
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
		return hinted{err, "the archive is damaged and was not changed: run \"verify\" to list the affected files; --nocheck writes it without an integrity table"}
	case errors.Is(err, format.ErrChecksum):
		return hinted{err, "run \"verify\" to list all damage"}
	case errors.As(err, &ce) && errors.Is(err, blobs.ErrChanged):
		return coded(exitChanged, fmt.Errorf("%w; use --skip-errors to leave out such files", err))
	}
	return interrupted(err)
}

// room returns an error if the output cannot fit on the disk. Only copied data are counted, whose size is known.
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
		return codef(exitWrite, "not enough disk space: at least %s needed in %q, %s free", sizeText(need), dir, sizeText(free))
	}
	return nil
}

// estimate implements --dry-run: it prints the expected size, and whether there is enough space.
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
		line := func(what string, n int64) { fmt.Fprintf(t.stdout, "%-19s%s\n", what+":", sizeText(n)) }
		fmt.Fprintf(t.stdout, "Dry run: nothing is written.\n")
		line("Data to copy", e.Copied)
		line("Data to compress", e.Pack)
		line("Memory per thread", e.Memory)
		fmt.Fprintf(t.stdout, "%-19s%s%s (%d bytes) in %q\n", "Size:", about, sizeText(e.Size), e.Size, name)
		if known {
			line("Space needed", max(e.Grows, 0))
			line("Space available", free)
		}
	}
	if x := e.Large; x != nil {
		t.warn("%s may need a part of %s, larger than the requested %s; a part of 4 GiB or more requires --force", x.Name, sizeText(x.Need), sizeText(x.Part))
	}
	if known && e.Grows > free {
		return codef(exitWrite, "not enough disk space: %s%s needed in %q, %s free", about, sizeText(e.Grows), dir, sizeText(free))
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

// lacks returns the blobs that an archive's images need and that no open file has, such as those of a delta archive without
// its base.
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

// verifyWritten implements --verify-after: it reads the whole output. fate describes what happened to a bad output.
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
		return codef(exitHash, "%q %s: it failed verification", name, fate)
	}
	if elsewhere > 0 {
		t.warn("%d blobs were not verified: they are not in any open file, as before", elsewhere)
	}
	if r.LossesN > 0 {
		t.warn("%s was verified, but it is incomplete: %s", name, r.Losses[0].String())
		return nil
	}
	t.say("%q was successfully verified.\n", name)
	return nil
}
