package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"wimscope/wim/format"
	"wimscope/wim/write"
)

func exportVerb() verb {
	return verb{
		name: "export",
		usage: "SRC_WIMFILE SRC_IMAGE DEST_WIMFILE [DEST_IMAGE_NAME [DEST_IMAGE_DESC]] [--boot] [--check] [--include-integrity]\n" +
			"        [--nocheck] [--compress=TYPE[:LEVEL]] [--chunk-size=SIZE] [--recompress] [--solid] [--solid-compress=TYPE[:LEVEL]]\n" +
			"        [--solid-chunk-size=SIZE] [--no-solid-sort] [--ref=GLOB] [--rebuild] [--pipable] [--not-pipable] [--unsafe-compact] [--threads=N]\n" +
			"        [--wimboot] [--group=SHARED_WIMFILE] [--dry-run] [--verify-after]",
		opts: join(compressionOptions(), integrityOptions(), runOptionTable(), []option{
			{name: "boot"}, {name: "recompress"}, {name: "ref", value: true}, {name: "rebuild"}, {name: "unsafe-compact"}, {name: "wimboot"},
			{name: "group", value: true},
		}),
		run: runExport,
	}
}

// exporting is the state of an export.
type exporting struct {
	t       *tool
	o       *parsed
	from    *opened
	choice  int
	rename  []property // of the only image
	newName bool
	pack    packing
	run     runOptions
}

func runExport(t *tool, o *parsed) error {
	if len(o.args) < 3 || len(o.args) > 5 {
		return usageError{"export takes a source archive, an image, a destination archive, and optionally a new name and description"}
	}
	x := &exporting{t: t, o: o}
	dest := o.args[2]
	t.aside = t.carriesData(dest)
	var err error
	if x.pack, err = o.packing(); err != nil {
		return err
	}
	if x.run, err = o.runOptions(); err != nil {
		return err
	}
	x.run.refs = nil // references of the source; the exported images do not need them
	if x.from, err = t.open(o.args[0], o.all("ref")); err != nil {
		return needFirst(err, o.args[0])
	}
	defer x.from.Close()
	if x.choice, err = x.from.image(o.args[1], true, true); err != nil {
		return err
	}
	if err := x.from.needImages(); err != nil {
		return err
	}
	if o.has("boot") && x.choice == allImages && x.from.Info().BootIndex == 0 {
		return usageError{"--boot specified for all-images export, but source WIM has no bootable image"}
	}
	if err := t.checkIntegrity(x.from, o); err != nil {
		return err
	}
	if len(o.args) > 3 {
		if x.choice == allImages {
			return codef(exitParameter, "a name and a description can be given to a single image only, not to all")
		}
		x.newName = true
		for i, element := range []string{"NAME", "DESCRIPTION"} {
			if len(o.args) > 3+i {
				x.rename = append(x.rename, plainProperty(element, o.args[3+i]))
			}
		}
	}
	put := x.toExisting
	fi, err := os.Stat(dest)
	if stream := err == nil && !fi.Mode().IsRegular() && !fi.IsDir(); dest == "-" || stream || errors.Is(err, fs.ErrNotExist) {
		if o.has("unsafe-compact") {
			return usageError{"'--unsafe-compact' is only valid when exporting to an existing archive"}
		}
		put = x.toNew
	}
	return put(dest)
}

// add appends the images. None may have the name of an image that the destination had before. Names that images share in the
// source are kept.
func (x *exporting) add(e *write.Builder) error {
	for _, index := range x.from.indexes(x.choice) {
		name := x.from.Images()[index-1].Name
		if x.newName {
			name = x.rename[0].value
		}
		if err := freeName(e, name); err != nil {
			return err
		}
	}
	for _, index := range x.from.indexes(x.choice) {
		at, err := e.AddImage(x.from.Archive, index)
		if err != nil {
			return err
		}
		list := x.rename
		if x.o.has("wimboot") {
			list = append(slices.Clone(list), plainProperty("WIMBOOT", "1"))
		}
		for _, p := range list {
			if err := p.set(e.ImageElement(at)); err != nil {
				return err
			}
		}
		if x.o.has("boot") && (x.choice != allImages || index == x.from.Info().BootIndex) {
			e.Boot = at
		}
	}
	e.ReparseFixup = e.ReparseFixup || x.from.hdr.Flags&format.FlagReparseFixup != 0
	return nil
}

func (x *exporting) toNew(dest string) error {
	if dest == "-" {
		if err := x.pack.forPipe(); err != nil {
			return err
		}
	}
	if x.o.has("wimboot") {
		x.pack.forWIMBoot()
	}
	w, err := x.pack.forCopy(x.from.Archive)
	if err != nil {
		return err
	}
	if x.o.has("group") {
		return elsewhere(x.t.writeGroup(x.o, dest, &grouping{file: x.o.get("group"), image: x.add, contents: func(e *write.Builder) error {
			for _, index := range x.from.indexes(x.choice) {
				if _, err := e.AddImage(x.from.Archive, index); err != nil {
					return err
				}
			}
			return nil
		}}, x.pack, w, x.run))
	}
	e := write.New()
	if err := x.add(e); err != nil {
		return err
	}
	plan, err := e.PlanWrite(&w)
	if err != nil {
		return elsewhere(err)
	}
	_, err = (&writing{plan: plan, options: &w, runOptions: x.run}).toFile(x.t, dest)
	return err
}

func (x *exporting) toExisting(dest string) error {
	if x.o.has("group") {
		return codef(exitParameter, "--group: export to a group writes a new archive, and this one exists")
	}
	a, err := x.t.openForChange(dest, nil, x.o, false)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.needWhole(); err != nil {
		return err
	}
	if err := x.pack.sameCodec(a.Archive); err != nil {
		return err
	}
	e, err := write.Of(a.opened.Archive)
	if err != nil {
		return err
	}
	if err := x.add(e); err != nil {
		return err
	}
	m := modification{to: a, edit: e, pack: x.pack, anew: x.o.has("rebuild"), compact: x.o.has("unsafe-compact"), instead: keepsAll}
	_, err = m.write(x.t, x.run)
	return err
}
