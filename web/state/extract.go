package state

import (
	"errors"

	"wimscope/web/words"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// bigInMemory is the size from which an output that must sit in memory is warned of, bytes.
const bigInMemory = 512 << 20

// ExtractDialog is what is about to be extracted, and how.
type ExtractDialog struct {
	Image   int
	Nodes   []int32 // empty: the whole image
	Base    int32
	What    string
	Format  protocol.Format
	Streams bool
	Recover bool
	Plan    *protocol.PlanReply
	Loading bool // the selection is being gathered, or the plan made
	Problem *Problem
	Refused bool // the list of refused names is open

	serial int
}

// ExtractSelection opens the dialog for the selected entries, or the folder if none is.
func (a *App) ExtractSelection() {
	a.update(func() {
		ar := a.Archive
		if ar == nil || ar.Files.Image == 0 {
			return
		}
		f := &ar.Files
		n := f.List.Sel.Count()
		d := a.newExtract(f.Image)
		d.Base = f.Entry.Node
		folder := f.Entry.Name
		if folder == "" {
			folder = a.imageTitle(f.Image)
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
			a.planExtract()
			return
		case n == 1:
			if row, ok := f.List.Row(f.List.Cursor); ok && f.List.Sel.Has(f.List.Cursor) {
				d.What = row.Name
			}
		}
		if d.What == "" {
			d.What = a.T("extract.entries", n, folder)
		}
		d.Loading = true
		a.gather(d)
	})
}

// ExtractImage opens the dialog for a whole image.
func (a *App) ExtractImage(image int) {
	a.update(func() {
		if a.Archive == nil || image < 1 || image > len(a.Archive.Info.Images) {
			return
		}
		d := a.newExtract(image)
		d.What = a.imageTitle(image)
		a.planExtract()
	})
}

func (a *App) imageTitle(image int) string {
	return ImageName(&a.Archive.Info.Images[image-1])
}

// ImageName is what an image is called: its display name, its edition's name, or its number.
func ImageName(im *protocol.Image) string {
	switch {
	case im.DisplayName != "":
		return im.DisplayName
	case im.Name != "":
		return im.Name
	}
	return itoa(im.Index)
}

func (a *App) newExtract(image int) *ExtractDialog {
	serial := 1
	if a.Extract != nil {
		serial = a.Extract.serial + 1
		a.dropPlan()
	}
	a.Extract = &ExtractDialog{Image: image, Format: protocol.ZIP, serial: serial}
	return a.Extract
}

// gather asks for the nodes of the selected rows, which may not all have been looked at.
func (a *App) gather(d *ExtractDialog) {
	ar := a.Archive
	f := &ar.Files
	sel := Selection{spans: append([]span(nil), f.List.Sel.spans...)}
	req := protocol.ListRequest{Image: f.Image, Node: f.Entry.Node, Sort: f.List.Sort, Desc: f.List.Desc, Filter: f.List.Filter}
	go func() {
		var nodes []int32
		var err error
		for _, r := range sel.spans {
			for at := r.from; at < r.to && err == nil; at += 1000 {
				q := req
				q.Start, q.Count = at, min(1000, r.to-at)
				var rep protocol.ListReply
				rep, err = ar.Session.List(ar.ctx, q)
				for i := range rep.Rows {
					nodes = append(nodes, rep.Rows[i].Node)
				}
			}
		}
		a.update(func() {
			if a.Extract != d {
				return
			}
			if err != nil {
				d.Loading = false
				d.Problem = a.problem(ar, err, "")
				return
			}
			d.Nodes = nodes
			a.planExtract()
		})
	}()
}

// request is what is asked of the engine.
func (d *ExtractDialog) request(platform string) protocol.PlanRequest {
	req := protocol.PlanRequest{Op: protocol.Extract, Image: d.Image, Nodes: d.Nodes, Base: d.Base, Format: d.Format,
		Streams: d.Streams, Recover: d.Recover}
	if d.Format == protocol.Folder {
		req.Platform = platform
	}
	return req
}

// planExtract asks what the extraction would do.
func (a *App) planExtract() {
	ar, d := a.Archive, a.Extract
	a.dropPlan()
	d.serial++
	serial := d.serial
	d.Loading, d.Problem = true, nil
	req := d.request(a.Caps.Names)
	go func() {
		rep, err := ar.Session.Plan(ar.ctx, req)
		a.update(func() {
			if a.Extract != d || d.serial != serial {
				if err == nil {
					go func() { _ = ar.Session.DropPlan(ar.ctx, rep.Plan) }() // nobody can act on its failing
				}
				return
			}
			d.Loading = false
			if err != nil {
				d.Problem = a.problem(ar, err, "")
				return
			}
			d.Plan = &rep
		})
	}()
}

// dropPlan gives up the plan of the dialog.
func (a *App) dropPlan() {
	ar, d := a.Archive, a.Extract
	if d == nil || d.Plan == nil || ar == nil {
		return
	}
	plan := d.Plan.Plan
	d.Plan = nil
	go func() { _ = ar.Session.DropPlan(ar.ctx, plan) }() // nobody can act on its failing
}

// SetFormat chooses the destination.
func (a *App) SetFormat(f protocol.Format) {
	a.update(func() {
		if d := a.Extract; d != nil && d.Format != f {
			d.Format = f
			a.replan()
		}
	})
}

// SetStreams chooses whether named streams are written too.
func (a *App) SetStreams(on bool) {
	a.update(func() {
		if d := a.Extract; d != nil && d.Streams != on {
			d.Streams = on
			a.replan()
		}
	})
}

// SetRecover chooses whether what can be had of damaged files is written.
func (a *App) SetRecover(on bool) {
	a.update(func() {
		if d := a.Extract; d != nil && d.Recover != on {
			d.Recover = on
			a.replan()
		}
	})
}

func (a *App) replan() {
	d := a.Extract
	if d.Loading && d.Plan == nil && d.serial <= 1 {
		return // the selection is still being gathered; the plan is made after that
	}
	a.planExtract()
}

// ToggleRefused opens or closes the list of names that cannot be written.
func (a *App) ToggleRefused() {
	a.update(func() {
		if a.Extract != nil {
			a.Extract.Refused = !a.Extract.Refused
		}
	})
}

// CloseExtract closes the dialog.
func (a *App) CloseExtract() {
	a.update(func() {
		a.dropPlan()
		a.Extract = nil
	})
}

// InMemory tells whether an output of that size would have to sit in memory, and is large.
func (a *App) InMemory(size int64) bool {
	return !a.Caps.SavePicker && !a.Caps.OPFS && size > bigInMemory
}

// StartExtract asks where to, and starts.
func (a *App) StartExtract() {
	var d *ExtractDialog
	var plan *protocol.PlanReply
	a.Read(func() {
		d = a.Extract
		if d != nil {
			plan = d.Plan
		}
	})
	if plan == nil {
		return
	}
	go func() {
		out, err := a.target(plan.Name, d.Format, plan.OutSize)
		a.update(func() {
			switch {
			case a.Extract != d || d.Plan != plan || errors.Is(err, ErrDismissed):
				return
			case err != nil:
				d.Problem = NewProblem(protocol.AsError(err), plan.Name)
				return
			}
			a.Extract = nil
			j := &JobView{Op: protocol.Extract, Format: d.Format, What: d.What, Where: out.Name}
			a.start(j, pool.JobSpec{Request: d.request(a.Caps.Names), Plan: plan, Out: out})
		})
	}()
}

// target asks where an output of size bytes goes, as far as this browser offers a choice. If the browser refuses one way, the next
// one is tried.
func (a *App) target(name string, format protocol.Format, size int64) (*pool.OutTarget, error) {
	if format == protocol.Folder {
		h, chosen, err := a.platform.PickFolder()
		if err != nil {
			return nil, err
		}
		ok, err := a.platform.Allowed(h, true, true)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, &protocol.Error{Code: protocol.CodePermission, Name: chosen, Message: "writing to the folder was refused"}
		}
		return &pool.OutTarget{Target: protocol.ToFolder, Name: chosen, Handle: h}, nil
	}
	var caps Caps
	a.Read(func() { caps = a.Caps })
	if caps.SavePicker {
		h, chosen, err := a.platform.PickSave(name)
		if err == nil {
			return &pool.OutTarget{Target: protocol.ToHandle, Name: chosen, Handle: h}, nil
		}
		if errors.Is(err, ErrDismissed) {
			return nil, err
		}
		a.update(func() { a.Caps.SavePicker = false }) // refused by a policy, or in a frame of another site
	}
	if caps.OPFS {
		room := a.platform.Room(size)
		if room < 0 || size <= room {
			return &pool.OutTarget{Target: protocol.ToOPFS, Name: name}, nil
		}
		if size > bigInMemory {
			return nil, &protocol.Error{Code: protocol.CodeNoSpace, Name: name, Record: protocol.InStore, Need: size, Room: room,
				Message: "the output needs " + words.Number(size) + " bytes, the browser's own store has room for " + words.Number(room)}
		}
	}
	return &pool.OutTarget{Target: protocol.ToMemory, Name: name}, nil
}

// start runs a job that has an output, and hands the output over when the browser could not write it in place.
func (a *App) start(j *JobView, spec pool.JobSpec) {
	a.run(j, spec, func() {
		if j.Problem == nil && j.Result.File != nil {
			a.platform.Download(j.Result.File, spec.Out.Name)
			j.Result.File = nil // the browser has it; a file in memory is freed once it was read
		}
		if j.Problem == nil && j.Noted() > 0 && a.Report == nil {
			a.Report = j
		}
	})
}

// SaveFile saves the inspected file's content, or one of its named streams. Several entries open the dialog.
func (a *App) SaveFile(stream string) {
	several := false
	var ar *Archive
	var name string
	var image int
	var node int32
	var size int64
	a.update(func() {
		if a.Archive == nil {
			return
		}
		f := &a.Archive.Files
		switch {
		case f.Preview.Open:
			ar, name, image, node = a.Archive, f.Preview.Name, f.Preview.Image, f.Preview.Node
			size = f.Preview.Size
			if stream == "" {
				stream = f.Preview.Stream
			}
		case f.Insp.Has && (!f.Insp.Row.Dir || stream != ""):
			ar, name, image, node = a.Archive, f.Insp.Row.Name, f.Image, f.Insp.Row.Node
			size = f.Insp.size(stream)
		default:
			several = f.List.Sel.Count() > 0
		}
	})
	if several {
		a.ExtractSelection()
	}
	if ar == nil {
		return
	}
	if stream != "" {
		name += "." + stream
	}
	go func() {
		out, err := a.target(name, protocol.Raw, size)
		a.update(func() {
			if a.Archive != ar || errors.Is(err, ErrDismissed) {
				return
			}
			if err != nil {
				p := NewProblem(protocol.AsError(err), name)
				a.note(a.T(p.TitleKey(), p.Args()...)+" "+a.T(p.CauseKey(), p.Args()...), true)
				return
			}
			if out.Target == protocol.ToMemory && size > bigInMemory {
				a.note(a.T("extract.memory"), true)
			}
			req := protocol.PlanRequest{Op: protocol.Extract, Format: protocol.Raw, Image: image, Nodes: []int32{node}, Stream: stream}
			a.start(&JobView{Op: protocol.Extract, Format: protocol.Raw, What: name, Where: out.Name}, pool.JobSpec{Request: req, Out: out})
		})
	}()
}

// SaveNames saves the list of files of an image as CSV; 0 is all images.
func (a *App) SaveNames(image int) {
	var ar *Archive
	name := ""
	a.Read(func() {
		ar = a.Archive
		if ar != nil {
			name = ar.Info.Name
			if image > 0 {
				name += "-" + itoa(image)
			}
			name += ".csv"
		}
	})
	if ar == nil {
		return
	}
	go func() {
		out, err := a.target(name, protocol.CSV, 0)
		a.update(func() {
			if a.Archive != ar || err != nil {
				if err != nil && !errors.Is(err, ErrDismissed) {
					p := NewProblem(protocol.AsError(err), name)
					a.note(a.T(p.TitleKey(), p.Args()...), true)
				}
				return
			}
			req := protocol.PlanRequest{Op: protocol.Names, Format: protocol.CSV, Image: image}
			a.start(&JobView{Op: protocol.Names, Format: protocol.CSV, What: ar.Info.Name, Where: out.Name}, pool.JobSpec{Request: req, Out: out})
		})
	}()
}
