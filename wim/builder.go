package wim

import (
	"context"
	"io"
	"io/fs"

	"wimscope/wim/core"
)

// Builder is an archive to be: images of folders, of other archives, and of the archive that it began with. Nothing is read or
// written before one of its last three methods, but for names and what else is known of files.
type Builder struct {
	*core.Edit // images are moved, named and removed by its methods
	sources    []fs.FS
}

// New begins an archive without images.
func New() *Builder { return &Builder{Edit: core.NewEdit()} }

// Change begins with the images of an archive, which Append can then change in its place.
func Change(a *Archive) (*Builder, error) {
	e, err := a.Edit()
	if err != nil {
		return nil, err
	}
	return &Builder{Edit: e}, nil
}

// Scan looks at a folder's files, to be added by AddDraft, perhaps after changes. o may be nil; its Source is set. What cannot be
// stored ends it, unless o says otherwise.
func (b *Builder) Scan(ctx context.Context, folder fs.FS, o *ScanOptions) (*Draft, error) {
	var opts ScanOptions
	if o != nil {
		opts = *o
	}
	opts.Source = len(b.sources)
	b.sources = append(b.sources, folder)
	d, _, err := core.Scan(func(int64, int) error { return context.Cause(ctx) }, folder, ".", &opts)
	return d, err
}

// FillWindows has the XML document tell what the Windows in an image that is a draft, index from 1, says of itself, as
// wimlib and DISM do. It gives nil if there is no Windows, and otherwise what it found and what it could not read.
func (b *Builder) FillWindows(index int) *core.WindowsInfo {
	return b.Edit.FillWindows(index, b.sources...)
}

// Write makes a new archive in w, which should be empty. The first error ends it and leaves what says of itself that it is
// not finished.
func (b *Builder) Write(ctx context.Context, w io.WriterAt, o *WriteOptions, r *Run) (*WriteReport, error) {
	return b.run(ctx, w, r, func() (*core.WritePlan, error) { return b.PlanWrite(o) })
}

// Append writes what is new behind the archive that Change was given, whose file w is: the archive is what it was until all is
// done, and again after an error. The zero value of o goes on as the archive is packed.
func (b *Builder) Append(ctx context.Context, w io.WriterAt, o *WriteOptions, r *Run) (*WriteReport, error) {
	return b.run(ctx, w, r, func() (*core.WritePlan, error) { return b.PlanAppend(o) })
}

// Split makes a set of parts of at most partSize bytes. part gives the file of each, by numbers from 1, and closes them
// when all is done. A content that is larger than a part makes a larger one, but none of 4 GiB or more: that is an error before
// anything is written.
func (b *Builder) Split(ctx context.Context, partSize int64, part func(number int) (io.WriterAt, error), o *WriteOptions, r *Run) (*WriteReport, error) {
	p, err := b.PlanSplit(partSize, false, o)
	if err != nil {
		return nil, err
	}
	return core.RunSplit(ctx, p, p.FilesOf(b.sources...), part, r.options())
}

func (b *Builder) run(ctx context.Context, w io.WriterAt, r *Run, plan func() (*core.WritePlan, error)) (*WriteReport, error) {
	p, err := plan()
	if err != nil {
		return nil, err
	}
	return core.RunWrite(ctx, p, p.FilesOf(b.sources...), w, r.options())
}
