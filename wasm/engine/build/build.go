package build

import (
	"fmt"
	"io/fs"

	"wimscope/wasm/engine"
	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/draft"
	"wimscope/wim/windows"
	"wimscope/worker/protocol"
)

// build holds what new archives are made from (other archives, folders and drafts of images) and the plans of the new
// archives.
type build struct {
	e        *Engine
	archives []*wim.Archive
	folders  []fs.FS
	drafts   map[int]*draft.Draft
	rooted   map[int]bool          // drafts with a folder added at the root: their WINDOWS element is filled in again
	windows  map[int]*windows.Info // of the drafts read so far; nil if a draft has no Windows
	last     int                   // number of the last draft
	jobs     engine.Jobs           // their plans are *plan
	busy     engine.Slot           // held while a draft is made or planned, which lets other requests run
}

// input answers protocol.Input.
func (e *Engine) input(req protocol.InputRequest, attach []any) (protocol.InputReply, error) {
	b := e.build
	if b == nil {
		b = &build{
			e: e, drafts: make(map[int]*draft.Draft), rooted: make(map[int]bool), windows: make(map[int]*windows.Info),
			busy: engine.NewSlot(),
		}
	}
	rep := protocol.InputReply{}
	if len(req.Parts) > 0 {
		a, err := e.OpenArchive(req.Parts, req.References, attach)
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
	e.CloseArchive() // there is not enough memory for both
	e.build = b
	return rep, nil
}

// parts answers protocol.Parts. The embedded engine keeps the archives, this one the folders.
func (e *Engine) parts(req protocol.PartsRequest, attach []any) error {
	n := min(len(req.Parts)+len(req.References), len(attach))
	rest := attach[n:]
	var folders []fs.FS
	for _, f := range req.Folders {
		fsys, err := e.folder(f, &rest)
		if err != nil {
			return err
		}
		folders = append(folders, fsys)
	}
	if len(rest) > 0 {
		return badRequest("more files are attached than there are names")
	}
	if err := e.SetFiles(req, attach[:n]); err != nil {
		return err
	}
	e.folders[req.Key] = folders
	return nil
}

// folder opens a folder to take files from, and removes its attachments from attach.
func (e *Engine) folder(f protocol.FolderFiles, attach *[]any) (fs.FS, error) {
	if len(f.Paths) > 0 {
		return newFileTree(f.Paths, attach)
	}
	if e.o.OpenSource == nil || len(*attach) == 0 {
		return nil, badRequest("the folder's handle is missing")
	}
	handle := (*attach)[0]
	*attach = (*attach)[1:]
	return e.o.OpenSource(handle)
}

// enter admits one request at a time to the drafts and plans, and none while an archive is being written.
func (b *build) enter(w *engine.Work) error {
	if err := b.busy.Enter(w); err != nil {
		return err
	}
	if b.e.out != nil {
		b.leave()
		return badRequest("an archive is being written")
	}
	return nil
}

func (b *build) leave() { b.busy.Leave() }

func (b *build) archive(number int) (*wim.Archive, error) {
	if number < 1 || number > len(b.archives) {
		return nil, notFound(fmt.Sprintf("no archive %d", number))
	}
	return b.archives[number-1], nil
}

func (b *build) image(archive, index int) (*wim.Image, error) {
	a, err := b.archive(archive)
	if err != nil {
		return nil, err
	}
	return a.Image(index)
}

func (b *build) draftAt(number int) (*draft.Draft, error) {
	d, ok := b.drafts[number]
	if !ok {
		return nil, notFound(fmt.Sprintf("no draft %d", number))
	}
	return d, nil
}

// source returns the parts of all archives in the order in which shard workers have them: base first.
func (b *build) source(base int) blobs.Source {
	var s blobs.Source
	if base > 0 {
		s = b.archives[base-1].Store().Source()
	}
	for i, a := range b.archives {
		if i != base-1 {
			s = append(s, a.Store().Source()...)
		}
	}
	return s
}
