package wim

import (
	"context"
	"io"

	"wimscope/wim/core"
	"wimscope/wim/format"
)

// An Archive gives its images and contents; an Image is a tree, and with its method FS a file system of io/fs; a Draft is a
// tree that can be changed. A FormatError names the record that makes no sense, and its place. All that can be asked of
// them, and the other errors, are in package core.
type (
	Archive      = core.Archive
	Part         = core.Part
	Image        = core.Image
	Draft        = core.Draft
	DraftInfo    = core.DraftInfo
	ScanOptions  = core.ScanOptions
	WriteOptions = core.WriteOptions
	VerifyReport = core.VerifyReport
	WriteReport  = core.WriteReport
	FormatError  = format.Error
)

// How contents are packed.
const (
	None   = format.None
	XPRESS = format.XPRESS
	LZX    = format.LZX
	LZMS   = format.LZMS
)

// Run is how work that takes long is done. The zero value, and nil, is right for most.
type Run struct {
	Workers int                      // goroutines; 0 means 1
	Tell    func(bytes, total int64) // told how many unpacked bytes are done; may be nil; called from one goroutine at a time
}

// Open opens an archive: its one file, or the parts of a split set in any order.
func Open(parts ...Part) (*Archive, error) { return core.Open(parts, nil) }

// Verify checks all contents and the integrity tables. What is damaged is in the report, with every path that has it; the
// error says why there is no report.
func Verify(ctx context.Context, a *Archive, r *Run) (*VerifyReport, error) {
	p, err := a.PlanVerify(nil)
	if err != nil {
		return nil, err
	}
	if err := core.RunPlan(ctx, p, a.Source(), r.workers(), r.tell(p.Bytes())); err != nil {
		return nil, err
	}
	return p.Report(func(int64, int) error { return context.Cause(ctx) })
}

// Zip writes all of an image to w as a ZIP archive, unpacked, and gives its size. Paths whose contents are damaged are left
// out and named.
func Zip(ctx context.Context, a *Archive, im *Image, w io.WriterAt, r *Run) (size int64, damaged []string, err error) {
	p, err := a.PlanExtract(core.Selection{Image: im}, &core.ExtractOptions{Form: core.OutputZIP})
	if err != nil {
		return 0, nil, err
	}
	out := core.NewZIPWriter(w)
	bad, err := core.RunExtract(ctx, p, a.Source(), r.workers(), out, r.tell(p.Bytes()))
	if err != nil {
		return 0, nil, err
	}
	for i := range bad {
		damaged = append(damaged, bad[i].Path)
	}
	size, err = out.Finish()
	return size, damaged, err
}

func (r *Run) workers() int {
	if r == nil {
		return 1
	}
	return max(r.Workers, 1)
}

func (r *Run) tell(total int64) func(core.Progress) {
	if r == nil || r.Tell == nil {
		return nil
	}
	return func(p core.Progress) { r.Tell(p.Bytes, total) }
}

func (r *Run) options() *core.RunOptions {
	o := &core.RunOptions{Workers: r.workers()}
	if r != nil && r.Tell != nil {
		o.Progress = func(p core.RunProgress) { r.Tell(p.Bytes, p.Total) }
	}
	return o
}
