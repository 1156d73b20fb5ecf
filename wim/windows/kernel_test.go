package windows_test

import (
	"errors"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/windows"
)

func TestImageVersion(t *testing.T) {
	kernel := &wimtest.HandEntry{Name: "NTOSKRNL.EXE", Data: wimtest.VersionedPE([4]uint16{10, 0, 22621, 2428}, nil, 0)}
	root := wimtest.Folder("", wimtest.Folder("WINDOWS", wimtest.Folder("system32", kernel)))
	im := archivetest.OpenHand(t, root)
	if v, path, err := windows.KernelVersion(im.Archive(), 1); err != nil || v != "10.0.22621.2428" || path != "/WINDOWS/system32/NTOSKRNL.EXE" {
		t.Errorf("%q at %q, %v", v, path, err)
	}
	for _, root := range []*wimtest.HandEntry{
		wimtest.Folder("", wimtest.TextFile("x", "x")),
		wimtest.Folder("", wimtest.Folder("Windows", wimtest.Folder("System32", wimtest.TextFile("ntoskrnl.exe", "no program")))),
		wimtest.Folder("", wimtest.Folder("Windows", wimtest.Folder("System32", wimtest.Folder("ntoskrnl.exe")))),
	} {
		if v, path, err := windows.KernelVersion(archivetest.OpenHand(t, root).Archive(), 1); !errors.Is(err, format.ErrNotFound) {
			t.Errorf("%q at %q, %v, want ErrNotFound", v, path, err)
		}
	}
	if _, _, err := windows.KernelVersion(im.Archive(), 2); err == nil {
		t.Error("image 2 has a version")
	}
}
