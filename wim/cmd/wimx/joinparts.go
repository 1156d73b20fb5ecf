package main

import (
	"crypto/rand"
	"errors"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/write"
)

func joinVerb() verb {
	return verb{
		name:  "join",
		usage: "OUT_WIMFILE SPLIT_WIM_PART... [--check] [--include-integrity] [--threads=N] [--dry-run] [--verify-after]",
		opts:  join(integrityOptions(), runOptionTable()),
		run:   runJoin,
	}
}

// runJoin joins the parts of a split archive into one file. The parts may be given in any order, and all must be there.
func runJoin(t *tool, o *parsed) error {
	if len(o.args) < 2 {
		return usageError{"join takes an output archive and all parts of a split WIM"}
	}
	p, err := o.packing()
	if err != nil {
		return err
	}
	r, err := o.runOptions()
	if err != nil {
		return err
	}
	out, names := o.args[0], o.args[1:]
	t.aside = t.carriesData(out)
	a, err := t.openParts(names)
	if err != nil {
		return err
	}
	defer a.Close()
	if a.isOf(out) {
		return codef(exitParameter, "%q is one of the parts", out)
	}
	if err := t.checkIntegrity(a, o); err != nil {
		return err
	}
	e, err := write.Of(a.Archive)
	if err != nil {
		return err
	}
	w := write.OptionsOf(a.Archive)
	w.Integrity = (w.Integrity || p.integrity) && !p.noIntegrity
	rand.Read(w.GUID[:])
	plan, err := e.PlanWrite(&w)
	if err != nil {
		return err
	}
	_, err = (&writing{plan: plan, options: &w, runOptions: r}).toFile(t, out)
	return err
}

// openParts opens all parts of a set, which may be named in any order but not twice.
func (t *tool) openParts(names []string) (_ *opened, err error) {
	a := &opened{name: names[0]}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	var parts []blobs.Part
	for _, name := range names {
		f, p, err := openFile(name)
		if err != nil {
			return nil, err
		}
		a.files = append(a.files, f)
		parts = append(parts, p)
	}
	var wrong *blobs.WrongPartError
	if a.Archive, err = wim.Open(parts, nil); errors.As(err, &wrong) || errors.Is(err, blobs.ErrMissingPart) {
		return nil, coded(exitSplit, err)
	} else if err != nil {
		return nil, err
	}
	info := a.Info()
	if len(info.Missing) > 0 {
		return nil, hinted{coded(exitSplit, &blobs.MissingPartError{Numbers: info.Missing, Total: info.TotalParts}), "name all parts of the split WIM"}
	}
	a.hdr, _ = readHeader(parts[info.First])
	for _, w := range info.Warnings {
		t.warn("%s", w)
	}
	return a, nil
}
