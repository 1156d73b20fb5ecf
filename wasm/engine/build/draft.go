package build

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"wimscope/wasm/engine"
	"wimscope/wim"
	"wimscope/wim/config"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/write"
	"wimscope/worker/protocol"
)

// draft answers protocol.Draft.
func (b *build) draft(w *engine.Work, req protocol.DraftRequest) (protocol.DraftReply, error) {
	rep := protocol.DraftReply{Draft: req.Draft}
	if err := b.enter(w); err != nil {
		return rep, err
	}
	defer b.leave()
	var d *draft.Draft
	var err error
	switch {
	case req.Draft > 0:
		if d, err = b.draftAt(req.Draft); err == nil && len(req.Steps) > 0 {
			b.jobs.Clear() // they were made from the draft as it was
			delete(b.windows, req.Draft)
		}
	case req.Archive > 0:
		var im *wim.Image
		if im, err = b.image(req.Archive, req.Image); err == nil {
			err = write.NeedWhole(im)
		}
		if err == nil {
			d, err = draft.Of(im)
		}
	default:
		d = draft.New()
	}
	if err != nil {
		return rep, err
	}
	root := false
	for i := range req.Steps {
		s := &req.Steps[i]
		root = root || s.Op == "add" && strings.Trim(s.Target, "/") == ""
		if err = b.step(w, d, s, &rep); err != nil {
			break
		}
	}
	if req.Draft == 0 && err == nil {
		b.last++
		rep.Draft = b.last
		b.drafts[b.last] = d
	}
	if root {
		b.rooted[rep.Draft] = true
	}
	if err != nil {
		return rep, err
	}
	s := d.Stats()
	rep.Dirs, rep.Files, rep.Bytes = s.Dirs-1, s.Files, s.TotalBytes
	return rep, nil
}

// step changes a draft. A name that has no exact match is looked up again ignoring case.
func (b *build) step(w *engine.Work, d *draft.Draft, s *protocol.DraftStep, rep *protocol.DraftReply) error {
	graft := &draft.GraftOptions{Fold: true, NoReplace: s.Keep, When: format.FiletimeOf(time.Now())}
	switch s.Op {
	case "add":
		added, err := b.scan(w, s, rep)
		if err != nil {
			return err
		}
		replaced, err := d.Graft(s.Target, added, graft)
		rep.Replaced += len(replaced)
		return err
	case "delete":
		_, err := d.Update(&config.Command{Op: config.UpdateDelete, Target: s.Path, Force: s.Force, Recursive: s.Recursive}, nil, graft)
		return err
	case "rename":
		_, err := d.Update(&config.Command{Op: config.UpdateRename, Source: s.Path, Target: s.Target}, nil, graft)
		return err
	}
	return badRequest(fmt.Sprintf("unknown step %q", s.Op))
}

const (
	statsAtOnce = 64  // files that a scan stats at the same time: each waits for the browser
	maxSkipped  = 200 // files listed in DraftReply.Skipped
)

// scan makes a draft of a folder. Files that cannot be added are left out and listed in the reply.
func (b *build) scan(w *engine.Work, s *protocol.DraftStep, rep *protocol.DraftReply) (*draft.Draft, error) {
	if s.Folder < 1 || s.Folder > len(b.folders) {
		return nil, notFound(fmt.Sprintf("no folder %d", s.Folder))
	}
	root := strings.Trim(s.Path, "/")
	if root == "" {
		root = "."
	}
	if !fs.ValidPath(root) {
		return nil, badRequest("not a path: " + s.Path)
	}
	o := &draft.ScanOptions{
		Source: s.Folder - 1, NoACLs: true, When: format.FiletimeOf(time.Now()), Parallel: statsAtOnce,
		Problem: func(string, error) error { return w.Context().Err() },
	}
	var err error
	switch {
	case s.All:
	case s.Config == "":
		o.Config = config.DefaultCapture()
	default:
		if o.Config, err = config.ParseCapture([]byte(s.Config)); err != nil {
			return nil, badRequest(err.Error())
		}
		rep.Warnings = append(rep.Warnings, o.Config.Warnings...)
	}
	if s.OfArchive > 0 {
		if o.UpdateOf, err = b.image(s.OfArchive, s.OfImage); err != nil {
			return nil, err
		}
		o.Target = s.Target
	}
	d, r, err := draft.Scan(w.Yield(), b.folders[s.Folder-1], root, o)
	if err != nil {
		return nil, err
	}
	rep.Excluded += r.Excluded
	rep.Unchanged += r.Unchanged
	rep.SkippedN += len(r.Skipped)
	for i := range r.Skipped[:min(len(r.Skipped), maxSkipped-len(rep.Skipped))] {
		p := &r.Skipped[i]
		reason := "unreadable"
		switch {
		case errors.Is(p.Err, ntname.ErrInvalid), errors.Is(p.Err, draft.ErrExists):
			reason = "name-stored"
		case errors.Is(p.Err, draft.ErrFileType):
			reason = "no-file"
		}
		rep.Skipped = append(rep.Skipped, protocol.Problem{Path: "/" + p.Path, Reason: reason, Detail: p.Err.Error()})
	}
	return d, nil
}
