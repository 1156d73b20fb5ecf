package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"

	"wimscope/wim/format"
	"wimscope/wim/write"
)

// grouping is an image that is added to a group: its metadata goes to an archive of its own, its blobs to the resource-only
// archive that all images of the group share.
type grouping struct {
	file     string                     // the shared archive; created if it does not exist
	contents func(*write.Builder) error // adds the image's contents to the shared archive
	image    func(*write.Builder) error // adds the image to its own archive
	sources  []fs.FS
}

// writeGroup adds the contents to the shared archive and then writes the image to a new one. If it is interrupted in between,
// the shared archive holds blobs that no image needs yet. All archives of a group are packed the same way.
func (t *tool) writeGroup(o *parsed, dest string, g *grouping, p packing, w write.Options, r runOptions) error {
	if w.Solid || w.Pipable || dest == "-" {
		return codef(exitParameter, "--group: an archive of a group cannot be solid or pipable")
	}
	err := t.needFiles("--group", dest, g.file) // before anything is written
	if err != nil {
		return err
	}
	if _, serr := os.Stat(g.file); errors.Is(serr, fs.ErrNotExist) {
		err = t.newGroup(g, w, r)
	} else {
		w, err = t.joinGroup(o, g, p, w, r)
	}
	if err != nil || r.dryRun {
		return err
	}
	shared, err := t.open(g.file, nil)
	if err != nil {
		return err
	}
	defer shared.Close()
	e := write.New()
	e.LeaveOut(shared.Archive)
	if err := g.image(e); err != nil {
		return err
	}
	w.Only = write.OnlyMetadata
	rand.Read(w.GUID[:])
	plan, err := e.PlanWrite(&w)
	if err != nil {
		return err
	}
	r.refs = []string{globOf(g.file)}
	_, err = (&writing{plan: plan, options: &w, sources: g.sources, runOptions: r}).toFile(t, dest)
	return err
}

// newGroup creates the shared archive.
func (t *tool) newGroup(g *grouping, w write.Options, r runOptions) error {
	e := write.New()
	if err := g.contents(e); err != nil {
		return err
	}
	w.Only = write.OnlyContents
	plan, err := e.PlanWrite(&w)
	if err != nil {
		return err
	}
	_, err = (&writing{plan: plan, options: &w, sources: g.sources, runOptions: r}).toFile(t, g.file)
	return err
}

// joinGroup adds to the shared archive, and returns how the group is packed.
func (t *tool) joinGroup(o *parsed, g *grouping, p packing, w write.Options, r runOptions) (write.Options, error) {
	a, err := t.openForChange(g.file, nil, o, false)
	if err != nil {
		return w, err
	}
	defer a.Close()
	have := write.OptionsOf(a.opened.Archive)
	switch {
	case a.hdr.Flags&format.FlagResourceOnly == 0:
		return w, codef(exitParameter, "%q is not a resource-only archive, so a group cannot share it", g.file)
	case p.plain.given && p.plain.codec != have.Codec, p.chunkSize != 0 && p.chunkSize != have.ChunkSize:
		return w, codef(exitParameter, "the group of %q is compressed with %v in chunks of %d bytes, and all its archives must be compressed the same way", g.file, have.Codec, have.ChunkSize)
	}
	e, err := write.Of(a.opened.Archive)
	if err != nil {
		return w, err
	}
	if err := g.contents(e); err != nil {
		return w, err
	}
	have.Level, have.Integrity = p.plain.level, (have.Integrity || p.integrity) && !p.noIntegrity
	plan, err := e.PlanAppend(&have)
	if err != nil {
		return w, err
	}
	_, err = (&writing{plan: plan, options: &have, sources: g.sources, runOptions: r}).inPlace(t, a)
	return have, err
}
