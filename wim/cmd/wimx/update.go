package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"wimscope/wim/config"
	"wimscope/wim/draft"
	"wimscope/wim/format"
)

func updateVerb() verb {
	return verb{
		name: "update",
		usage: "WIMFILE [IMAGE] [--command=STRING] [--wimboot-config=FILE] [--check] [--include-integrity] [--nocheck] [--rebuild]\n" +
			"        [--unsafe-compact] [--config=FILE] [--dereference] [--unix-data] [--no-acls] [--strict-acls] [--no-replace]\n" +
			"        [--force] [--recursive] [--threads=N] [--skip-errors] [--ref=GLOB] [--dry-run]\n" +
			"        [--verify-after] [< CMDFILE]\n" +
			"        CMDFILE: lines of add [OPTION...] SOURCE DESTINATION, delete [OPTION...] PATH, rename OLD_PATH NEW_PATH",
		opts: join(integrityOptions(), scanOptionTable(), runOptionTable(), []option{
			{name: "command", value: true}, {name: "wimboot-config", value: true}, {name: "rebuild"}, {name: "unsafe-compact"},
			{name: "no-replace"}, {name: "verbose"}, {name: "force"}, {name: "recursive"}, {name: "ref", value: true},
		}),
		run: runUpdate,
	}
}

func runUpdate(t *tool, o *parsed) error {
	if len(o.args) < 1 || len(o.args) > 2 {
		return usageError{"update takes an archive and optionally an image"}
	}
	var scan *scanning
	var commands []config.Command
	return t.change(o, false, func(*changing) (err error) {
		if scan, err = t.scanning(o); err != nil {
			return err
		}
		commands, err = t.updateCommands(o)
		return err
	}, func(c *changing) error { return c.update(commands, scan) })
}

// update runs the commands one after another, and reports each.
func (c *changing) update(commands []config.Command, scan *scanning) error {
	a, o := c.a, c.o
	if err := a.needWhole(); err != nil {
		return err
	}
	arg := ""
	if len(o.args) > 1 {
		arg = o.args[1]
	}
	index, err := a.image(arg, len(o.args) > 1, false)
	if err != nil {
		return err
	}
	if len(commands) == 0 {
		return nil
	}
	im, err := a.Image(index)
	if err != nil {
		return coded(exitMetadata, err)
	}
	if err := whole(im); err != nil {
		return err
	}
	d, err := draft.Of(im)
	if err != nil {
		return coded(exitMetadata, err)
	}
	e, err := c.builder()
	if err != nil {
		return err
	}
	// Links of files added to the root are fixed, unless there are other images and the header says that their links are not.
	fix := e.ReparseFixup || e.Len() == 1
	if err := c.updateDraft(d, commands, scan, fix); err != nil {
		return err
	}
	toRoot := slices.ContainsFunc(commands, addsToRoot)
	e.ReparseFixup = e.ReparseFixup || fix && toRoot
	if err := e.SetDraft(index, d, format.FiletimeOf(time.Now())); err != nil {
		return err
	}
	if toRoot { // like wimlib-imagex: other commands do not change it
		c.fillWindows(e, index, scan.sources)
	}
	_, err = c.write(modification{edit: e, sources: scan.sources, anew: o.has("rebuild"), compact: o.has("unsafe-compact"), instead: keepsAll})
	return err
}

// updateCommands reads the commands from --command, --wimboot-config or standard input. Options of the verb apply to all
// commands.
func (t *tool) updateCommands(o *parsed) ([]config.Command, error) {
	var commands []config.Command
	switch {
	case len(o.all("command")) > 1:
		return nil, usageError{"--command may only be specified one time; please provide the update commands on standard input instead"}
	case o.has("command") && o.has("wimboot-config"):
		return nil, usageError{"--command and --wimboot-config may not be specified together"}
	case o.has("wimboot-config"):
		commands = []config.Command{{Op: config.UpdateAdd, Source: o.get("wimboot-config"), Target: wimBootConfig}}
	default:
		text, from := []byte(o.get("command")), "--command"
		if !o.has("command") {
			from = "standard input"
			var err error
			if text, err = t.readText("-"); err != nil {
				return nil, err
			}
		}
		var err error
		if commands, err = config.ParseCommands(text); err != nil {
			return nil, usageError{fmt.Sprintf("%s: %v", from, err)}
		}
		if o.has("command") && len(commands) > 1 {
			return nil, usageError{"--command takes one command; please provide several on standard input"}
		}
	}
	for i := range commands {
		c := &commands[i]
		c.Dereference = c.Dereference || o.has("dereference")
		c.UnixData = c.UnixData || o.has("unix-data")
		c.NoACLs = c.NoACLs || o.has("no-acls")
		c.NoReplace = c.NoReplace || o.has("no-replace")
		c.Force = c.Force || o.has("force")
		c.Recursive = c.Recursive || o.has("recursive")
		if c.UnixData && !keepsUnix {
			return nil, codef(exitUnsupported, "--unix-data does not work on this system")
		}
	}
	return commands, nil
}

// updateDraft carries the commands out, one after another, and reports each.
func (t *tool) updateDraft(d *draft.Draft, commands []config.Command, scan *scanning, fix bool) error {
	graft := &draft.GraftOptions{Fold: t.fold, When: format.FiletimeOf(time.Now())}
	for i := range commands {
		c := &commands[i]
		var added *draft.Draft
		if c.Op == config.UpdateAdd {
			var err error
			added, err = scan.scan(c.Source, c.Target, func(o *draft.ScanOptions) {
				o.Dereference, o.UnixData, o.NoACLs, o.Several = c.Dereference, c.UnixData, c.NoACLs, true
				o.NoRPFix = !fix || !addsToRoot(*c)
			})
			if err != nil {
				return err
			}
		}
		replaced, err := d.Update(c, added, graft)
		if err != nil {
			n, ok := d.Lookup(c.Source, t.fold)
			return updateError(c, ok && d.IsDir(n), err)
		}
		switch c.Op {
		case config.UpdateAdd:
			for _, p := range replaced {
				t.say("Updating \"%s\" in WIM image\n", p)
			}
		case config.UpdateDelete:
			t.say("Deleted WIM path \"%s\"\n", c.Target)
		case config.UpdateRename:
			t.say("Renamed WIM path \"%s\" => \"%s\"\n", c.Source, c.Target)
		}
	}
	return nil
}

func addsToRoot(c config.Command) bool { return c.Op == config.UpdateAdd && c.Target == "/" }

// updateError words the error of a command. folder reports whether the source of a rename is a folder.
func updateError(c *config.Command, folder bool, err error) error {
	var de *draft.Error
	if !errors.As(err, &de) {
		return err
	}
	code := status(err)
	switch {
	case code == exitIsDirectory && c.Op == config.UpdateDelete:
		return codef(code, "%q is a directory but a recursive delete was not requested; use --recursive", c.Target)
	case code == exitOverlay && c.Op == config.UpdateAdd:
		return codef(code, "refusing to overwrite nondirectory file %q", de.Path)
	case c.Op == config.UpdateRename && c.Target == "/":
		return codef(exitIsDirectory, "cannot rename %q to the root of the image", c.Source)
	case c.Op == config.UpdateRename && errors.Is(err, draft.ErrTree) && folder:
		code = exitNotEmpty // wimlib-imagex's status for a move into itself
	case c.Op == config.UpdateRename && errors.Is(err, draft.ErrTree):
		code = exitNotDirectory
	}
	return coded(code, err)
}
