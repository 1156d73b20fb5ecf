package main

import (
	"os"

	"wimscope/wim/write"
)

func optimizeVerb() verb {
	return verb{
		name: "optimize",
		usage: "WIMFILE [--recompress] [--compress=TYPE[:LEVEL]] [--chunk-size=SIZE] [--solid] [--solid-compress=TYPE[:LEVEL]]\n" +
			"        [--solid-chunk-size=SIZE] [--no-solid-sort] [--pipable] [--not-pipable] [--unsafe-compact] [--check] [--include-integrity] [--nocheck]\n" +
			"        [--ref=GLOB] [--threads=N] [--dry-run] [--verify-after]",
		opts: join(compressionOptions(), integrityOptions(), runOptionTable(), []option{{name: "recompress"}, {name: "rebuild"}, {name: "unsafe-compact"}, {name: "ref", value: true}}),
		run:  runOptimize,
	}
}

// runOptimize writes an archive anew: without what nobody needs, and packed as is said.
func runOptimize(t *tool, o *parsed) error {
	if len(o.args) != 1 {
		return usageError{"optimize takes an archive"}
	}
	p, err := o.packing()
	if err != nil {
		return err
	}
	if o.has("unsafe-compact") && (p.plain.given || p.makeSolid || p.chunkSize != 0) {
		return codef(exitCompaction, notAnew)
	}
	r, err := o.runOptions()
	if err != nil {
		return err
	}
	a, err := t.openForChange(o.args[0], o.all("ref"), o, true)
	if err != nil {
		return err
	}
	defer a.Close()
	e, err := write.Of(a.opened.Archive)
	if err != nil {
		return err
	}
	before, err := a.file.Stat()
	if err != nil {
		return err
	}
	t.say("\"%s\" original size: %d KiB\n", o.args[0], before.Size()>>10)
	m := modification{to: a, edit: e, pack: p, anew: !o.has("unsafe-compact"), compact: o.has("unsafe-compact")}
	if report, err := m.write(t, r); err != nil || report == nil {
		return err
	}
	after, err := os.Stat(a.path)
	if err != nil {
		return err
	}
	saved, sign := before.Size()-after.Size(), ""
	if saved < 0 {
		saved, sign = -saved, "-"
	}
	t.say("\"%s\" optimized size: %d KiB\nSpace saved: %s%d KiB\n", o.args[0], after.Size()>>10, sign, saved>>10)
	return nil
}
