package main

import "strconv"

// changeInfo implements info with changes: name, description and other properties of an image, the boot image, the integrity
// table, and the repair of information about Windows.
func changeInfo(t *tool, o *parsed) error {
	var properties []property
	return t.change(o, false, func(c *changing) (err error) {
		if o.has("no-integrity") {
			if c.packing.integrity {
				return codef(exitParameter, "--no-integrity contradicts --check and --include-integrity")
			}
			c.packing.noIntegrity = true
		}
		properties, err = o.properties()
		return err
	}, func(c *changing) error { return c.info(properties) })
}

// info makes the changes and writes the archive.
func (c *changing) info(properties []property) error {
	a, o := c.a, c.o
	index, err := c.changedImage(properties)
	if err != nil {
		return err
	}
	e, err := c.builder()
	if err != nil {
		return err
	}
	had := a.Info().Parts[a.Info().First].Integrity
	changed := c.packing.integrity && !had || c.packing.noIntegrity && had
	if o.has("boot") {
		if e.Boot == index {
			c.say("Image %d is already marked as bootable.\n", index)
		} else {
			c.say("Marking image %d as bootable.\n", index)
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
		repaired, damage = c.repairWindows(a.opened, e, choice)
		changed = changed || repaired
	}
	set, err := c.setProperties(e, index, properties)
	if err != nil {
		return err
	}
	if !changed && !set {
		c.unchanged()
		return damage
	}
	if _, err := c.write(modification{edit: e}); err != nil {
		return err
	}
	return damage
}

// changedImage returns the index of the image to change. It is 0 if there is none, or if the boot image is to be removed.
func (c *changing) changedImage(properties []property) (int, error) {
	a, o := c.a, c.o
	arg, named := "", len(o.args) > 1
	if named {
		arg = o.args[1]
	}
	none := named && o.has("boot") && len(o.args) == 2 && len(properties) == 0 && isZero(arg)
	if none || !named && !o.has("boot") && len(properties) == 0 {
		return 0, nil
	}
	if !named && len(a.Images()) != 1 {
		return 0, codef(exitImage, "%q contains %d images; specify which one to change", o.args[0], len(a.Images()))
	}
	if named && isZero(arg) {
		return 0, usageError{"image 0 is valid only with --boot and no other change: no image will be bootable"}
	}
	// Only here does "all" mean the image of an archive that has just one. A repair without other changes may cover all images.
	repairs := o.has("repair-windows") && !o.has("boot") && len(properties) == 0 && len(o.args) == 2
	index, err := a.image(arg, named, len(a.Images()) == 1 || repairs)
	if index == allImages && len(a.Images()) == 1 {
		index = 1
	}
	return index, err
}

func isZero(arg string) bool {
	n, err := strconv.ParseUint(arg, 10, 32)
	return err == nil && n == 0
}
