package main

import (
	"strconv"

	"wimscope/wim/write"
)

// changeInfo is info with changes: an image's name, description and other properties, which image is booted from, and
// whether there is an integrity table; or what the images' own files say of Windows.
func changeInfo(t *tool, o *parsed) error {
	p, err := o.packing()
	if err != nil {
		return err
	}
	if o.has("no-integrity") {
		if p.integrity {
			return codef(exitParameter, "--no-integrity contradicts --check and --include-integrity")
		}
		p.noIntegrity = true
	}
	r, err := o.runOptions()
	if err != nil {
		return err
	}
	properties, err := o.properties()
	if err != nil {
		return err
	}
	a, err := t.openForChange(o.args[0], o.all("ref"), o, false)
	if err != nil {
		return err
	}
	defer a.Close()
	arg, named := "", len(o.args) > 1
	if named {
		arg = o.args[1]
	}
	// No image is to be booted from: that is image 0 here.
	none := named && o.has("boot") && len(o.args) == 2 && len(properties) == 0 && isZero(arg)
	index := 0
	if !none && (named || o.has("boot") || len(properties) > 0) {
		if !named && len(a.Images()) != 1 {
			return codef(exitImage, "%q contains %d images: which one is to be changed?", o.args[0], len(a.Images()))
		}
		if named && isZero(arg) {
			return usageError{"there is no image 0: with --boot alone it says that none is to be booted from"}
		}
		// Only here does "all" mean the image of an archive that has just one. A repair without other changes may cover all images.
		repairs := o.has("repair-windows") && !o.has("boot") && len(properties) == 0 && len(o.args) == 2
		if index, err = a.image(arg, named, len(a.Images()) == 1 || repairs); err != nil {
			return err
		}
		if index == allImages && len(a.Images()) == 1 {
			index = 1
		}
	}
	e, err := write.Of(a.opened.Archive)
	if err != nil {
		return err
	}
	had := a.Info().Parts[a.Info().First].Integrity
	changed := p.integrity && !had || p.noIntegrity && had
	if o.has("boot") {
		if e.Boot == index {
			t.say("Image %d is already marked as bootable.\n", index)
		} else {
			t.say("Marking image %d as bootable.\n", index)
			e.Boot, changed = index, true
		}
	}
	for i, element := range []string{"NAME", "DESCRIPTION"} {
		if len(o.args) > 2+i {
			properties = append(properties, plainProperty(element, o.args[2+i]))
		}
	}
	var damage error
	if o.has("repair-windows") {
		choice := index
		if index == 0 {
			choice = allImages
		}
		var repaired bool
		repaired, damage = t.repairWindows(a.opened, e, choice)
		changed = changed || repaired
	}
	set, err := t.setProperties(e, index, properties)
	if err != nil {
		return err
	}
	if !changed && !set {
		t.say("The file \"%s\" was not modified because nothing needed to be done.\n", o.args[0])
		return damage
	}
	m := modification{to: a, edit: e, pack: p}
	if _, err := m.write(t, r); err != nil {
		return err
	}
	return damage
}

func isZero(arg string) bool {
	n, err := strconv.ParseUint(arg, 10, 32)
	return err == nil && n == 0
}
