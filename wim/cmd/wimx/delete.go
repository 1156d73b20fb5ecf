package main

func deleteVerb() verb {
	return verb{
		name: "delete",
		usage: "WIMFILE IMAGE [--soft] [--unsafe-compact] [--force] [--check] [--include-integrity] [--nocheck] [--ref=GLOB]\n" +
			"        [--threads=N] [--dry-run] [--verify-after]",
		opts: join(integrityOptions(), runOptionTable(), []option{{name: "soft"}, {name: "unsafe-compact"}, {name: "force"}, {name: "ref", value: true}}),
		run:  runDelete,
	}
}

// runDelete removes an image from an archive. The archive is rewritten without the blobs that no other image needs; with
// --soft they stay. The only image can be deleted with --force or as "all".
func runDelete(t *tool, o *parsed) error {
	if len(o.args) != 2 {
		return usageError{"delete takes an archive and an image"}
	}
	return t.change(o, false, nil, func(c *changing) error {
		a := c.a
		choice, err := a.image(o.args[1], true, true)
		if err != nil {
			return err
		}
		if choice != allImages && len(a.Images()) == 1 && !o.has("force") {
			return codef(exitParameter, "image %d is the only one in %q: the archive would have no images left; give \"all\" as the image, or add --force", choice, o.args[0])
		}
		e, err := c.builder()
		if err != nil {
			return err
		}
		for i := range a.indexes(choice) {
			index := choice
			if choice == allImages {
				index = len(a.Images()) - i
			}
			if err := e.Delete(index); err != nil {
				return err
			}
		}
		_, err = c.write(modification{edit: e, anew: !o.has("soft") && !o.has("unsafe-compact"), compact: o.has("unsafe-compact"),
			instead: "--soft deletes the image and leaves everything else where it is"})
		return err
	})
}
