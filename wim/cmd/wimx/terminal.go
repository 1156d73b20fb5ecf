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
func (c *console) forPeople(stdout, stderr io.Writer) {
	c.data = stdout
	if isTerminal(stdout) {
		c.stdout.Reset(visible.Writer(stdout))
		c.reads = true
	}
	if isTerminal(stderr) {
		c.stderr = visible.Writer(stderr)
	}
}

// asData makes everything that is written to standard output from now on pass unchanged.
func (c *console) asData() error {
	err := c.stdout.Flush()
	c.stdout.Reset(c.data)
	return err
}

// name returns the name of an entry for a listing. On a terminal, line breaks are made visible: they would split the entry.
func (c *console) name(s string) string {
	if c.reads {
		return visible.Text(s)
	}
	return s
}
