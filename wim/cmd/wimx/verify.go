package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
)

const flagReparseFixup = format.FlagReparseFixup

func verifyVerb() verb {
	return verb{
		name:  "verify",
		usage: "WIMFILE [--ref=GLOB] [--nocheck] [--threads=N] [--json]",
		opts:  []option{{name: "ref", value: true}, {name: "nocheck"}, {name: "check"}, {name: "threads", value: true}},
		run:   runVerify,
	}
}

// runVerify verifies integrity tables, trees, the SHA-1 of every blob, and that no blob is missing. It goes on after damage,
// and reports all of it.
func runVerify(t *tool, o *parsed) error {
	if len(o.args) != 1 {
		return usageError{"verify takes an archive"}
	}
	threads, err := o.threads()
	if err != nil {
		return err
	}
	a, err := t.openForVerify(o.args[0], o.all("ref"))
	if err != nil {
		return err
	}
	defer a.Close()
	json := o.has("json")
	r, err := t.verifyAll(a, threads, &verify.Options{NoIntegrity: o.has("nocheck"), References: true})
	if err != nil {
		return err
	}
	info := a.Info()
	for _, w := range r.Warnings[len(info.Warnings)-len(info.Losses):] {
		t.warn("%s", w) // those of opening were already printed
	}
	if json {
		if err := t.json(r); err != nil {
			return err
		}
	} else if r.OK {
		t.say("\"%s\" was successfully verified.\n", o.args[0])
		if a.hdr.PartNumber > 1 && slices.Contains(r.MissingParts, 1) {
			t.warn("%q holds no images, only blobs of those in part 1; the blobs were verified", o.args[0])
		} else if len(r.MissingParts) > 0 {
			t.warn("%d of %d parts were not verified; all blobs that the images need were found in the others", len(r.MissingParts), r.TotalParts)
		}
		if len(r.RefCounts) > 0 {
			t.warn("%d blobs have wrong reference counts, which is harmless", len(r.RefCounts))
		}
	} else {
		fmt.Fprint(t.stdout, r.Text())
		if len(r.Missing) > 0 {
			t.say("Note: if this WIM file is not standalone, use the --ref option to specify the other parts.\n")
		}
	}
	switch r.Verdict {
	case verify.Damaged:
		return codef(verdictStatus(r), "%q failed verification!", o.args[0])
	case verify.Incomplete:
		return codef(verdictStatus(r), "%q failed verification: it is incomplete!", o.args[0])
	}
	return nil
}

// verdictStatus returns the exit status of an archive that is not good.
func verdictStatus(r *verify.Report) int {
	for _, i := range r.Integrity {
		if i.State == "bad" {
			return exitIntegrity
		}
	}
	switch {
	case len(r.Images) > 0:
		return exitMetadata
	case len(r.Damaged) > 0:
		for _, d := range r.Damaged {
			if d.Lost > 0 {
				return exitDecompression
			}
		}
		return exitHash
	case len(r.Losses) > 0:
		return lossStatus(r.Losses)
	}
	return exitMissingContent
}

// lossStatus returns the exit status for the losses of an archive: that of the one which wimlib-imagex would find first.
func lossStatus(list []wim.Loss) int {
	code := exitMetadata // of trees, which are read last
	for _, l := range list {
		switch l.Kind {
		case wim.LossXML:
			return exitXML
		case wim.LossIntegrity:
			return exitIntegrityTable
		case wim.LossXMLImages:
			code = exitImageCount
		case wim.LossImages, wim.LossBlobTable:
			if code != exitImageCount {
				code = exitIncomplete // our own: wimlib-imagex only warns
			}
		}
	}
	return code
}

// verifyAll verifies an archive and returns the report.
func (t *tool) verifyAll(a *opened, threads int, o *verify.Options) (*verify.Report, error) {
	plan, err := verify.New(a.Archive, o)
	if err != nil {
		return nil, err
	}
	imagesHere := a.Info().Parts[a.Info().First].Number == 1
	if imagesHere && (o == nil || !o.NoBlobs) {
		for i := range a.Images() {
			t.say("Verifying metadata for image %d of %d\n", i+1, len(a.Images()))
		}
	}
	show := verifyBar{t: t, plan: plan}
	err = shard.Run(t.ctx, plan, shard.Sources{Parts: a.Store().Source()}, &shard.Options{Workers: threads, Progress: show.step})
	show.end()
	if err != nil {
		return nil, interrupted(err)
	}
	r, err := plan.Report(func(int64, int) error { return t.ctx.Err() })
	return r, interrupted(err)
}

// openForVerify opens an archive for verify, which needs neither cached trees nor cached chunks.
func (t *tool) openForVerify(name string, refs []string) (*opened, error) {
	return t.openSet(name, refs, &blobs.Options{LaterParts: true})
}

// threads returns how many goroutines decode at a time.
func (o *parsed) threads() (int, error) {
	if !o.has("threads") {
		return runtime.GOMAXPROCS(0), nil
	}
	n, err := strconv.Atoi(o.get("threads"))
	if err != nil || n < 0 {
		return 0, usageError{fmt.Sprintf("--threads=%s: must be a number of threads", o.get("threads"))}
	}
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return n, nil
}

// interrupted rewords the error of a canceled job.
func interrupted(err error) error {
	if err != nil && status(err) == exitInterrupted {
		return codef(exitInterrupted, "interrupted")
	}
	return err
}

// checkIntegrity is --check, if that was given: the integrity tables alone, those of --ref too.
func (t *tool) checkIntegrity(a *opened, o *parsed) error {
	if !o.has("check") {
		return nil
	}
	threads, err := o.threads()
	if err != nil {
		return err
	}
	plan, err := verify.New(a.Archive, &verify.Options{NoBlobs: true, References: true})
	if err != nil {
		return err
	}
	show := verifyBar{t: t, plan: plan}
	err = shard.Run(t.ctx, plan, shard.Sources{Parts: a.Store().Source()}, &shard.Options{Workers: threads, Progress: show.step})
	show.end()
	if err != nil {
		return interrupted(err)
	}
	if n := plan.BadItems(); n > 0 {
		what := fmt.Sprintf("%d blocks do not match the integrity table", n)
		if n == 1 {
			what = "one block does not match the integrity table"
		}
		return hinted{codef(exitIntegrity, "%q is damaged: %s", a.name, what), "run \"verify\" to list the affected files"}
	}
	for _, p := range slices.Concat(a.Info().Parts, a.Info().References) {
		if !p.Integrity {
			t.warn("%q does not contain integrity information. Skipping integrity check.", p.Name)
		}
	}
	return nil
}

// spooledFile is a temporary file with a copy of standard input.
type spooledFile struct{ name string }

func (s spooledFile) remove() { os.Remove(s.name) }

// spool copies standard input to a temporary file.
func (t *tool) spool() (spooledFile, error) {
	f, err := os.CreateTemp("", "wimx-*.wim")
	if err != nil {
		return spooledFile{}, coded(exitOpen, err)
	}
	s := spooledFile{f.Name()}
	_, err = io.Copy(f, stopReader{t, t.stdin})
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		s.remove()
		return s, coded(exitRead, err)
	}
	return s, nil
}

// stopReader returns an error on an interrupt.
type stopReader struct {
	t *tool
	r io.Reader
}

func (s stopReader) Read(p []byte) (int, error) {
	if err := s.t.ctx.Err(); err != nil {
		return 0, codef(exitInterrupted, "interrupted")
	}
	return s.r.Read(p)
}
