package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"wimscope/wim"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// packedFile is what extract --zip and --tar write.
type packedFile struct {
	t       *tool
	a       *opened
	im      *wim.Image
	sel     extract.Selection
	form    extract.Form // "" without --zip and --tar
	name    string       // "-" is standard output
	recover bool
	noACLs  bool
	threads int
	lost    extract.LostFacts
	left    int // entries that are left out
	outside int // links that do not lead to anything in the image
}

// folderOptions are the options of extract that need files in a folder.
var folderOptions = []string{"dest-dir", "to-stdout", "unix-data", "strict-acls", "no-attributes", "include-invalid-names"}

// packedFile reads --zip and --tar.
func (o *parsed) packedFile(t *tool) (*packedFile, error) {
	p := &packedFile{t: t}
	if err := o.notBoth("zip", "tar"); err != nil {
		return nil, err
	}
	for _, form := range []extract.Form{extract.OutputZIP, extract.OutputTAR} {
		if !o.has(string(form)) {
			continue
		}
		p.form, p.name, p.recover = form, o.get(string(form)), o.has("recover-data")
		p.noACLs = o.has("no-acls")
		for _, no := range folderOptions {
			if o.has(no) {
				return nil, codef(exitParameter, "--%s cannot be used with --%s", no, form)
			}
		}
	}
	var err error
	p.threads, err = o.threads()
	return p, err
}

// place finds out where the output goes, before anything is read.
func (p *packedFile) place() (filePlace, error) {
	if p.name == "-" {
		return filePlace{name: "standard output", through: true, own: true}, nil
	}
	return p.t.placeFor(p.name)
}

// write writes the selection. A file appears complete or not at all.
func (p *packedFile) write() error {
	t := p.t
	p.sel.Image = p.im
	plan, err := extract.New(p.a.Archive, p.sel, &extract.Options{
		Form: p.form, Recover: p.recover, Problem: p.problem, Damaged: p.damaged, PieceSize: t.pieceSize, Written: p.lost.Count,
		Rest: func(int64, int) error { return t.ctx.Err() },
	})
	if err != nil {
		return interrupted(err)
	}
	if p.left > lossesShown {
		t.warn("%d more entries were not extracted", p.left-lossesShown)
	}
	if p.outside > lossesShown {
		t.warn("%d more links point outside the image", p.outside-lossesShown)
	}
	at, err := p.place()
	if err != nil {
		return err
	}
	if at.through {
		err = t.writeThrough(at, func(to io.WriterAt) error { return p.through(plan, to) })
	} else {
		err = p.toFile(plan, at)
	}
	if err != nil {
		return err
	}
	p.warnLost()
	return nil
}

func (p *packedFile) toFile(plan *extract.Plan, at filePlace) error {
	if p.a.isOf(at.name) {
		return codef(exitParameter, "%q is the archive being extracted", at.name)
	}
	if free, ok := freeSpace(at.folder()); ok && plan.OutSize > free {
		return codef(exitWrite, "not enough disk space: %s needed in %q, %s free", sizeText(plan.OutSize), at.folder(), sizeText(free))
	}
	f, err := p.t.newFile(at)
	if err != nil {
		return err
	}
	defer f.drop()
	if err := p.run(plan, sink{f.File, p.t}); err != nil {
		if diskFull(err) {
			err = hinted{coded(exitWrite, err), "the partial output was removed; " + roomHint}
		}
		return err
	}
	return f.keep()
}

// through writes to a pipe or a device. What cannot be written from front to back goes to a temporary file first.
func (p *packedFile) through(plan *extract.Plan, to io.WriterAt) error {
	pipe, ok := to.(*pipe)
	if !ok || plan.Streams() {
		return p.run(plan, to)
	}
	f, err := os.CreateTemp("", "wimx-*."+string(p.form))
	if err != nil {
		return coded(exitOpen, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := p.run(plan, sink{f, p.t}); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return coded(exitRead, err)
	}
	_, err = io.Copy(pipe.w, stopReader{p.t, f})
	return coded(exitWrite, err)
}

// codedSink gives the errors of a sink the status of writing: others are about reading the archive.
type codedSink struct{ io.WriterAt }

// WriteAt implements io.WriterAt.
func (s codedSink) WriteAt(b []byte, off int64) (int, error) {
	n, err := s.WriterAt.WriteAt(b, off)
	return n, coded(exitWrite, err)
}

// Truncate cuts off what damaged contents left at the end. Only a file can do that.
func (s codedSink) Truncate(size int64) error {
	if f, ok := s.WriterAt.(interface{ Truncate(int64) error }); ok {
		return coded(exitWrite, f.Truncate(size))
	}
	return errors.ErrUnsupported
}

func (p *packedFile) run(plan *extract.Plan, to io.WriterAt) error {
	out := extract.NewZIP(codedSink{to})
	if p.form == extract.OutputTAR {
		out = extract.NewTAR(codedSink{to})
	}
	bar := p.t.progress(extracting, plan.Bytes())
	_, err := extract.Run(p.t.ctx, plan, out, &shard.Options{Workers: p.threads, Progress: bar.step})
	bar.end()
	if err == nil {
		_, err = out.Finish()
	}
	return interrupted(err)
}

// damaged is called for a damaged content.
func (p *packedFile) damaged(entries []extract.Entry, _ string) error {
	for _, e := range entries {
		path := "/" + e.Path
		if !p.recover {
			return damageError(path, "its data does not match its SHA-1")
		}
		p.t.warn("Corruption in %q! Extracting anyway since data recovery mode is enabled.", path)
	}
	return nil
}

// problem is called for an entry that cannot be written as it is. What apply refuses ends the run with the status of apply.
func (p *packedFile) problem(n wim.Node, reason, detail string, err error) error {
	path := nativePath(p.im, n)
	link := false
	switch p.im.ReparseTag(n) {
	case format.TagSymlink, format.TagMountPoint, format.TagLxSymlink:
		link = p.im.Hash(n).IsZero()
	}
	why := ""
	switch reason {
	case "stream": // counted at the end
		return nil
	case "link":
		if p.outside++; p.outside <= lossesShown {
			p.t.warn("%q points to %q, which is outside the image", path, detail)
		}
		return nil
	case "missing", "damaged", "too-large":
		if detail == "written" { // of a link
			p.t.warn("Corruption in %q! Extracting anyway since data recovery mode is enabled.", path)
			return nil
		}
		detail = strings.TrimPrefix(detail, "wim: ")
		switch {
		case link && reason == "damaged":
			return damageError(path, detail)
		case link && reason == "too-large":
			return codef(exitReparseData, "%q: %s", path, detail)
		case err == nil:
			return codef(exitMemory, "%q: %s", path, detail)
		}
		return unreadable(p.a.Archive, p.im, n, err)
	case "same-place":
		why = fmt.Sprintf("its path in the output is that of %q", detail)
	case "encrypted":
		why = "it is encrypted by EFS, and only Windows can decrypt it"
	case "name-long":
		why = "its path is too long"
	case "reparse":
		if link && !p.recover {
			return malformedLink(path)
		}
		why = "a reparse point of type " + detail + " cannot be stored"
	default:
		why = reason
	}
	if p.left++; p.left <= lossesShown {
		p.t.warn("Not extracting %q: %s", path, why)
	}
	return nil
}

// warnLost reports what the output does not hold. Encrypted files and reparse points are left out, and listed.
func (p *packedFile) warnLost() {
	l := p.lost.Packed(p.form)
	if l.Encrypted, l.Reparse = 0, 0; onWindows {
		l.Hidden, l.System = 0, 0
	}
	if p.noACLs {
		l.Security = 0
	}
	p.t.warnLost(&l, true)
}
