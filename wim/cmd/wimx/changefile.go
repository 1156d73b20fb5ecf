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

// target is an archive that is open for changes. It holds a lock that other programs, such as wimlib, respect.
type target struct {
	*opened
	path string // path of the file, links resolved
	file *os.File
}

func (a *target) Close() {
	a.opened.Close()
	closeLocked(a.file)
}

// openForChange opens an archive for changes, and refuses one that cannot be changed. With --check it verifies the integrity
// table first. An archive that is marked as unfinished is accepted if anew is set: it will be rewritten.
func (t *tool) openForChange(name string, refs []string, o *parsed, anew bool) (_ *target, err error) {
	fi, err := os.Stat(name)
	if err == nil && !fi.Mode().IsRegular() && !fi.IsDir() {
		return nil, codef(exitOpen, "cannot modify %q: it is not a regular file", name)
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
		why = "is marked as unfinished: another program is writing to it, or was interrupted; \"wimx optimize\" rewrites it"
	}
	if why != "" {
		return nil, codef(exitReadOnly, "cannot modify %q: it %s", name, why)
	}
	if err := t.checkIntegrity(a.opened, o); err != nil {
		return nil, err
	}
	return a, nil
}

// keepsAll is modification.instead for verbs that append.
const keepsAll = "without --rebuild and --unsafe-compact, no data is moved"

// modification describes how to write a changed archive to its file.
type modification struct {
	to      *target
	edit    *write.Builder
	pack    packing
	sources []fs.FS
	anew    bool   // write a new file and rename it, instead of appending
	compact bool   // move data to the front, into unused space
	instead string // hint for errors: how to keep all data in place; "" if not possible
}

// whole reports whether the archive is rewritten. Pipable archives always are: they cannot be appended to, and converting
// from or to one changes the whole layout.
func (m *modification) whole() bool {
	return m.to.hdr.Pipable() || m.pack.pipable || m.anew
}

// write writes the archive. Blobs that the archives of --ref hold are not copied into it.
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
		return nil, codef(exitCompaction, "%q is pipable: it can only be rewritten, not compacted in place", m.to.name)
	}
	if m.whole() {
		w, err := m.pack.forRebuild(m.to.Archive)
		if err != nil {
			return nil, err
		}
		if w.Only == write.OnlyMetadata && len(shared) == 0 {
			return nil, codef(exitMissingContent, "%q holds metadata only: use --ref=GLOB to name the file with its blobs", m.to.name)
		}
		plan, err := m.edit.PlanWrite(&w)
		if err != nil {
			return nil, elsewhere(err)
		}
		if m.to.hdr.Pipable() || m.pack.pipable {
			m.instead = "" // a pipable archive can only be rewritten
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

// elsewhere adds a hint to an error about missing blobs.
func elsewhere(err error) error {
	if errors.Is(err, blobs.ErrMissing) {
		return fmt.Errorf("%w; use --ref=GLOB to name the archives or parts that have it", err)
	}
	return err
}

// needWhole refuses to add an image to an archive of a group: one kind has no images, and the other no blobs.
func (a *target) needWhole() error {
	if a.hdr.Flags&format.FlagResourceOnly != 0 {
		return codef(exitParameter, "%q holds only the blobs of a group: use capture or export with --group=%s to add an image to the group", a.name, a.name)
	}
	if a.hdr.Flags&format.FlagMetadataOnly != 0 {
		return codef(exitParameter, "%q holds metadata only, and shares its blobs with other archives: export the image with --ref=GLOB, change the result, "+
			"and export it with --group again", a.name)
	}
	return nil
}

// openShared opens the archives of --ref, which hold blobs of another archive.
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

// sameCodec refuses a codec other than the archive's, since an archive has only one.
func (p *packing) sameCodec(a *wim.Archive) error {
	if p.plain.given && p.plain.codec != a.Info().Codec {
		return usageError{"cannot specify a compression type that is not the same as that used in the destination WIM"}
	}
	return nil
}

// forAppend returns the options for appending: the same packing as in the archive, solid if it has solid resources.
func (p *packing) forAppend(t *tool, a *wim.Archive) (write.Options, error) {
	have := write.OptionsOf(a)
	w := have
	if w.Only == write.OnlyMetadata {
		w.Only = write.OnlyAll // no blobs are added: needWhole has refused that
	}
	if p.chunkSize != 0 && p.chunkSize != have.ChunkSize {
		t.warn("--chunk-size is ignored: an existing archive keeps its chunk size, %d", have.ChunkSize)
	}
	own := *p
	own.chunkSize = 0
	w, err := own.onto(w)
	w.GUID = have.GUID
	return w, err
}
