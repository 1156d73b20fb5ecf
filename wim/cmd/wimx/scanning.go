package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wimscope/wim/config"
	"wimscope/wim/draft"
)

// scanning scans files and folders of this system, one after another.
type scanning struct {
	t       *tool
	o       draft.ScanOptions // common to all scans
	skip    bool
	sources []fs.FS // file systems scanned; draft.Content.Source is an index
	last    time.Time
}

// scanOptionTable returns the options of scans that capture, append and update have in common.
func scanOptionTable() []option {
	return []option{
		{name: "config", value: true}, {name: "dereference"}, {name: "unix-data"}, {name: "no-acls"}, {name: "noacls", same: "no-acls"},
		{name: "strict-acls"}, {name: "skip-errors"},
	}
}

// scanning parses the options of scans.
func (t *tool) scanning(o *parsed) (*scanning, error) {
	if o.has("unix-data") && !keepsUnix {
		return nil, codef(exitUnsupported, "--unix-data is not supported on this system")
	}
	s := &scanning{t: t, skip: o.has("skip-errors")}
	s.o.Dereference, s.o.UnixData, s.o.NoACLs = o.has("dereference"), o.has("unix-data"), o.has("no-acls")
	s.o.Config = config.DefaultCapture()
	file := o.get("config")
	if o.has("wimboot") && !o.has("config") {
		file = filepath.Join(o.args[0], filepath.FromSlash(wimBootConfig))
		if _, err := os.Stat(file); err != nil {
			t.warn("%q does not exist: using the default configuration", file)
			file = ""
		}
	}
	if file != "" || o.has("config") {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, coded(exitNoConfig, err)
		}
		if s.o.Config, err = config.ParseCapture(b); err != nil {
			return nil, coded(exitConfig, fmt.Errorf("%s: %w", file, err))
		}
		for _, w := range s.o.Config.Warnings {
			t.warn("%s: %s", file, w)
		}
	}
	s.o.Config.Exact = !t.fold
	return s, nil
}

// scan scans a file or folder. Like wimlib-imagex it follows a link that is the source of the image's root, and captures any
// other link as a link.
func (s *scanning) scan(name, target string, change func(*draft.ScanOptions)) (*draft.Draft, error) {
	t := s.t
	if target == "/" {
		t.say("Scanning \"%s\"\n", name)
	} else {
		t.say("Scanning \"%s\" (loading as WIM path: \"%s\")...\n", name, target)
	}
	o := s.o
	o.RootLink, o.Source = target != "/", len(s.sources)
	if change != nil {
		change(&o)
	}
	h, root, err := hostSource(name, o.RootLink && !o.Dereference)
	if err != nil {
		return nil, err
	}
	full := func(path string) string { return filepath.Join(h.top, root, filepath.FromSlash(path)) }
	o.Excluded = func(path string) { t.say("Excluding \"%s\" from capture\n", full(path)) }
	if s.skip {
		o.Problem = func(path string, err error) error {
			if path == "" {
				return &draft.ScanProblem{Path: path, Err: err}
			}
			return nil
		}
	}
	d, r, err := draft.Scan(s.yield, h, root, &o)
	var p *draft.ScanProblem
	if errors.As(err, &p) {
		// p.Path is the path in the file system, which the system's own error may repeat.
		var pe *fs.PathError
		why := p.Err
		if errors.As(why, &pe) {
			why = pe.Err
		}
		return nil, codef(status(p), "cannot capture %q: %w", full(p.Path), why)
	}
	if err != nil {
		return nil, interrupted(err)
	}
	for _, p := range r.Skipped {
		if errors.Is(p.Err, draft.ErrFileType) {
			t.warn("Excluding unsupported file or directory %q from capture", full(p.Path))
		} else {
			t.leftOut++
			t.warn("%q: %v; skipped", full(p.Path), p.Err)
		}
	}
	if r.Fixed > 0 {
		t.warn("Adjusted targets of %d absolute symbolic links\n          (use --norpfix to capture absolute symbolic links as-is)", r.Fixed)
	}
	t.scanned(r.Bytes, int(r.Files+r.Links), int(r.Dirs), true)
	s.sources = append(s.sources, h)
	return d, nil
}

// yield reports the progress of a scan and stops it on an interrupt. Files and folders are counted separately only at the
// end.
func (s *scanning) yield(bytes int64, entries int) error {
	if time.Since(s.last) > 100*time.Millisecond {
		s.last = time.Now()
		s.t.scanned(bytes, entries, 0, false)
	}
	return s.t.ctx.Err()
}

// readText reads a file, or standard input for "-". It returns on an interrupt even if standard input is a terminal without
// input.
func (t *tool) readText(name string) ([]byte, error) {
	if name != "-" {
		b, err := os.ReadFile(name)
		return b, coded(exitOpen, err)
	}
	type result struct {
		b   []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		b, err := io.ReadAll(t.stdin)
		done <- result{b, err}
	}()
	select {
	case r := <-done:
		return r.b, coded(exitRead, r.err)
	case <-t.ctx.Done():
		return nil, codef(exitInterrupted, "interrupted")
	}
}
