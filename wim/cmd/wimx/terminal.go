package main

import (
	"io"
	"os"

	"wimscope/worker/visible"
)

// isTerminal reports whether w is a terminal or another character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Stat() (os.FileInfo, error) })
	if !ok {
		return false
	}
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeCharDevice != 0
}

// forPeople makes control and invisible characters visible in output to a terminal, which would interpret them. Output to a file
// or a pipe stays byte for byte what wimlib-imagex writes.
func (t *tool) forPeople(stdout, stderr io.Writer) {
	t.data = stdout
	if isTerminal(stdout) {
		t.stdout.Reset(visible.Writer(stdout))
		t.reads = true
	}
	if isTerminal(stderr) {
		t.stderr = visible.Writer(stderr)
	}
}

// asData makes everything that is written to standard output from now on pass unchanged.
func (t *tool) asData() error {
	err := t.stdout.Flush()
	t.stdout.Reset(t.data)
	return err
}

// name returns the name of an entry for a listing. On a terminal, line breaks are made visible: they would split the entry.
func (t *tool) name(s string) string {
	if t.reads {
		return visible.Text(s)
	}
	return s
}
