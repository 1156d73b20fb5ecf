package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/write"
)

// target is an archive that is to be changed. Until it is closed it has the lock that keeps other programs from changing
// it, wimlib's among them.
type target struct {
	*opened
	path string // where the file lies, links followed
	file *os.File
}

func (a *target) Close() {
	a.opened.Close()
	closeLocked(a.file)
}

// openForChange opens an archive for changing it, and refuses what cannot be changed. With --check its integrity table is
// looked at first. An unfinished one is taken if anew says that it is going to be written anew.
func (t *tool) openForChange(name string, refs []string, o *parsed, anew bool) (_ *target, err error) {
	fi, err := os.Stat(name)
	if err == nil && !fi.Mode().IsRegular() && !fi.IsDir() {
		return nil, codef(exitOpen, "cannot modify %q: it is no regular file", name)
	}
	path := name
	if err == nil {
		path, err = filepath.EvalSymlinks(name)
	}
	if err != nil {
		return nil, coded(exitOpen, &fs.PathError{Op: "open", Path: name, Err: cause(err)})
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return nil, codef(exitReadOnly, "cannot modify %q: %w", name, errors.Unwrap(err))
	case err != nil:
		return nil, coded(exitOpen, err)
	}
	a := &target{path: path, file: f}
	defer func() {
		if err != nil {
			closeLocked(f)
		}
	}()
	if taken, err := lockFile(f.Fd()); taken {
		return nil, codef(exitOther, "cannot modify %q: another program has it locked for writing", name)
	} else if err != nil {
		return nil, coded(exitOpen, err)
	}
	if a.opened, err = t.open(path, refs); err != nil {
		return nil, needFirst(err, name)
	}
	a.name = name
	defer func() {
		if err != nil {
			a.opened.Close()
		}
	}()
	// The file may have been replaced before the lock was taken.
	mine, err := f.Stat()
	if err != nil {
		return nil, coded(exitOpen, err)
	}
	read, err := a.files[0].Stat()
	if err != nil {
		return nil, coded(exitOpen, err)
	}
	if !os.SameFile(mine, read) {
		return nil, codef(exitOther, "cannot modify %q: another program is replacing it", name)
	}
	why := ""
	switch h := &a.hdr; {
	case h.TotalParts > 1 || h.Flags&format.FlagSpanned != 0:
		why = "is part of a split WIM; join the parts first"
	case h.Flags&format.FlagReadOnly != 0:
		why = "is marked read-only"
	case h.Flags&format.FlagWriteInProgress != 0 && !anew:
		why = "says that another program is writing to it, or was cut off while it did; \"wimx optimize\" writes it anew"
	}
	if why != "" {
		return nil, codef(exitReadOnly, "cannot modify %q: it %s", name, why)
	}
	if err := t.checkIntegrity(a.opened, o); err != nil {
		return nil, err
	}
	return a, nil
}

// keepsAll is modification.instead of the verbs that append.
const keepsAll = "without --rebuild and --unsafe-compact, everything stays where it is"

// modification is an archive that is to be written over itself.
type modification struct {
	to      *target
	edit    *write.Builder
	pack    packing
	sources []fs.FS
	anew    bool   // write it beside and rename it, and do not append
	compact bool   // move all to where there are holes
	instead string // what keeps everything in place, where that is possible; for the hint of an error
}

// whole says that the archive is written anew, asked for or not: nothing can be added to a pipable one, and whether it is one
// is a matter of every byte.
func (m *modification) whole() bool {
	return m.to.hdr.Pipable() || m.pack.pipable || m.anew
}

// write makes it. Contents that the archives of --ref hold stay there.
func (m *modification) write(t *tool, r runOptions) (*write.Report, error) {
	shared, err := t.openShared(r.refs)
	defer func() {
		for _, a := range shared {
			a.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	for _, a := range shared {
		m.edit.LeaveOut(a.Archive)
	}
	var lacks map[format.Hash]bool
	if r.verifyAfter && !r.dryRun {
		if lacks, err = t.lacks(m.to.opened); err != nil {
			return nil, err
		}
	}
	if m.whole() && m.compact {
		return nil, codef(exitCompaction, "%q is pipable: it can only be written anew, and not be compacted", m.to.name)
	}
	if m.whole() {
		w, err := m.pack.forRebuild(m.to.Archive)
		if err != nil {
			return nil, err
		}
		if w.Only == write.OnlyMetadata && len(shared) == 0 {
			return nil, codef(exitMissingContent, "%q holds metadata only: --ref=GLOB names the file with the contents", m.to.name)
		}
		plan, err := m.edit.PlanWrite(&w)
		if err != nil {
			return nil, elsewhere(err)
		}
		if m.to.hdr.Pipable() || m.pack.pipable {
			m.instead = "" // which can only be rewritten
		}
		return (&writing{plan: plan, options: &w, sources: m.sources, over: m.to, instead: m.instead, lacks: lacks, runOptions: r}).toFile(t, m.to.path)
	}
	w, err := m.pack.forAppend(t, m.to.Archive)
	if err != nil {
		return nil, err
	}
	planned := m.edit.PlanAppend
	if m.compact {
		planned = m.edit.PlanCompact
	}
	plan, err := planned(&w)
	if err != nil {
		return nil, elsewhere(err)
	}
	return (&writing{plan: plan, options: &w, sources: m.sources, compact: m.compact, instead: m.instead, lacks: lacks, runOptions: r}).inPlace(t, m.to)
}

// elsewhere adds to an error about missing contents what can be done.
func elsewhere(err error) error {
	if errors.Is(err, blobs.ErrMissing) {
		return fmt.Errorf("%w; --ref=GLOB names archives or parts that have it", err)
	}
	return err
}

// needWhole refuses to add an image to an archive of a group: one has no contents, and the other no images.
func (a *target) needWhole() error {
	if a.hdr.Flags&format.FlagResourceOnly != 0 {
		return codef(exitParameter, "%q holds contents only, which a group shares: capture and export with --group=%s add an image to the group", a.name, a.name)
	}
	if a.hdr.Flags&format.FlagMetadataOnly != 0 {
		return codef(exitParameter, "%q holds metadata only, and its contents are in a file that others share: export the image with --ref=GLOB, change that, "+
			"and export it with --group again", a.name)
	}
	return nil
}

// openShared opens the archives that hold contents of another one, by the globs of --ref.
func (t *tool) openShared(refs []string) (list []*opened, err error) {
	for _, glob := range refs {
		names, err := filepath.Glob(glob)
		if err != nil {
			return list, usageError{fmt.Sprintf("--ref=%s: %v", glob, err)}
		}
		for _, name := range names {
			a, err := t.open(name, nil)
			if err != nil {
				return list, err
			}
			list = append(list, a)
		}
	}
	return list, nil
}

// sameCodec refuses a second codec: an archive has one, whatever is added to it.
func (p *packing) sameCodec(a *wim.Archive) error {
	if p.plain.given && p.plain.codec != a.Info().Codec {
		return usageError{"cannot specify a compression type that is not the same as that used in the destination WIM"}
	}
	return nil
}

// forAppend says how what is added to an archive is packed: as what is there, so solid if there are solid resources.
func (p *packing) forAppend(t *tool, a *wim.Archive) (write.Options, error) {
	have := write.OptionsOf(a)
	w := have
	if w.Only == write.OnlyMetadata {
		w.Only = write.OnlyAll // there are no contents to be added: needWhole has seen to that
	}
	if p.chunkSize != 0 && p.chunkSize != have.ChunkSize {
		t.warn("--chunk-size does not count: an archive that is there keeps its own, %d", have.ChunkSize)
	}
	own := *p
	own.chunkSize = 0
	w, err := own.onto(w)
	w.GUID = have.GUID
	return w, err
}
