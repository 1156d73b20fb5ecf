package state

import (
	"errors"
	"strconv"

	"wimscope/web/words"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// bigInMemory is the size in bytes above which the page warns that an output must be held in memory.
const bigInMemory = 512 << 20

// InMemory reports whether an output would have to be held in memory and is large.
func (x *Extract) InMemory(size int64) bool {
	return !x.ar.Caps.SavePicker && !x.ar.Caps.OPFS && size > bigInMemory
}

// target returns the destination of an output of size bytes. It asks the user as far as the browser offers a choice. If
// the browser refuses one way, it tries the next.
func (x *Extract) target(name string, format protocol.Format, size int64) (*pool.OutTarget, error) {
	h := x.ar.host
	if format == protocol.Folder {
		handle, chosen, err := h.platform.PickFolder()
		if err != nil {
			return nil, err
		}
		ok, err := h.platform.Allowed(handle, true, true)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, &protocol.Error{Code: protocol.CodePermission, Name: chosen, Message: "writing to the folder was refused"}
		}
		return &pool.OutTarget{Target: protocol.ToFolder, Name: chosen, Handle: handle}, nil
	}
	var caps Caps
	h.Read(func() { caps = h.Caps })
	if caps.SavePicker {
		handle, chosen, err := h.platform.PickSave(name)
		if err == nil {
			return &pool.OutTarget{Target: protocol.ToHandle, Name: chosen, Handle: handle}, nil
		}
		if errors.Is(err, ErrDismissed) {
			return nil, err
		}
		h.update(func() { h.Caps.SavePicker = false }) // refused by a policy, or in a cross-origin frame
	}
	if caps.OPFS {
		room := h.platform.Room(size)
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

// run starts a job with an output. When it has ended, it offers the output as a download if the job could not write it in
// place, and shows the report if there are issues.
func (x *Extract) run(j *JobView, spec pool.JobSpec) {
	x.jobs.run(x.ar, j, spec, func() {
		if j.Problem == nil && j.Result.File != nil {
			x.ar.platform.Download(j.Result.File, spec.Out.Name)
			j.Result.File = nil // the browser holds it now, and frees a file in memory after reading it
		}
		if j.Problem == nil && j.Issues() > 0 && x.jobs.Report == nil {
			x.jobs.Report = j
		}
	})
}

// SaveFile saves the file in the preview or the inspector, or one of its named streams. If several entries are selected,
// it opens the dialog.
func (x *Extract) SaveFile(stream string) {
	var name string
	var size int64
	req := protocol.PlanRequest{Op: protocol.Extract, Format: protocol.Raw}
	one, several := false, false
	x.ar.update(func() {
		f := x.files
		switch p, in := &f.Preview, &f.Inspector; {
		case p.Open:
			one = true
			name, size = p.Name, p.Size
			req.Image, req.Nodes = p.Image, []int32{p.Node}
			if stream == "" {
				stream = p.Stream
			}
		case in.Has && (!in.Row.Dir || stream != ""):
			one = true
			name, size = in.Row.Name, in.size(stream)
			req.Image, req.Nodes = f.Image, []int32{in.Row.Node}
		default:
			several = f.List.Sel.Count() > 0
		}
	})
	if several {
		x.Selection()
	}
	if !one {
		return
	}
	req.Stream = stream
	if stream != "" {
		name += "." + stream
	}
	go func() {
		out, err := x.target(name, protocol.Raw, size)
		x.ar.update(func() {
			switch {
			case errors.Is(err, ErrDismissed):
				return
			case err != nil:
				p := NewProblem(protocol.AsError(err), name)
				x.ar.note(x.ar.T(p.TitleKey(), p.Args()...)+" "+x.ar.T(p.CauseKey(), p.Args()...), true)
				return
			case out.Target == protocol.ToMemory && size > bigInMemory:
				x.ar.note(x.ar.T("extract.memory"), true)
			}
			x.run(&JobView{Op: protocol.Extract, Format: protocol.Raw, What: name, Where: out.Name}, pool.JobSpec{Request: req, Out: out})
		})
	}()
}

// SaveNames saves the list of files of an image as CSV, of all images if image is 0.
func (x *Extract) SaveNames(image int) {
	name := x.ar.Info.Name
	if image > 0 {
		name += "-" + strconv.Itoa(image)
	}
	name += ".csv"
	go func() {
		out, err := x.target(name, protocol.CSV, 0)
		x.ar.update(func() {
			switch {
			case errors.Is(err, ErrDismissed):
				return
			case err != nil:
				p := NewProblem(protocol.AsError(err), name)
				x.ar.note(x.ar.T(p.TitleKey(), p.Args()...), true)
				return
			}
			req := protocol.PlanRequest{Op: protocol.Names, Format: protocol.CSV, Image: image}
			x.run(&JobView{Op: protocol.Names, Format: protocol.CSV, What: x.ar.Info.Name, Where: out.Name}, pool.JobSpec{Request: req, Out: out})
		})
	}()
}
