package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/write"
)

func splitVerb() verb {
	return verb{
		name: "split",
		usage: "WIMFILE SPLIT_WIM_PART_1 PART_SIZE_MB [--check] [--include-integrity] [--compress=TYPE[:LEVEL]] [--chunk-size=SIZE]\n" +
			"        [--force] [--ref=GLOB] [--threads=N] [--dry-run] [--verify-after]",
		opts: join(compressionOptions(), integrityOptions(), runOptionTable(), []option{{name: "force"}, {name: "ref", value: true}}),
		run:  runSplit,
	}
}

// runSplit writes an archive as a set of parts. Solid resources are repacked, since they cannot be divided between parts.
func runSplit(t *tool, o *parsed) error {
	if len(o.args) != 3 {
		return usageError{"split takes an archive, the name of the first part, and the part size in MiB"}
	}
	size, err := partSize(o.args[2])
	if err != nil {
		return err
	}
	p, err := o.packing()
	if err != nil {
		return err
	}
	if p.makeSolid || p.pipable {
		return codef(exitUnsupported, "writing a solid or pipable split archive is not supported")
	}
	r, err := o.runOptions()
	if err != nil {
		return err
	}
	a, err := t.open(o.args[0], o.all("ref"))
	if err != nil {
		return needFirst(err, o.args[0])
	}
	defer a.Close()
	if a.hdr.Pipable() {
		t.warn("%q is pipable, but its parts will not be", a.name)
	}
	if err := t.checkIntegrity(a, o); err != nil {
		return err
	}
	e, err := write.Of(a.Archive)
	if err != nil {
		return err
	}
	w, err := p.forSplit(a.Archive)
	if err != nil {
		return err
	}
	plan, err := e.PlanSplit(size, o.has("force"), &w)
	if err == nil {
		err = (&writing{plan: plan, options: &w, partSize: size, runOptions: r}).toParts(t, o.args[1], a)
	}
	var large *write.TooLargePartError
	if errors.As(err, &large) {
		return hinted{codef(exitParameter, "%s needs a part of %s (%d bytes); FAT32 and many programs support at most 4 GiB - 1", large.Name, sizeText(large.Need), large.Need),
			"use --force to write it anyway, or export with a stronger --compress first"}
	}
	if err != nil || r.dryRun {
		return elsewhere(err)
	}
	t.say("Finished splitting \"%s\"\n", o.args[0])
	return nil
}

// partSize parses a number of mebibytes, which may have a fraction.
func partSize(text string) (int64, error) {
	mib, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(mib) || mib < 0 {
		return 0, usageError{fmt.Sprintf("invalid part size %q: it must be an integer or floating-point number of megabytes", text)}
	}
	size := mib * (1 << 20)
	if size < 1 || size > math.MaxInt64/2 {
		return 0, codef(exitParameter, "a part size of %s MiB is out of range", text)
	}
	return int64(size), nil
}

// forSplit returns how a set of parts is packed: like the archive, but never solid.
func (p *packing) forSplit(a *wim.Archive) (write.Options, error) {
	w := write.OptionsOf(a)
	if w.Solid && !p.plain.given {
		w.Codec, w.ChunkSize = format.LZX, 0
	}
	w.Solid, w.Pipable = false, false
	return p.onto(w)
}

// partName returns the name of part n: a.swm, a2.swm, a3.swm and so on.
func partName(first string, n int) string {
	if n == 1 {
		return first
	}
	ext := filepath.Ext(first)
	return fmt.Sprintf("%s%d%s", strings.TrimSuffix(first, ext), n, ext)
}

// toParts writes the parts of a set. They are renamed to their names when all are complete.
func (w *writing) toParts(t *tool, first string, from *opened) error {
	w.warnings(t)
	if err := w.reportLosses(t); err != nil {
		return err
	}
	// placeOf returns the destination of a part, which must not be one of the files to split.
	placeOf := func(n int) (filePlace, error) {
		at, err := t.placeFor(partName(first, n))
		if err == nil {
			err = at.needFile("a part of a split WIM")
		}
		if err == nil && from.isOf(at.name) {
			err = codef(exitParameter, "%q is the archive being split", at.name)
		}
		return at, err
	}
	at, err := placeOf(1)
	if err != nil {
		return err
	}
	if w.dryRun {
		return w.estimate(t, first, at.folder())
	}
	if from.Info().Solid {
		e, err := w.plan.Estimate(t.ctx, nil, 0)
		if err != nil {
			return err
		}
		t.say("%q is solid and will be repacked, which needs about %s of disk space\n", from.name, sizeText(e.Size))
	}
	if err := w.room(t, at.folder()); err != nil {
		return err
	}
	show, err := w.stages(t)
	if err != nil {
		return err
	}
	var parts []*newFile
	defer func() {
		for _, f := range parts {
			f.drop()
		}
	}()
	open := func(n int) (io.WriterAt, error) {
		at, err := placeOf(n)
		if err != nil {
			return nil, err
		}
		f, err := t.newFile(at)
		if err != nil {
			return nil, err
		}
		parts = append(parts, f)
		show.inPart(n)
		return sink{f.File, t}, nil
	}
	r, err := write.RunSplit(t.ctx, w.plan, w.files(), open, w.engineOptions(t, show))
	show.end(r)
	if err != nil {
		return w.writeError(t, err)
	}
	if w.verifyAfter {
		var names []string
		for _, f := range parts {
			names = append(names, f.File.Name())
		}
		if err := w.verifyWritten(t, names, first, "was not kept"); err != nil {
			return err
		}
	}
	for _, f := range parts {
		if err := f.keep(); err != nil {
			return err
		}
	}
	for _, x := range r.Large {
		t.warn("part %d (%q) has %s, more than requested: it holds %s (%s), which cannot be divided", x.Part, partName(first, x.Part), sizeText(x.Size), x.Name, sizeText(x.Bytes))
	}
	if next := partName(first, len(parts)+1); len(parts) > 0 {
		if _, err := os.Lstat(next); err == nil {
			t.warn("%q exists; it belongs to another set, which had more parts", next)
		}
	}
	return nil
}
