package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"wimscope/wim/shard"
)

// Messages during a run: the lines that wimlib-imagex prints, or JSON lines with --json. They are flushed at once, also into a
// pipe, since other programs look for "(NN%)" there. They go to standard error if standard output carries data. --quiet
// suppresses them.

// console is the output of a run: results, messages and progress.
type console struct {
	stdout *bufio.Writer
	out    *os.File // standard output, nil if it is not a file
	stderr io.Writer
	data   io.Writer // the destination of stdout
	reads  bool      // standard output is a terminal

	talk     sync.Mutex // held while printing: workers report progress
	quiet    bool       // --quiet: only what was asked for, and errors
	asJSON   bool       // --json
	aside    bool       // standard output carries data: messages go to standard error
	openLine bool       // a progress line is open and will be overwritten
	result   bool       // the JSON document was written
}

// words returns the writer for messages.
func (c *console) words() io.Writer {
	if c.aside {
		return c.stderr
	}
	return c.stdout
}

// say prints a message that --quiet suppresses.
func (c *console) say(format string, args ...any) {
	if c.quiet {
		return
	}
	text := fmt.Sprintf(format, args...)
	if c.asJSON {
		c.event(event{Event: "message", Message: strings.TrimRight(text, "\n")})
		return
	}
	c.talk.Lock()
	defer c.talk.Unlock()
	c.endLine()
	io.WriteString(c.words(), text)
	c.stdout.Flush() // bufio keeps an error, which run reports at the end
}

// warn prints a warning; explain words the errors in args. Warnings do not change the exit status.
func (c *console) warn(format string, args ...any) {
	args = slices.Clone(args)
	for i, a := range args {
		if err, ok := a.(error); ok {
			args[i] = words(err)
		}
	}
	text := fmt.Sprintf(format, args...)
	if c.asJSON {
		c.event(event{Event: "warning", Message: text})
	}
	c.complain("[WARNING] " + text)
}

// complain prints a line on standard error, unless JSON lines go there.
func (c *console) complain(text string) {
	if c.asJSON && c.aside {
		return
	}
	c.talk.Lock()
	defer c.talk.Unlock()
	c.endLine()
	fmt.Fprintln(c.stderr, text)
}

// endLine ends an open progress line. c.talk must be held.
func (c *console) endLine() {
	if c.openLine {
		c.openLine = false
		io.WriteString(c.words(), "\n")
		c.stdout.Flush()
	}
}

// event is a JSON line.
type event struct {
	Event   string `json:"event"` // "progress", "message", "warning", "estimate", "done", "error"
	Phase   string `json:"phase,omitempty"`
	Done    *int64 `json:"done,omitempty"`  // bytes; of "scanning" those found so far
	Total   *int64 `json:"total,omitempty"` // bytes; not of "scanning"
	Percent *int   `json:"percent,omitempty"`
	Files   *int   `json:"files,omitempty"` // of "scanning"
	Dirs    *int   `json:"dirs,omitempty"`
	Part    int    `json:"part,omitempty"` // of "splitting"
	Parts   int    `json:"parts,omitempty"`
	Status  *int   `json:"status,omitempty"` // of "done" and "error": the exit status
	Message string `json:"message,omitempty"`
	Hint    string `json:"hint,omitempty"` // of "error": what to do

	Estimate *estimateOut `json:"estimate,omitempty"`
}

func (c *console) event(e event) {
	c.talk.Lock()
	defer c.talk.Unlock()
	enc := json.NewEncoder(c.words())
	enc.SetEscapeHTML(false)
	_ = enc.Encode(e) // bufio keeps an error, which run reports at the end
	c.stdout.Flush()
}

// json writes the result document of a verb as the last line, with a space after colons and commas.
func (c *console) json(v any) error {
	c.result = true
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) { // inside strings a line end is escaped
		line = strings.TrimSpace(line)
		c.stdout.WriteString(line)
		if strings.HasSuffix(line, ",") {
			c.stdout.WriteByte(' ')
		}
	}
	return c.stdout.WriteByte('\n')
}

// The phases of a job: their names in JSON and their wording in wimlib-imagex.
type phase struct{ key, words string }

var (
	archiving   = phase{"archiving", "Archiving file data"}
	extracting  = phase{"extracting", "Extracting file data"}
	verifying   = phase{"verifying", "Verifying file data"}
	calculating = phase{"integrityTable", "Calculating integrity table for WIM"}
	splitting   = phase{"splitting", "Splitting WIM"}
)

// checkingIntegrity is the phase that compares a file's integrity table.
func checkingIntegrity(name string) phase {
	return phase{"integrity", fmt.Sprintf("Verifying integrity of %q", realPath(name))}
}

// bar reports the progress of a job. The value never decreases, whatever order the pieces end in. It is not safe for
// concurrent use.
type bar struct {
	c       *console
	phase   phase
	total   int64 // bytes
	done    int64
	percent int // last reported, -1 if none was
	last    time.Time
	part    int // current part, when splitting
	parts   int
}

// progress starts a phase of total bytes and reports 0%.
func (c *console) progress(what phase, total int64) *bar {
	b := &bar{c: c, phase: what, total: max(total, 0), percent: -1}
	b.at(0)
	return b
}

func (b *bar) step(p shard.Progress) { b.at(p.Bytes) }

// at reports progress at every percent, and at least once a second.
func (b *bar) at(done int64) {
	b.done = min(max(b.done, done), b.total)
	percent := 0
	if b.total > 0 {
		percent = int(float64(b.done) / float64(b.total) * 100)
		if b.done < b.total {
			percent = min(percent, 99)
		}
	}
	if b.c.quiet || percent == b.percent && (time.Since(b.last) < time.Second || b.done == b.total) {
		return
	}
	b.percent, b.last = percent, time.Now()
	b.print()
}

func (b *bar) print() {
	c := b.c
	if c.asJSON {
		c.event(event{Event: "progress", Phase: b.phase.key, Done: &b.done, Total: &b.total, Percent: &b.percent, Part: b.part, Parts: b.parts})
		return
	}
	how := "done"
	if b.parts > 0 {
		how = fmt.Sprintf("written, part %d of %d", b.part, b.parts)
	}
	shift, unit := unitOf(b.total)
	c.talk.Lock()
	defer c.talk.Unlock()
	fmt.Fprintf(c.words(), "\r%s: %d %s of %d %s (%d%%) %s", b.phase.words, b.done>>shift, unit, b.total>>shift, unit, b.percent, how)
	c.openLine = true
	c.stdout.Flush()
}

// end ends a phase. If everything was done, its last line shows 100%.
func (b *bar) end() {
	b.c.talk.Lock()
	defer b.c.talk.Unlock()
	b.c.endLine()
}

// inPart reports which part of a set is being written, and of how many.
func (b *bar) inPart(part, parts int) {
	if parts = max(part, parts); b.part != part || b.parts != parts {
		b.part, b.parts, b.percent = part, parts, -1
	}
}

// scanned reports the progress of a scan, or its end.
func (c *console) scanned(bytes int64, files, dirs int, done bool) {
	if c.quiet {
		return
	}
	if c.asJSON {
		c.event(event{Event: "progress", Phase: "scanning", Done: &bytes, Files: &files, Dirs: &dirs})
		return
	}
	c.talk.Lock()
	defer c.talk.Unlock()
	fmt.Fprintf(c.words(), "\r%s scanned (%d files, %d directories)    ", sizeText(bytes), files, dirs) // the spaces overwrite a longer line
	c.openLine = true
	if done {
		c.endLine()
	}
	c.stdout.Flush()
}

// unitOf returns the unit in which wimlib-imagex prints n bytes: the largest of which there are at least ten.
func unitOf(n int64) (shift uint, name string) {
	switch {
	case n >= 10<<30:
		return 30, "GiB"
	case n >= 10<<20:
		return 20, "MiB"
	case n >= 10<<10:
		return 10, "KiB"
	}
	return 0, "bytes"
}

// sizeText formats a number of bytes in that unit.
func sizeText(n int64) string {
	shift, unit := unitOf(n)
	return fmt.Sprintf("%d %s", n>>shift, unit)
}
