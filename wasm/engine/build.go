package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/config"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/windows"
	"wimscope/wim/write"
	"wimscope/worker/protocol"
)

// build is what archives are made of: other archives, folders, and drafts of images.
type build struct {
	planner
	e        *Engine
	archives []*wim.Archive
	folders  []fs.FS
	drafts   map[int]*draft.Draft
	rooted   map[int]bool          // drafts with a folder added at the root: their WINDOWS element is filled again
	windows  map[int]*windows.Info // of drafts, once read; nil if there is no Windows
	last     int                   // number of the last draft
	busy     chan struct{}         // semaphore: full while a draft is made or planned, which lets other requests run
}

// input answers protocol.Input.
func (e *Engine) input(req protocol.InputRequest, attach []any) (protocol.InputReply, error) {
	b := e.build
	if b == nil {
		b = &build{e: e, drafts: make(map[int]*draft.Draft), rooted: make(map[int]bool), windows: make(map[int]*windows.Info), busy: make(chan struct{}, 1)}
	}
	rep := protocol.InputReply{}
	if len(req.Parts) > 0 {
		parts, refs, err := attached(req.Parts, req.References, attach)
		if err != nil {
			return rep, err
		}
		a, err := wim.Open(parts, &blobs.Options{
			References: refs, CacheSize: e.o.CacheSize, TreeCacheSize: e.o.TreeCacheSize, MaxMemory: e.o.MaxMemory, SHA1: e.o.SHA1,
		})
		if err != nil {
			return rep, err
		}
		b.archives = append(b.archives, a)
		rep.Number = len(b.archives)
	} else {
		f, err := e.folder(req.Folder, &attach)
		if err != nil {
			return rep, err
		}
		if len(attach) > 0 {
			return rep, badRequest("more files are attached than there are paths")
		}
		b.folders = append(b.folders, f)
		rep.Number = len(b.folders)
	}
	e.session, e.build = nil, b // there is not memory for both
	return rep, nil
}

// folder opens a folder that files are taken from, and takes what belongs to it off the attachments.
func (e *Engine) folder(f protocol.FolderFiles, attach *[]any) (fs.FS, error) {
	if len(f.Paths) > 0 {
		return newFileTree(f.Paths, attach)
	}
	if e.o.OpenSource == nil || len(*attach) == 0 {
		return nil, badRequest("a folder came without its handle")
	}
	handle := (*attach)[0]
	*attach = (*attach)[1:]
	return e.o.OpenSource(handle)
}

// enter keeps drafts and plans to one request at a time, and from being changed while they are written.
func (b *build) enter(w *work) error {
	if err := b.e.oneAtATime(w.ctx, b.busy); err != nil {
		return err
	}
	if b.e.out != nil {
		b.leave()
		return badRequest("an archive is being written")
	}
	return nil
}

func (b *build) leave() { <-b.busy }

func (b *build) archive(number int) (*wim.Archive, error) {
	if number < 1 || number > len(b.archives) {
		return nil, notFound(fmt.Sprintf("no archive %d was given", number))
	}
	return b.archives[number-1], nil
}

func (b *build) draftAt(number int) (*draft.Draft, error) {
	d, ok := b.drafts[number]
	if !ok {
		return nil, notFound(fmt.Sprintf("no draft %d", number))
	}
	return d, nil
}

// draft answers protocol.Draft.
func (b *build) draft(w *work, req protocol.DraftRequest) (protocol.DraftReply, error) {
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
			clear(b.plans) // they hold the draft as it was
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

func (b *build) image(archive, index int) (*wim.Image, error) {
	a, err := b.archive(archive)
	if err != nil {
		return nil, err
	}
	return a.Image(index)
}

// step changes a draft. Names are looked for exactly first and then ignoring case, as everywhere.
func (b *build) step(w *work, d *draft.Draft, s *protocol.DraftStep, rep *protocol.DraftReply) error {
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
	return badRequest(fmt.Sprintf("no step %q", s.Op))
}

// looksAtOnce is how many files are looked at at a time: each look waits for the browser's answer.
const looksAtOnce = 64

// scan makes a draft of what a folder holds. What cannot be had is left out and told.
func (b *build) scan(w *work, s *protocol.DraftStep, rep *protocol.DraftReply) (*draft.Draft, error) {
	if s.Folder < 1 || s.Folder > len(b.folders) {
		return nil, notFound(fmt.Sprintf("no folder %d was given", s.Folder))
	}
	root := strings.Trim(s.Path, "/")
	if root == "" {
		root = "."
	}
	if !fs.ValidPath(root) {
		return nil, badRequest("no path: " + s.Path)
	}
	o := &draft.ScanOptions{
		Source: s.Folder - 1, NoACLs: true, When: format.FiletimeOf(time.Now()), Parallel: looksAtOnce,
		Problem: func(string, error) error { return w.ctx.Err() },
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
	d, r, err := draft.Scan(w.tell(), b.folders[s.Folder-1], root, o)
	if err != nil {
		return nil, err
	}
	rep.Excluded += r.Excluded
	rep.Unchanged += r.Unchanged
	rep.SkippedN += len(r.Skipped)
	for i := range r.Skipped[:min(len(r.Skipped), maxPlanProblems-len(rep.Skipped))] {
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
