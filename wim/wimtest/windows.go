package wimtest

import (
	"encoding/binary"
	"fmt"
)

// Windows describes the files that identify the Windows in a tree. The zero value has none of them.
type Windows struct {
	Root             string    // name of the system root; "" is "Windows"
	Machine          uint16    // of kernel32.dll; 0 for no file
	Kernel           [4]uint16 // version of ntoskrnl.exe; zero for no file
	Software, System *HiveKey  // root keys of the hives; nil for no file
}

// Windows10 returns a Windows 10 of 2023: build 19045 by its registry and 19041 by its kernel, which older releases share.
func Windows10() *Windows {
	return &Windows{
		Machine: 0x8664, Kernel: [4]uint16{10, 0, 19041, 3803},
		Software: WindowsSoftware(
			HiveText("BuildBranch", "vb_release"), HiveText("BuildLab", "19041.vb_release.191206-1406"), HiveText("BuildLabEx", "19041.1.amd64fre.vb_release.191206-1406"),
			HiveText("CurrentBuild", "19045"), HiveText("CurrentBuildNumber", "19045"), HiveNumber("CurrentMajorVersionNumber", 10),
			HiveNumber("CurrentMinorVersionNumber", 0), HiveText("CurrentVersion", "6.3"), HiveText("EditionID", "Professional"),
			HiveText("InstallationType", "Client"), HiveText("ProductName", "Windows 10 Pro"), HiveNumber("UBR", 3803),
		),
		System: WindowsSystem(1, "0409", []string{"en-US"},
			HiveText("ProductType", "WinNT"), HiveTexts("ProductSuite", "Terminal Server")),
	}
}

// WindowsSoftware returns the root of a SOFTWARE hive with those values in Microsoft\Windows NT\CurrentVersion.
func WindowsSoftware(values ...HiveValue) *HiveKey {
	nt := HivePath(`Windows NT\CurrentVersion`, nil, values...)
	microsoft := &HiveKey{Name: "Microsoft", Keys: []*HiveKey{{Name: "Windows"}, nt, {Name: "Wisp"}}}
	return &HiveKey{Name: "ROOT", Keys: []*HiveKey{{Name: "Classes"}, microsoft, {Name: "Policies"}}}
}

// WindowsSystem returns the root of a SYSTEM hive with a control set of that number, the install language, the languages of the
// user interface and values of ProductOptions. It has service pack 1, build 1130.
func WindowsSystem(set int, install string, languages []string, options ...HiveValue) *HiveKey {
	var ui []*HiveKey
	for _, l := range languages {
		ui = append(ui, HivePath(l, nil, HiveNumber("LCID", 0x409), HiveNumber("Type", 0x91)))
	}
	control := &HiveKey{Name: "Control", Keys: []*HiveKey{
		HivePath(`Class\{4d36e966-e325-11ce-bfc1-08002be10318}\0000`, nil, HiveText("MatchingDeviceId", "acpiapic")),
		HivePath(`MUI\UILanguages`, ui),
		HivePath(`Nls\Language`, nil, HiveText("Default", install), HiveText("InstallLanguage", install)),
		HivePath("ProductOptions", nil, options...),
		HivePath("Windows", nil, HiveNumber("CSDBuildNumber", 1130), HiveNumber("CSDVersion", 0x100)),
	}}
	return &HiveKey{Name: "ROOT", Keys: []*HiveKey{
		{Name: fmt.Sprintf("ControlSet%03d", set), Keys: []*HiveKey{control}}, HivePath("Select", nil, HiveNumber("Current", uint32(set))),
	}}
}

// Files returns the tree's files by path.
func (w *Windows) Files() map[string][]byte {
	root := w.Root
	if root == "" {
		root = "Windows"
	}
	files := map[string][]byte{}
	if w.Machine != 0 {
		b := VersionedPE([4]uint16{10, 0, 0, 1}, nil, 0)
		binary.LittleEndian.PutUint16(b[0x44:], w.Machine)
		files[root+"/System32/kernel32.dll"] = b
	}
	if w.Kernel != [4]uint16{} {
		files[root+"/System32/ntoskrnl.exe"] = VersionedPE(w.Kernel, map[string]string{"ProductName": "Microsoft® Windows® Operating System"}, 0)
	}
	if w.Software != nil {
		files[root+"/System32/config/SOFTWARE"] = Hive(w.Software)
	}
	if w.System != nil {
		files[root+"/System32/config/SYSTEM"] = Hive(w.System)
	}
	return files
}
