package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"wimscope/wim/format"
	"wimscope/wim/windows"
	"wimscope/wim/write"
)

// fillWindows records the Windows installation of a captured or changed image, index from 1, in the XML document. Unreadable
// hives do not stop the capture.
func (t *tool) fillWindows(e *write.Builder, index int, sources []fs.FS) {
	if w := e.FillWindows(index, sources...); w != nil {
		t.windowsProblems(w, "; its information about Windows is missing from the XML document")
	}
}

// windowsProblems warns about files that cannot be read, with a text after each warning. It returns the first error that is
// due to damage or missing parts rather than to the contents of a file.
func (t *tool) windowsProblems(w *windows.Info, then string) (damage error) {
	for _, p := range w.Problems {
		t.warn("%v%s", p, then)
		if damage == nil && status(p) != exitOther {
			damage = p
		}
	}
	return damage
}

// eachWindows reads information about Windows in the chosen images, from files whose hashes match. It skips images without
// Windows. After all images it returns the first damage found.
func (t *tool) eachWindows(a *opened, choice int, then string, do func(index int, w *windows.Info)) error {
	var damage error
	for _, index := range a.indexes(choice) {
		w, err := windows.Of(a.Archive, index, true)
		if errors.Is(err, format.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := t.windowsProblems(w, then); damage == nil {
			damage = err
		}
		do(index, w)
	}
	return damage
}

// printWindows implements `info --windows`: it prints the information from the images' own files beside that of the XML
// document.
func (t *tool) printWindows(a *opened, choice int) error {
	return t.eachWindows(a, choice, "", func(index int, w *windows.Info) {
		line := func(name, value string) {
			if value != "" {
				fmt.Fprintf(t.stdout, "%-24s%s\n", name+":", value)
			}
		}
		title := fmt.Sprintf("Windows in Image %d", index)
		fmt.Fprintf(t.stdout, "%s\n%s\n", title, strings.Repeat("-", len(title)))
		line("Folder", w.Root)
		line("Build (XML)", a.Images()[index-1].Version)
		line("Build (kernel)", w.Kernel)
		line("Build (registry)", w.Build)
		line("Update Build Revision", w.UBR)
		line("Branch", w.Branch)
		line("Lab", w.Lab)
		for _, d := range w.Differences(a.ImageElement(index)) {
			line("XML repair", changeText(&d))
		}
		fmt.Fprintln(t.stdout)
	})
}

// changeText describes a change that a repair makes in the XML document.
func changeText(d *windows.Change) string {
	text := fmt.Sprintf("%s to \"%s\"", d.Path, strings.Join(d.Values, ", "))
	if len(d.Old) > 0 {
		text += fmt.Sprintf(" (currently \"%s\")", strings.Join(d.Old, ", "))
	}
	return text
}

// repairWindows implements `info --repair-windows`: it completes and corrects the information about Windows in the XML
// document for the chosen images. Information from damaged files is left unchanged, and the damage is returned as an error
// after the rest was written.
func (t *tool) repairWindows(a *opened, e *write.Builder, choice int) (changed bool, damage error) {
	found := false
	damage = t.eachWindows(a, choice, "; this part of the XML document was not changed", func(index int, w *windows.Info) {
		found = true
		list := w.Repair(e.ImageElement(index))
		for i := range list {
			changed = true
			t.say("Image %d: setting %s.\n", index, changeText(&list[i]))
		}
		if len(list) == 0 {
			t.say("Image %d: the XML document matches the Windows in the image.\n", index)
		}
	})
	if !found && damage == nil {
		t.say("No Windows found in these images.\n")
	}
	return changed, damage
}

// infoWindows is the information of `info --json --windows` about one image.
type infoWindows struct {
	Root        string           `json:"root"`
	Build       string           `json:"build,omitempty"` // from the SOFTWARE hive
	UBR         string           `json:"ubr,omitempty"`
	Branch      string           `json:"branch,omitempty"`
	Lab         string           `json:"lab,omitempty"`
	Differences []infoDifference `json:"differences"` // what --repair-windows would write
	Problems    []string         `json:"problems,omitempty"`
}

// infoDifference is a property that is missing or wrong in the XML document. Several values stand for several elements.
type infoDifference struct {
	Property string   `json:"property"`
	XML      []string `json:"xml"`
	Image    []string `json:"image"`
}

// windowsJSON adds the information from the images' own files.
func (t *tool) windowsJSON(a *opened, images []infoImage) error {
	var damage error
	for i := range images {
		im := &images[i]
		err := t.eachWindows(a, im.Index, "", func(index int, w *windows.Info) {
			im.Windows = &infoWindows{Root: w.Root, Build: w.Build, UBR: w.UBR, Branch: w.Branch, Lab: w.Lab, Differences: []infoDifference{}}
			for _, d := range w.Differences(a.ImageElement(index)) {
				im.Windows.Differences = append(im.Windows.Differences, infoDifference{d.Path, append([]string{}, d.Old...), d.Values})
			}
			for _, p := range w.Problems {
				im.Windows.Problems = append(im.Windows.Problems, p.Error())
			}
		})
		if damage == nil {
			damage = err
		}
	}
	return damage
}
