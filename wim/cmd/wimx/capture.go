package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"wimscope/wim"
	"wimscope/wim/config"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/write"
)

// captureOptionTable returns the options of capture and append.
func captureOptionTable() []option {
	return join(compressionOptions(), integrityOptions(), scanOptionTable(), runOptionTable(), []option{
		{name: "boot"}, {name: "rpfix"}, {name: "norpfix"}, {name: "flags", value: true}, {name: "image-property", value: true},
		{name: "source-list"}, {name: "update-of", value: true}, {name: "delta-from", value: true}, {name: "group", value: true}, {name: "create"}, {name: "rebuild"},
		{name: "unsafe-compact"}, {name: "wimboot"}, {name: "snapshot"}, {name: "verbose"},
	})
}

// join concatenates tables of options.
func join(tables ...[]option) []option {
	var all []option
	for _, t := range tables {
		all = append(all, t...)
	}
	return all
}

func captureVerb() verb {
	return verb{
		name: "capture",
		usage: "SOURCE WIMFILE [IMAGE_NAME [IMAGE_DESC]] [--compress=TYPE[:LEVEL]] [--chunk-size=SIZE] [--solid]\n" +
			"        [--solid-compress=TYPE[:LEVEL]] [--solid-chunk-size=SIZE] [--no-solid-sort] [--boot] [--check] [--include-integrity] [--nocheck]\n" +
			"        [--config=FILE] [--flags=EDITIONID] [--image-property NAME=VALUE] [--source-list] [--dereference] [--unix-data]\n" +
			"        [--no-acls] [--strict-acls] [--rpfix] [--norpfix] [--update-of=WIMFILE:IMAGE] [--delta-from=WIMFILE] [--pipable]\n" +
			"        [--wimboot] [--group=SHARED_WIMFILE] [--threads=N] [--skip-errors] [--dry-run] [--verify-after]",
		opts: captureOptionTable(),
		run:  runCapture,
	}
}

func runCapture(t *tool, o *parsed) error {
	for _, name := range []string{"create", "unsafe-compact"} {
		if o.has(name) {
			return usageError{fmt.Sprintf("'--%s' is only valid for 'wimx append', not 'wimx capture'", name)}
		}
	}
	c, err := t.capturing(o)
	if err != nil {
		return err
	}
	defer c.close()
	return c.toNew()
}

func appendVerb() verb {
	return verb{
		name: "append",
		usage: "SOURCE WIMFILE [IMAGE_NAME [IMAGE_DESC]] [--create] [--rebuild] [--unsafe-compact] [--not-pipable]\n" +
			"        [--update-of=[WIMFILE:]IMAGE] and the options of capture",
		opts: captureOptionTable(),
		run:  runAppend,
	}
}

func runAppend(t *tool, o *parsed) error {
	c, err := t.capturing(o)
	if err != nil {
		return err
	}
	defer c.close()
	if _, err := os.Stat(c.file); o.has("create") && errors.Is(err, fs.ErrNotExist) {
		return c.toNew()
	}
	if c.file == "-" {
		return usageError{"append cannot write to standard output; use capture or export"}
	}
	return c.toExisting()
}

// capturing is the state of a capture.
type capturing struct {
	t          *tool
	o          *parsed
	pack       packing
	run        runOptions
	source     string
	file       string // name of the archive
	name, desc string
	named      bool
	properties []property
	list       []config.Source
	scan       *scanning

	bases    []*opened // archives of --delta-from
	others   []*opened // opened for --update-of
	updateOf *wim.Image
	template string  // message about updateOf
	updated  *opened // archive of updateOf, if that is not the one appended to
}

// capturing parses arguments and options, and opens the archives that they name, except the one appended to.
func (t *tool) capturing(o *parsed) (_ *capturing, err error) {
	if len(o.args) < 2 || len(o.args) > 4 {
		return nil, usageError{"a source and an archive are required; a name and a description are optional"}
	}
	if o.has("snapshot") {
		return nil, codef(exitUnsupported, "--snapshot is supported by wimlib-imagex on Windows only, not by wimx")
	}
	if err := o.notBoth("rpfix", "norpfix"); err != nil {
		return nil, err
	}
	c := &capturing{t: t, o: o, source: o.args[0], file: o.args[1]}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if len(o.args) > 2 {
		c.name, c.named = o.args[2], true
	}
	if len(o.args) > 3 {
		c.desc = o.args[3]
	}
	t.aside = t.carriesData(c.file)
	if c.pack, err = o.packing(); err != nil {
		return nil, err
	}
	if c.run, err = o.runOptions(); err != nil {
		return nil, err
	}
	if c.properties, err = o.properties(); err != nil {
		return nil, err
	}
	if c.scan, err = t.scanning(o); err != nil {
		return nil, err
	}
	c.list = []config.Source{{Path: c.source, Target: "/"}}
	if o.has("source-list") {
		b, err := t.readText(c.source)
		if err != nil {
			return nil, codef(exitUsage, "--source-list: %w", err)
		}
		if c.list, err = config.ParseSources(b); err != nil {
			return nil, usageError{fmt.Sprintf("%s: %v", c.source, err)}
		}
	}
	for _, s := range c.list {
		if s.Target != "/" && o.has("rpfix") {
			return nil, codef(exitParameter, "--rpfix: %q is not captured to the root of the image, so its links cannot be fixed", s.Path)
		}
	}
	for _, name := range o.all("delta-from") {
		a, err := t.open(name, nil)
		if err != nil {
			return nil, needFirst(err, name)
		}
		c.bases = append(c.bases, a)
	}
	switch len(c.bases) {
	case 0:
	case 1:
		t.say("Capturing delta WIM based on \"%s\"\n", c.bases[0].name)
	default:
		t.say("Capturing delta WIM based on %d WIMs\n", len(c.bases))
	}
	return c, nil
}

func (c *capturing) close() {
	for _, a := range append(c.bases, c.others...) {
		a.Close()
	}
}

// findUpdateOf opens the image of --update-of: [WIMFILE:]IMAGE. to is the archive appended to, or nil.
func (c *capturing) findUpdateOf(to *opened) error {
	if !c.o.has("update-of") {
		return nil
	}
	text := c.o.get("update-of")
	var a *opened
	switch i := strings.LastIndexByte(text, ':'); {
	case i == 0:
		return codef(exitParameter, "--update-of=%s: the name of the archive is empty", text)
	case i > 0:
		file, err := c.t.open(text[:i], nil)
		if err != nil {
			return needFirst(err, text[:i])
		}
		c.others = append(c.others, file)
		if err := c.t.checkIntegrity(file, c.o); err != nil {
			return err
		}
		a, text = file, text[i+1:]
	case len(c.bases) == 1:
		a = c.bases[0]
	case to != nil:
		a = to
	default:
		return usageError{"for capture of non-delta WIM, '--update-of' must specify WIMFILE:IMAGE"}
	}
	if n, err := strconv.Atoi(text); err == nil && n < 0 { // counted from the last image
		text = strconv.Itoa(len(a.Images()) + 1 + n)
	}
	index, err := a.image(text, true, false)
	if err != nil {
		return err
	}
	c.template = fmt.Sprintf("Using image %d from \"%s\" as template\n", index, a.name)
	if c.updateOf, err = a.Image(index); err != nil {
		return coded(exitMetadata, err)
	}
	if a != to {
		c.updated = a
	}
	return nil
}

// tree scans all sources into one draft.
func (c *capturing) tree(norpfix bool) (*draft.Draft, error) {
	d := draft.New()
	now := format.FiletimeOf(time.Now())
	for _, s := range c.list {
		if s.Target == "/" {
			if err := sourceFolder(s.Path); err != nil {
				return nil, err
			}
		}
		added, err := c.scan.scan(s.Path, s.Target, func(o *draft.ScanOptions) {
			// Links can only be fixed for a source that becomes the root of the image.
			o.NoRPFix = norpfix || s.Target != "/"
			o.UpdateOf, o.Target, o.Several = c.updateOf, s.Target, len(c.list) > 1 || c.o.has("wimboot")
		})
		if err != nil {
			return nil, err
		}
		if _, err := d.Graft(s.Target, added, &draft.GraftOptions{When: now}); err != nil {
			return nil, err
		}
	}
	if c.o.has("wimboot") && c.o.has("config") { // Windows uses the configuration in the image
		added, err := c.scan.scan(c.o.get("config"), wimBootConfig, func(o *draft.ScanOptions) { o.Config, o.Several = nil, true })
		if err != nil {
			return nil, err
		}
		if _, err := d.Graft(wimBootConfig, added, &draft.GraftOptions{When: now}); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// wimBootConfig is the path of the WIMBoot configuration in an image.
const wimBootConfig = "/Windows/System32/WimBootCompress.ini"

// add adds the captured image as the last one. fixed reports whether links were fixed in the source that became its root; the
// archive gets the header flag for it.
func (c *capturing) add(e *write.Builder, d *draft.Draft, fixed bool) error {
	toRoot := slices.ContainsFunc(c.list, func(s config.Source) bool { return s.Target == "/" })
	e.ReparseFixup = e.ReparseFixup || fixed && toRoot
	name := c.name
	if !c.named {
		name = uniqueName(e, sourceName(c.source))
	}
	c.use(e)
	index, err := e.AddDraft(d, &write.Image{Name: name, Created: format.FiletimeOf(time.Now())})
	if err != nil {
		return err
	}
	c.t.fillWindows(e, index, c.scan.sources)
	if c.o.has("wimboot") {
		p := plainProperty("WIMBOOT", "1")
		if err := p.set(e.ImageElement(index)); err != nil {
			return err
		}
	}
	list := c.properties
	if c.desc != "" {
		list = append(list, plainProperty("DESCRIPTION", c.desc))
	}
	if _, err := c.t.setProperties(e, index, list); err != nil {
		return err
	}
	c.t.say("%s", c.template)
	if c.o.has("boot") {
		e.Boot = index
	}
	return nil
}

// use registers the archives whose blobs need not be read or written.
func (c *capturing) use(e *write.Builder) {
	for _, a := range c.bases {
		e.LeaveOut(a.Archive)
	}
	if c.updated != nil {
		e.UseContents(c.updated.Archive)
	}
}

func (c *capturing) toNew() error {
	if c.file == "-" {
		if err := c.pack.forPipe(); err != nil {
			return err
		}
	} else if at, err := c.t.placeFor(c.file); err != nil {
		return err
	} else if err := at.needArchive(c.pack.pipable); err != nil { // before the scan, which may take long
		return err
	}
	if c.o.has("group") {
		if err := c.t.needFiles("--group", c.o.get("group")); err != nil {
			return err
		}
	}
	if c.o.has("wimboot") {
		c.pack.forWIMBoot()
	}
	w, err := c.pack.forNew()
	if err != nil {
		return err
	}
	for _, a := range c.bases {
		if a.isOf(c.file) {
			return codef(exitParameter, "--delta-from=%s: that archive would be replaced", c.file)
		}
		if err := c.t.checkIntegrity(a, c.o); err != nil {
			return err
		}
	}
	if err := c.findUpdateOf(nil); err != nil {
		return err
	}
	fixed := !c.o.has("norpfix")
	d, err := c.tree(!fixed)
	if err != nil {
		return err
	}
	image := func(e *write.Builder) error { return c.add(e, d, fixed) }
	if c.o.has("group") {
		return c.t.writeGroup(c.o, c.file, &grouping{file: c.o.get("group"), sources: c.scan.sources, image: image, contents: func(e *write.Builder) error {
			c.use(e)
			_, err := e.AddDraft(d, nil)
			return err
		}}, c.pack, w, c.run)
	}
	e := write.New()
	if err := image(e); err != nil {
		return err
	}
	plan, err := e.PlanWrite(&w)
	if err != nil {
		return err
	}
	_, err = (&writing{plan: plan, options: &w, sources: c.scan.sources, runOptions: c.run}).toFile(c.t, c.file)
	return err
}

func (c *capturing) toExisting() error {
	if c.o.has("group") {
		return codef(exitParameter, "--group: append cannot add to a group; use capture, which writes a new archive")
	}
	a, err := c.t.openForChange(c.file, c.o.all("delta-from"), c.o, false)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.needWhole(); err != nil {
		return err
	}
	if err := c.pack.sameCodec(a.Archive); err != nil {
		return err
	}
	if err := c.findUpdateOf(a.opened); err != nil {
		return err
	}
	e, err := write.Of(a.opened.Archive)
	if err != nil {
		return err
	}
	if c.named { // before the scan, which may take long
		if err := freeName(e, c.name); err != nil {
			return err
		}
	}
	fixed := c.o.has("rpfix") || a.hdr.Flags&format.FlagReparseFixup != 0 && !c.o.has("norpfix")
	d, err := c.tree(!fixed)
	if err != nil {
		return err
	}
	if err := c.add(e, d, fixed); err != nil {
		return err
	}
	m := modification{to: a, edit: e, pack: c.pack, sources: c.scan.sources, anew: c.o.has("rebuild"), compact: c.o.has("unsafe-compact"), instead: keepsAll}
	_, err = m.write(c.t, c.run)
	return err
}

// sourceName returns the default name of an image: the last element of the source path.
func sourceName(source string) string {
	separator := func(r rune) bool { return r == '/' || r == filepath.Separator }
	trimmed := strings.TrimRightFunc(source, separator)
	return trimmed[strings.LastIndexFunc(trimmed, separator)+1:]
}

// uniqueName returns the name, or one with a number appended that no image has.
func uniqueName(e *write.Builder, name string) string {
	unique := name
	for n := 1; freeName(e, unique) != nil; n++ {
		unique = fmt.Sprintf("%s (%d)", name, n)
	}
	return unique
}
