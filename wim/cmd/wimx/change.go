package main

import "wimscope/wim/write"

// changing is a verb that changes an archive in its file.
type changing struct {
	*tool
	o       *parsed
	packing packing
	opts    runOptions
	a       *target // open, and locked
}

// change runs a verb that changes the archive named by its first argument. prepare, which may be nil, parses what else the
// verb needs before the archive is opened. anew means that the verb rewrites the archive, so that an unfinished one is
// accepted.
func (t *tool) change(o *parsed, anew bool, prepare, do func(c *changing) error) error {
	c := &changing{tool: t, o: o}
	var err error
	if c.packing, err = o.packing(); err != nil {
		return err
	}
	if c.opts, err = o.runOptions(); err != nil {
		return err
	}
	if prepare != nil {
		if err := prepare(c); err != nil {
			return err
		}
	}
	if c.a, err = t.openForChange(o.args[0], o.all("ref"), o, anew); err != nil {
		return err
	}
	defer c.a.Close()
	return do(c)
}

// builder returns a builder with the images of the archive.
func (c *changing) builder() (*write.Builder, error) { return write.Of(c.a.opened.Archive) }

// write writes the archive. It returns no report if --dry-run prevented writing.
func (c *changing) write(m modification) (*write.Report, error) {
	m.to, m.pack = c.a, c.packing
	return m.write(c.tool, c.opts)
}

// unchanged reports that there was nothing to do.
func (c *changing) unchanged() {
	c.say("The file \"%s\" was not modified because nothing needed to be done.\n", c.o.args[0])
}
