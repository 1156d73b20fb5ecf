package state

import (
	"errors"
	"slices"

	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// Extract extracts and saves: with the dialog, or at once (save.go).
type Extract struct {
	Dialog *ExtractDialog // nil if it is closed

	ar    *opened
	jobs  *Jobs
	files *Files // has the selection
}

// ExtractDialog is what to extract, and how.
type ExtractDialog struct {
	Image   int
	Nodes   []int32 // empty: the whole image
	Base    int32
	What    string
	Format  protocol.Format
	Streams bool
	Recover bool
	Plan    *protocol.PlanReply
	Loading bool // the nodes of the selection or the plan were requested
	Problem *Problem
	Refused bool // the list of names that cannot be written is open

	serial int
}

// Selection opens the dialog for the selected entries, or for the folder if none is selected.
func (x *Extract) Selection() {
	x.ar.update(func() {
		f := x.files
		if f.Image == 0 {
			return
		}
		n := f.List.Sel.Count()
		d := x.newDialog(f.Image)
		d.Base = f.Entry.Node
		folder := f.Entry.Name
		if folder == "" {
			folder = x.imageName(f.Image)
		}
		switch {
		case n == 0 || n == f.List.View.Total && f.List.Filter == "":
			d.What = folder
			if f.Entry.Node != 0 {
				d.Nodes = []int32{f.Entry.Node}
			}
			if len(f.Path) > 1 {
				d.Base = f.Path[len(f.Path)-2].Node
			}
			x.plan()
			return
		case n == 1:
			if row, ok := f.List.Row(f.List.Cursor); ok && f.List.Sel.Has(f.List.Cursor) {
				d.What = row.Name
			}
		}
		if d.What == "" {
			d.What = x.ar.T("extract.entries", n, folder)
		}
		d.Loading = true
		x.gather(d)
	})
}

// Image opens the dialog for a whole image.
func (x *Extract) Image(image int) {
	x.ar.update(func() {
		if x.ar.hasImage(image) {
			x.newDialog(image).What = x.imageName(image)
			x.plan()
		}
	})
}

func (x *Extract) imageName(image int) string { return ImageName(&x.ar.Info.Images[image-1]) }

func (x *Extract) newDialog(image int) *ExtractDialog {
	serial := 1
	if x.Dialog != nil {
		serial = x.Dialog.serial + 1
		x.dropPlan()
	}
	x.Dialog = &ExtractDialog{Image: image, Format: protocol.ZIP, serial: serial}
	return x.Dialog
}

// gatherRows is the number of rows of a selection per request.
const gatherRows = 1000

// gather requests the nodes of the selected rows, which may not all have been in view, and then the plan.
func (x *Extract) gather(d *ExtractDialog) {
	l := &x.files.List
	spans := slices.Clone(l.Sel.spans)
	req := l.request(0, 0)
	go func() {
		var nodes []int32
		var err error
		for _, r := range spans {
			for at := r.from; at < r.to && err == nil; at += gatherRows {
				req.Start, req.Count = at, min(gatherRows, r.to-at)
				var rep protocol.ListReply
				rep, err = x.ar.Session.List(x.ar.ctx, req)
				for i := range rep.Rows {
					nodes = append(nodes, rep.Rows[i].Node)
				}
			}
		}
		x.ar.update(func() {
			if x.Dialog != d {
				return
			}
			if err != nil {
				d.Loading = false
				d.Problem = x.ar.problem(err, "")
				return
			}
			d.Nodes = nodes
			x.plan()
		})
	}()
}

// request returns the request of a plan. Platform names the system whose rules for names apply in a folder.
func (d *ExtractDialog) request(platform string) protocol.PlanRequest {
	req := protocol.PlanRequest{Op: protocol.Extract, Image: d.Image, Nodes: d.Nodes, Base: d.Base, Format: d.Format,
		Streams: d.Streams, Recover: d.Recover}
	if d.Format == protocol.Folder {
		req.Platform = platform
	}
	return req
}

// plan requests a plan: what the extraction would write.
func (x *Extract) plan() {
	d := x.Dialog
	x.dropPlan()
	d.serial++
	serial := d.serial
	d.Loading, d.Problem = true, nil
	req := d.request(x.ar.Caps.Names)
	go func() {
		rep, err := x.ar.Session.Plan(x.ar.ctx, req)
		wanted := false
		x.ar.update(func() {
			if wanted = x.Dialog == d && d.serial == serial; !wanted {
				return
			}
			d.Loading = false
			if err != nil {
				d.Problem = x.ar.problem(err, "")
				return
			}
			d.Plan = &rep
		})
		if !wanted && err == nil {
			_ = x.ar.Session.DropPlan(x.ar.ctx, rep.Plan) // an error would have no consequence
		}
	}()
}

// dropPlan drops the plan of the dialog.
func (x *Extract) dropPlan() {
	if x.Dialog == nil || x.Dialog.Plan == nil {
		return
	}
	plan := x.Dialog.Plan.Plan
	x.Dialog.Plan = nil
	go func() { _ = x.ar.Session.DropPlan(x.ar.ctx, plan) }() // an error would have no consequence
}

// SetFormat chooses the destination.
func (x *Extract) SetFormat(f protocol.Format) {
	x.change(func(d *ExtractDialog) bool {
		changed := d.Format != f
		d.Format = f
		return changed
	})
}

// SetStreams chooses whether named streams are written too.
func (x *Extract) SetStreams(on bool) {
	x.change(func(d *ExtractDialog) bool {
		changed := d.Streams != on
		d.Streams = on
		return changed
	})
}

// SetRecover chooses whether damaged files are written as far as they can be read.
func (x *Extract) SetRecover(on bool) {
	x.change(func(d *ExtractDialog) bool {
		changed := d.Recover != on
		d.Recover = on
		return changed
	})
}

// change calls f with the dialog. If f reports a change, it requests a new plan, unless gather is still running, which
// requests it afterwards.
func (x *Extract) change(f func(d *ExtractDialog) bool) {
	x.ar.update(func() {
		d := x.Dialog
		if d == nil || !f(d) {
			return
		}
		if gathering := d.Loading && d.Plan == nil && d.serial <= 1; !gathering {
			x.plan()
		}
	})
}

// ToggleRefused shows or hides the list of names that cannot be written.
func (x *Extract) ToggleRefused() {
	x.ar.update(func() {
		if x.Dialog != nil {
			x.Dialog.Refused = !x.Dialog.Refused
		}
	})
}

// Close closes the dialog.
func (x *Extract) Close() {
	x.ar.update(func() {
		x.dropPlan()
		x.Dialog = nil
	})
}

// Start asks for the destination and starts the extraction.
func (x *Extract) Start() {
	var d *ExtractDialog
	var plan *protocol.PlanReply
	x.ar.Read(func() {
		d = x.Dialog
		if d != nil {
			plan = d.Plan
		}
	})
	if plan == nil {
		return
	}
	go func() {
		out, err := x.target(plan.Name, d.Format, plan.OutSize)
		x.ar.update(func() {
			switch {
			case x.Dialog != d || d.Plan != plan || errors.Is(err, ErrDismissed):
				return
			case err != nil:
				d.Problem = NewProblem(protocol.AsError(err), plan.Name)
				return
			}
			x.Dialog = nil
			j := &JobView{Op: protocol.Extract, Format: d.Format, What: d.What, Where: out.Name}
			x.run(j, pool.JobSpec{Request: d.request(x.ar.Caps.Names), Plan: plan, Out: out})
		})
	}()
}
