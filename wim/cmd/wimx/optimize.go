package main

import "os"

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

// runOptimize rewrites an archive without unused data, packed as the options say.
func runOptimize(t *tool, o *parsed) error {
	if len(o.args) != 1 {
		return usageError{"optimize takes an archive"}
	}
	compact := o.has("unsafe-compact")
	return t.change(o, true, func(c *changing) error {
		if p := &c.packing; compact && (p.plain.given || p.makeSolid || p.chunkSize != 0) {
			return codef(exitCompaction, notAnew)
		}
		return nil
	}, func(c *changing) error {
		e, err := c.builder()
		if err != nil {
			return err
		}
		before, err := c.a.file.Stat()
		if err != nil {
			return err
		}
		c.say("\"%s\" original size: %d KiB\n", o.args[0], before.Size()>>10)
		if report, err := c.write(modification{edit: e, anew: !compact, compact: compact}); err != nil || report == nil {
			return err
		}
		after, err := os.Stat(c.a.path)
		if err != nil {
			return err
		}
		saved, sign := before.Size()-after.Size(), ""
		if saved < 0 {
			saved, sign = -saved, "-"
		}
		c.say("\"%s\" optimized size: %d KiB\nSpace saved: %s%d KiB\n", o.args[0], after.Size()>>10, sign, saved>>10)
		return nil
	})
}
