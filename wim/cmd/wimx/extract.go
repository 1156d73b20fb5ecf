package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"wimscope/wim"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/xmldoc"
)

// sharedOptions returns the options that apply and extract share.
func sharedOptions() []option {
	return []option{
		{name: "check"}, {name: "nocheck"}, {name: "ref", value: true}, {name: "unix-data"},
		{name: "no-acls"}, {name: "noacls", same: "no-acls"}, {name: "strict-acls"}, {name: "no-attributes"},
		{name: "include-invalid-names"}, {name: "recover-data"},
		{name: "wimboot"}, {name: "compact", value: true}, {name: "threads", value: true}, {name: "verbose"},
	}
}

// writeOptions returns the values of the shared options.
func (o *parsed) writeOptions() (writeOptions, error) {
	for _, name := range []string{"wimboot", "compact"} {
		if o.has(name) {
			return writeOptions{}, codef(exitUnsupported, "--%s works on Windows only, and not with wimx", name)
		}
	}
	if o.has("unix-data") && !keepsUnix {
		return writeOptions{}, codef(exitUnsupported, "--unix-data does not work on this system")
	}
	return writeOptions{
		unixData: o.has("unix-data"), strict: o.has("strict-acls"), noAttributes: o.has("no-attributes"), noACLs: o.has("no-acls"),
		invalidNames: o.has("include-invalid-names"), recoverData: o.has("recover-data"),
	}, nil
}

func extractVerb() verb {
	return verb{
		name: "extract",
		usage: "WIMFILE IMAGE [(PATH | @LISTFILE)...] [--dest-dir=DIR] [--to-stdout] [--zip=FILE] [--tar=FILE] [--check] [--ref=GLOB]\n" +
			"        [--preserve-dir-structure] [--no-globs] [--nullglob] [--recover-data] [--unix-data] [--no-acls] [--strict-acls]\n" +
			"        [--no-attributes] [--include-invalid-names] [--threads=N]",
		opts: append(sharedOptions(), option{name: "dest-dir", value: true}, option{name: "to-stdout"}, option{name: "zip", value: true},
			option{name: "tar", value: true}, option{name: "no-globs"}, option{name: "no-wildcards", same: "no-globs"}, option{name: "nullglob"},
			option{name: "preserve-dir-structure"}),
		run: runExtract,
	}
}

func runExtract(t *tool, o *parsed) error {
	if len(o.args) == 0 {
		return usageError{"extract takes an archive and an image"}
	}
	wo, err := o.writeOptions()
	if err != nil {
		return err
	}
	packed, err := o.packedFile(t)
	if err != nil {
		return err
	}
	t.aside = o.has("to-stdout") || packed.form != "" && t.carriesData(packed.name)
	dest := "."
	if o.has("dest-dir") {
		dest = o.get("dest-dir")
	}
	switch {
	case packed.form != "":
		_, err = packed.place()
	case !t.aside:
		err = targetFolder(dest)
	}
	if err != nil {
		return err
	}
	a, err := t.open(o.args[0], o.all("ref"))
	if err != nil {
		return needFirst(err, o.args[0])
	}
	defer a.Close()
	arg, paths := "", []string(nil)
	if len(o.args) > 1 {
		arg, paths = o.args[1], o.args[2:]
	}
	index, err := a.image(arg, len(o.args) > 1, false)
	if err == nil && !wo.recoverData {
		err = a.needImages()
	}
	if err != nil {
		return err
	}
	if err := t.checkIntegrity(a, o); err != nil {
		return err
	}
	im, err := a.Image(index)
	if err != nil {
		return coded(exitMetadata, err)
	}
	t.lookAt(im)
	nodes, keep, err := t.choose(im, o, paths)
	if err != nil {
		return err
	}
	if o.has("to-stdout") {
		if len(paths) == 0 {
			nodes = []wim.Node{0} // the root, which toStdout rejects
		}
		return t.toStdout(a, im, nodes, wo.recoverData)
	}
	sel := extract.Selection{Image: im}
	if len(paths) > 0 {
		pick(&sel, nodes, keep)
	}
	if packed.form != "" {
		packed.a, packed.im, packed.sel = a, im, sel
		if err := packed.write(); err != nil {
			return err
		}
		t.say("Done extracting files.\n")
		return nil
	}
	if err := t.toFolder(a.Archive, sel, dest, wo, o); err != nil {
		return err
	}
	t.say("Done extracting files.\n")
	return nil
}

// choose returns the entries that paths and list files name. keep reports for each whether the folders above it are
// extracted too.
func (t *tool) choose(im *wim.Image, o *parsed, paths []string) (nodes []wim.Node, keep []bool, err error) {
	globs := !o.has("no-globs")
	one := func(p string, structure bool) error {
		found := match(im, p, globs, t.fold)
		if !globs && len(found) > 1 {
			found = found[:1]
		}
		if len(found) == 0 {
			if globs && o.has("nullglob") {
				t.warn("No matches for path pattern %q", p)
				return nil
			}
			hint := ""
			if globs {
				hint = " (--nullglob ignores missing files)"
			}
			return codef(exitNoPath, "no matches for path pattern %q%s", p, hint)
		}
		for _, n := range found {
			nodes = append(nodes, n)
			keep = append(keep, structure)
		}
		return nil
	}
	for _, p := range paths {
		if list, ok := strings.CutPrefix(p, "@"); ok {
			lines, err := t.listFile(list)
			if err != nil {
				return nil, nil, err
			}
			for _, line := range lines {
				if err := one(line, true); err != nil {
					return nil, nil, err
				}
			}
			continue
		}
		if err := one(p, o.has("preserve-dir-structure")); err != nil {
			return nil, nil, err
		}
	}
	return nodes, keep, nil
}

// toStdout writes the data of files, one after the other.
func (t *tool) toStdout(a *opened, im *wim.Image, nodes []wim.Node, recoverData bool) error {
	for _, n := range nodes {
		switch a := im.Attributes(n); {
		case im.IsDir(n) || a&format.AttrReparsePoint != 0:
			return codef(exitNotRegular, "%q is not a regular file and therefore cannot be extracted to standard output", nativePath(im, n))
		case a&format.AttrEncrypted != 0:
			return codef(exitNotRegular, "%q is encrypted by EFS: only Windows can decrypt it", nativePath(im, n))
		}
		if err := missingContent(a.Archive, im, n, im.Hash(n)); err != nil {
			return err
		}
	}
	if err := t.asData(); err != nil {
		return err
	}
	for _, n := range nodes {
		if err := a.copyContent(t, t.stdout, im, n, recoverData); err != nil {
			return fmt.Errorf("%s: %w", nativePath(im, n), err)
		}
	}
	return nil
}

func applyVerb() verb {
	return verb{
		name: "apply",
		usage: "WIMFILE [IMAGE] TARGET [--check] [--ref=GLOB] [--rpfix] [--norpfix] [--recover-data] [--unix-data]\n" +
			"        [--no-acls] [--strict-acls] [--no-attributes] [--include-invalid-names] [--threads=N]",
		opts: append(sharedOptions(), option{name: "rpfix"}, option{name: "norpfix"}),
		run:  runApply,
	}
}

func runApply(t *tool, o *parsed) error {
	if len(o.args) < 2 || len(o.args) > 3 {
		return usageError{"apply takes an archive, an optional image, and a target"}
	}
	wo, err := o.writeOptions()
	if err != nil {
		return err
	}
	if err := o.notBoth("rpfix", "norpfix"); err != nil {
		return err
	}
	if err := targetFolder(o.args[len(o.args)-1]); err != nil {
		return err
	}
	name := o.args[0]
	if name == "-" {
		// Random access to the archive is needed, which a pipe does not allow: it is copied to a temporary file first.
		spooled, err := t.spool()
		if err != nil {
			return err
		}
		defer spooled.remove()
		name, t.spooled = spooled.name, spooled.name
	}
	a, err := t.open(name, o.all("ref"))
	if err != nil {
		return needFirst(err, o.args[0])
	}
	defer a.Close()
	arg := ""
	if len(o.args) == 3 {
		arg = o.args[1]
	}
	target := o.args[len(o.args)-1]
	choice, err := a.image(arg, len(o.args) == 3, true)
	if err == nil && !wo.recoverData {
		err = a.needImages()
	}
	if err != nil {
		return err
	}
	wo.fixLinks = o.has("rpfix") || !o.has("norpfix") && a.hdr.Flags&flagReparseFixup != 0
	if err := t.checkIntegrity(a, o); err != nil {
		return err
	}
	if choice == allImages {
		// Check all images first: otherwise complete ones would be written before an incomplete one stops the run.
		for _, i := range a.indexes(choice) {
			if err := a.complete(i); err != nil {
				return err
			}
		}
	}
	used := map[string]bool{}
	for _, i := range a.indexes(choice) {
		info := a.Images()[i-1]
		dest := target
		if choice == allImages {
			dest = filepath.Join(target, imageFolder(info, used))
		}
		im, err := a.Image(i)
		if err != nil {
			return coded(exitMetadata, err)
		}
		t.lookAt(im)
		t.say("Applying image %d (\"%s\") from \"%s\" to directory \"%s\"\n", i, info.Name, realPath(o.args[0]), dest)
		if err := t.toFolder(a.Archive, extract.Selection{Image: im}, dest, wo, o); err != nil {
			return err
		}
	}
	t.say("Done applying WIM image.\n")
	return nil
}

// realPath returns the absolute path of a file with links resolved, or the name as given if that fails.
func realPath(name string) string {
	if name == "-" {
		return name
	}
	if p, err := filepath.Abs(name); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			return p
		}
	}
	return name
}

// complete returns an error if no open archive has a blob that the image's files need.
func (a *opened) complete(index int) (err error) {
	im, err := a.Image(index)
	if err != nil {
		return coded(exitMetadata, err)
	}
	im.EachStream(0, wim.Node(im.Len()), func(n wim.Node, h format.Hash, kind format.StreamKind, _ []byte) bool {
		if kind == format.StreamData && !im.IsDir(n) {
			err = missingContent(a.Archive, im, n, h)
		}
		return err == nil
	})
	return err
}

// imageFolder returns the name of an image's folder if all images are applied: the image's name if it is a valid file name
// and not taken, otherwise its index.
func imageFolder(info xmldoc.ImageInfo, used map[string]bool) string {
	name := info.Name
	units, _ := ntname.Unescape(name)
	if strings.ContainsAny(name, `/\`) || !checkName(units, onWindows) || used[strings.ToLower(name)] || ntname.Escape(units) != name {
		name = fmt.Sprint(info.Index)
	}
	used[strings.ToLower(name)] = true
	return name
}

// copyContent writes the content of a file to a writer. A blob in one piece is verified first, so that nothing of a damaged
// one is written without recoverData; damage in a larger one is an error at its end.
func (a *opened) copyContent(t *tool, to io.Writer, im *wim.Image, n wim.Node, recoverData bool) error {
	plan, err := extract.New(a.Archive, extract.Selection{Image: im, Roots: []wim.Node{n}}, &extract.Options{
		Form: extract.OutputRaw, Recover: recoverData, Damaged: func(_ []extract.Entry, why string) error {
			if !recoverData {
				return codef(exitHash, "damaged: %s", why)
			}
			t.warn("damaged: %s", why)
			return nil
		},
	})
	if err == nil {
		_, err = extract.Run(t.ctx, plan, rawOutput{to}, nil)
	}
	return interrupted(err)
}

// rawOutput is an extract.Output that writes the only stream of a plan.
type rawOutput struct{ to io.Writer }

// Segment implements extract.Output.
func (r rawOutput) Segment(data []byte, _ extract.SegmentEntries, _ []uint32) error {
	_, err := r.to.Write(data)
	return coded(exitWrite, err)
}

// Packed implements extract.Output. Run does not call it.
func (r rawOutput) Packed(extract.Packed, extract.SegmentEntries, []uint32) error {
	return errors.ErrUnsupported
}

// Finish implements extract.Output.
func (r rawOutput) Finish() (int64, error) { return 0, nil }
