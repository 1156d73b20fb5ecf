package main

import (
	"io"
	"os"

	"wimscope/worker/visible"
)

// isTerminal says whether w is a terminal, or another device that takes characters.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Stat() (os.FileInfo, error) })
	if !ok {
		return false
	}
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeCharDevice != 0
}

// forPeople shows the hidden characters of what goes to a terminal, which would obey them. What goes to a file or to
// another program stays byte for byte what wimlib-imagex writes.
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

// asData has what is written to standard output from now on go there as it is.
func (t *tool) asData() error {
	err := t.stdout.Flush()
	t.stdout.Reset(t.data)
	return err
}

// name gives the name of an entry as it is to be listed: on a terminal without a line break that makes one entry two.
func (t *tool) name(s string) string {
	if t.reads {
		return visible.Text(s)
	}
	return s
}
