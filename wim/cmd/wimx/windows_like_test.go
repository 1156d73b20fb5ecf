//go:build !js

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"wimscope/wim/wimtest"
)

// windowsCase is a tree that may contain Windows.
type windowsCase struct {
	name   string
	w      *wimtest.Windows
	change func(files map[string][]byte) // nil: none
	warn   string                        // text of a warning of wimx; "" for none
}

const (
	kernel32 = "Windows/System32/kernel32.dll"
	software = "Windows/System32/config/SOFTWARE"
	system   = "Windows/System32/config/SYSTEM"
)

func windowsCases() []windowsCase {
	text, number := wimtest.HiveText, wimtest.HiveNumber
	options := []wimtest.HiveValue{text("ProductType", "WinNT"), wimtest.HiveTexts("ProductSuite", "Terminal Server")}
	release := func(machine uint16, root string, set int, language string, languages []string, options []wimtest.HiveValue, values ...wimtest.HiveValue) *wimtest.Windows {
		return &wimtest.Windows{Root: root, Machine: machine, Software: wimtest.WindowsSoftware(values...), System: wimtest.WindowsSystem(set, language, languages, options...)}
	}
	old := func(version, build, product, edition string) []wimtest.HiveValue {
		return []wimtest.HiveValue{text("CurrentVersion", version), text("CurrentBuild", build), text("ProductName", product), text("EditionID", edition), text("InstallationType", "Client")}
	}
	install := func(language string, languages ...string) *wimtest.Windows {
		return &wimtest.Windows{System: wimtest.WindowsSystem(1, language, languages, options...)}
	}
	values := func(list ...wimtest.HiveValue) *wimtest.Windows {
		return &wimtest.Windows{Software: wimtest.WindowsSoftware(list...)}
	}
	control := func(list ...*wimtest.HiveKey) *wimtest.Windows {
		return &wimtest.Windows{System: wimtest.HivePath(`ROOT\ControlSet001\Control`, list)}
	}
	ten := wimtest.Windows10
	list := []windowsCase{
		{name: "10", w: ten()},
		{name: "11 for ARM64", w: release(0xaa64, "", 1, "0407", []string{"de-DE", "en-US", "fr-FR"}, options,
			text("CurrentVersion", "6.3"), number("CurrentMajorVersionNumber", 10), number("CurrentMinorVersionNumber", 0), text("CurrentBuild", "22631"),
			text("CurrentBuildNumber", "22631"), text("EditionID", "Core"), text("ProductName", "Windows 10 Home"), text("InstallationType", "Client"), number("UBR", 2861))},
		{name: "8.1", w: release(0x14c, "WINDOWS", 1, "0411", []string{"ja-JP"}, options, old("6.3", "9600", "Windows 8.1", "Core")...)},
		{name: "7", w: release(0x8664, "windows", 1, "0c0a", []string{"es-ES"}, options, old("6.1", "7601", "Windows 7 Ultimate", "Ultimate")...)},
		{name: "Vista", w: release(0x14c, "", 1, "0804", nil, options, old("6.0", "6002", "Windows Vista (TM) Business", "Business")...)},
		{name: "XP", w: release(0x14c, "WINDOWS", 1, "0419", nil, options, text("CurrentVersion", "5.1"), text("ProductName", "Microsoft Windows XP"),
			text("CurrentBuild", "1.511.1 () (Obsolete data - do not use)"), text("CurrentBuildNumber", "2600"))},
		{name: "server", w: release(0x8664, "", 1, "0409", []string{"en-US"},
			[]wimtest.HiveValue{text("ProductType", "ServerNT"), wimtest.HiveTexts("ProductSuite", "Blade", "Terminal Server")},
			text("CurrentVersion", "6.3"), number("CurrentMajorVersionNumber", 10), number("CurrentMinorVersionNumber", 0), text("CurrentBuild", "20348"),
			text("EditionID", "ServerDatacenter"), text("ProductName", "Windows Server 2022 Datacenter"), text("InstallationType", "Server Core"))},
		{name: "Itanium", w: &wimtest.Windows{Machine: 0x200}},
		{name: "ARM", w: &wimtest.Windows{Machine: 0x1c4}},
		{name: "Thumb", w: &wimtest.Windows{Machine: 0x1c2}},
		{name: "unknown processor", w: &wimtest.Windows{Machine: 0x184, Software: ten().Software}, warn: "unknown machine type"},
		{name: "no kernel32.dll", w: &wimtest.Windows{Software: ten().Software, System: ten().System}},
		{name: "no SOFTWARE", w: &wimtest.Windows{Machine: 0x8664, System: ten().System}},
		{name: "no SYSTEM", w: &wimtest.Windows{Machine: 0x8664, Software: ten().Software}},
		{name: "SOFTWARE alone", w: &wimtest.Windows{Software: ten().Software}},
		{name: "none", w: &wimtest.Windows{}, change: func(f map[string][]byte) { f["Windows/System32/config/SAM"] = []byte("x") }},
		{name: "another root", w: &wimtest.Windows{Root: "Wïnnt", Machine: 0x8664, System: ten().System}},
		{name: "two roots", w: ten(), change: func(f map[string][]byte) { maps.Copy(f, (&wimtest.Windows{Root: "WINNT", Machine: 0x14c}).Files()) }},
		{name: "two equal roots", w: ten(), change: func(f map[string][]byte) {
			for _, root := range []string{"Aaa", "Zzz"} {
				w := ten()
				w.Root = root
				maps.Copy(f, w.Files())
			}
		}},
		{name: "two equal roots of other names", w: &wimtest.Windows{Root: "bbb", Machine: 0x14c}, change: func(f map[string][]byte) {
			maps.Copy(f, (&wimtest.Windows{Root: "Aaa", Machine: 0x8664}).Files())
			maps.Copy(f, (&wimtest.Windows{Root: "CCC", Machine: 0xaa64}).Files())
		}},
		{name: "the other root has more", w: &wimtest.Windows{Machine: 0x14c}, change: func(f map[string][]byte) {
			w := ten()
			w.Root = "win"
			maps.Copy(f, w.Files())
		}},
		{name: "names in other cases", w: ten(), change: func(f map[string][]byte) {
			for name, b := range maps.Clone(f) {
				delete(f, name)
				f[strings.Replace(strings.ToLower(name), "system32", "SYSTEM32", 1)] = b
			}
		}},
		{name: "files in place of hives", w: ten(), change: func(f map[string][]byte) {
			f[kernel32], f[software], f[system] = []byte("MZ"), bytes.Repeat([]byte("text"), 2000), nil
		}, warn: "kernel32.dll"},
		{name: "empty files", w: ten(), change: func(f map[string][]byte) { f[kernel32], f[software], f[system] = nil, nil, nil }},
		{name: "kernel32.dll without MZ", w: ten(), change: func(f map[string][]byte) { f[kernel32][0] = 'x' }},
		{name: "kernel32.dll cut", w: ten(), change: func(f map[string][]byte) { f[kernel32] = f[kernel32][:0x46] }},
		{name: "kernel32.dll cut more", w: ten(), change: func(f map[string][]byte) { f[kernel32] = f[kernel32][:0x45] }, warn: "kernel32.dll"},
		{name: "kernel32.dll askew", w: ten(), change: func(f map[string][]byte) {
			f[kernel32] = append(f[kernel32][:0x40:0x40], append([]byte{0}, f[kernel32][0x40:]...)...)
			f[kernel32][0x3c] = 0x41
		}, warn: "kernel32.dll"},

		{name: "version from one number", w: values(number("CurrentMajorVersionNumber", 10), text("CurrentVersion", "6.3"))},
		{name: "version, major alone", w: values(text("CurrentVersion", "7"))},
		{name: "version, numbers of the wrong type", w: values(text("CurrentMajorVersionNumber", "10"), number("CurrentMinorVersionNumber", 4), text("CurrentVersion", "6.2 (beta)")), warn: "not a number"},
		{name: "version of no kind", w: values(text("CurrentVersion", "ten"), number("CurrentBuild", 7), text("EditionID", "")), warn: "not a string"},
		{name: "version, large numbers", w: values(number("CurrentMajorVersionNumber", 1<<32-1), wimtest.HiveValue{Name: "CurrentMinorVersionNumber", Type: 11, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8}},
			text("CurrentBuild", "19.0"), text("CurrentBuildNumber", "20"))},
		{name: "numbers in other byte order", w: values(wimtest.HiveValue{Name: "CurrentMajorVersionNumber", Type: 5, Data: []byte{0, 0, 0, 10}}, wimtest.HiveValue{Name: "CurrentMinorVersionNumber", Type: 5, Data: []byte{0, 0, 0, 1}})},
		{name: "texts to be escaped", w: values(text("ProductName", `Größe & <日本> "𝒳"`), text("EditionID", "it's"), wimtest.HiveTexts("InstallationType", "one", "two"))},
		{name: "texts without an end", w: values(wimtest.HiveValue{Name: "ProductName", Type: 1, Data: []byte("W\x00i\x00n\x00d\x00o\x00")}, wimtest.HiveValue{Name: "EditionID", Type: 1, Data: []byte("C\x00\x00")}), warn: "3 bytes"},
		{name: "texts to be expanded", w: values(wimtest.HiveValue{Name: "ProductName", Type: 2, Data: text("", "%x%").Data}), warn: "not a string"},
		{name: "wide names", w: values(wimtest.HiveValue{Name: "ProductName", Wide: true, Type: 1, Data: text("", "wide").Data})},

		{name: "no languages", w: control(&wimtest.HiveKey{Name: "MUI"}, wimtest.HivePath(`MUI2\UILanguages`, nil))},
		{name: "no service pack", w: control(wimtest.HivePath("Windows", nil, number("CSDVersion", 0)))},
		{name: "service pack 3", w: control(wimtest.HivePath("Windows", nil, number("CSDVersion", 0x300), wimtest.HiveValue{Name: "CSDBuildNumber", Type: 11, Data: []byte{1, 0, 0, 0, 0, 0, 0, 0}}))},
		{name: "many languages", w: install("0409", strings.Fields("ar-SA bg-BG cs-CZ da-DK de-DE el-GR en-GB en-US es-ES et-EE fi-FI fr-FR")...)},
		{name: "language, hexadecimal", w: install("0x0C07", "de-AT")},
		{name: "language with spaces", w: install("  407 x")},
		{name: "language of many digits", w: install("00010409")},
		{name: "language unknown", w: install("4ff"), warn: "unknown language"},
		{name: "language without a name", w: install("7f"), warn: "unknown language"},
		{name: "language of no kind", w: install("de-DE"), warn: "unknown language"},
		{name: "language empty", w: install("")},
		{name: "Select is not asked", w: &wimtest.Windows{System: wimtest.WindowsSystem(1, "0409", nil)}, change: func(f map[string][]byte) {
			root := wimtest.WindowsSystem(1, "0409", []string{"en-US"})
			root.Keys = append(root.Keys[:1], wimtest.WindowsSystem(2, "0407", []string{"de-DE"}).Keys...)
			f[system] = wimtest.Hive(root)
		}},
	}
	for _, kind := range []string{"lf", "lh", "li", "ri"} {
		w := ten()
		for _, k := range []*wimtest.HiveKey{w.Software, w.Software.Keys[1], w.System, w.System.Keys[0].Keys[0]} {
			k.List = kind
		}
		list = append(list, windowsCase{name: "lists of kind " + kind, w: w})
	}
	le := binary.LittleEndian
	spoil := func(name, warn string, change func(b []byte) []byte) {
		list = append(list, windowsCase{name: "broken: " + name, w: ten(), change: func(f map[string][]byte) { f[software] = change(f[software]) }, warn: warn})
	}
	root := func(b []byte) []byte { return b[4096+le.Uint32(b[36:])+4:] }
	spoil("dirty", "", func(b []byte) []byte { b[4]++; return b })
	spoil("checksum", "", func(b []byte) []byte { b[508]++; return b })
	spoil("version 1.3", "", func(b []byte) []byte { b[24] = 3; wimtest.SealHive(b); return b })
	spoil("version 2.5", "version 2.5", func(b []byte) []byte { b[20] = 2; return b })
	spoil("cut", "bins of", func(b []byte) []byte { return b[:len(b)-8] })
	spoil("base block alone", "corrupt", func(b []byte) []byte { le.PutUint32(b[40:], 0); return b[:4096] })
	spoil("short", "not a registry hive", func(b []byte) []byte { return b[:1000] })
	spoil("root elsewhere", "corrupt", func(b []byte) []byte { b[36] ^= 1; return b })
	spoil("list of the root's keys", "corrupt", func(b []byte) []byte { le.PutUint32(root(b)[0x1c:], 32); return b })
	spoil("name of the root", "", func(b []byte) []byte { root(b)[0x4c] = 0xff; return b })
	spoil("values", "corrupt", func(b []byte) []byte {
		at := bytes.LastIndex(b, []byte("CurrentVersion")) - 0x4c // the key: its values precede it
		le.PutUint32(b[at+0x28:], 0xffffffff)
		return b
	})
	spoil("data of a value", "corrupt", func(b []byte) []byte {
		at := bytes.Index(b, []byte("EditionID")) - 0x14
		le.PutUint32(b[at+8:], 0x7ffffff8)
		return b
	})
	return list
}

// write creates the tree of the case.
func (c *windowsCase) write(t *testing.T, dir string) {
	t.Helper()
	files := c.w.Files()
	if c.change != nil {
		c.change(files)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var windowsElement = regexp.MustCompile(`<(WINDOWS|FLAGS|DISPLAYNAME|DISPLAYDESCRIPTION)>.*?</(WINDOWS|FLAGS|DISPLAYNAME|DISPLAYDESCRIPTION)>`)

// languages may differ after an update: wimlib-imagex keeps those of the old ones that no new one replaces.
var languages = regexp.MustCompile(`<LANGUAGE>.*?</LANGUAGE>`)

// windowsXML returns the information about Windows in an archive's XML document.
func windowsXML(t *testing.T, name string) string {
	t.Helper()
	raw := []byte(mustWimx(t, "info", name, "--xml"))
	var units []uint16
	for ; len(raw) > 1; raw = raw[2:] {
		units = append(units, binary.LittleEndian.Uint16(raw))
	}
	return strings.Join(windowsElement.FindAllString(string(utf16.Decode(units)), -1), "\n")
}

// The information about Windows from capture, append and update equals wimlib-imagex's, byte for byte.
func TestWindowsLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := memoryDir(t)
	for i, c := range windowsCases() {
		tree := filepath.Join(dir, "tree", fmt.Sprint(i))
		c.write(t, tree)
		ours, theirs := filepath.Join(dir, "ours.wim"), filepath.Join(dir, "theirs.wim")
		out, errs, code := wimx(dir, "capture", tree, ours, "one", "--compress=none")
		if code != 0 {
			t.Errorf("%s: status %d\n%s%s", c.name, code, out, errs)
			continue
		}
		if warned := strings.Contains(errs, "[WARNING]"); warned != (c.warn != "") || !strings.Contains(errs, c.warn) {
			t.Errorf("%s: said %q", c.name, errs)
		}
		wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", tree, theirs, "one", "--compress=none")
		if got, want := windowsXML(t, ours), windowsXML(t, theirs); got != want {
			t.Errorf("%s: XML: got\n%s\nwant\n%s", c.name, got, want)
		}
		got, want := mustWimx(t, "info", ours, "1"), string(wimtest.MustRun(t, dir, wimtest.Wimlib, "info", theirs, "1"))
		if got, want := lastingInfo(got, true), lastingInfo(want, true); got != want {
			t.Errorf("%s: info: got\n%s\nwant\n%s", c.name, got, want)
		}
	}
	first := filepath.Join(dir, "tree", "0")
	second := filepath.Join(dir, "second")
	(&windowsCase{w: &wimtest.Windows{System: wimtest.WindowsSystem(1, "0407", []string{"de-DE", "fr-FR"})}}).write(t, second)
	for _, lines := range [][]string{
		{"capture # @ one --compress=none --flags=Mine --image-property DISPLAYNAME=Named --image-property WINDOWS/ARCH=5"},
		{"capture # @ one --compress=none", "append ## @ two"},
		{"capture ## @ one --compress=none", "update @ 1 < add # /"},
		{"capture # @ one --compress=none", "update @ 1 < add ## /"},
		{"capture # @ one --compress=none --image-property DISPLAYNAME=Named", "update @ 1 < add ##/Windows/System32/config/SYSTEM /Windows/System32/config/SYSTEM", "update @ 1 < delete /Windows/System32/kernel32.dll"},
		{"capture ## @ one --compress=LZX", "update @ 1 < add ##/Windows/System32/config/SYSTEM /s\nadd # /"},
	} {
		var got [2]string
		for side, name := range []string{filepath.Join(dir, "ours.wim"), filepath.Join(dir, "theirs.wim")} {
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
			for _, line := range lines {
				command, input, _ := strings.Cut(strings.NewReplacer("##", second, "#", first, "@", name).Replace(line), " < ")
				if side == 0 {
					if out, errs, code := wimxInput(input, strings.Fields(command)...); code != 0 {
						t.Fatalf("%s: status %d\n%s%s", line, code, out, errs)
					}
				} else {
					cmd := exec.Command(wimtest.Wimlib, strings.Fields(command)...)
					cmd.Stdin = strings.NewReader(input + "\n")
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Fatalf("%s: %v\n%s", line, err, out)
					}
				}
			}
			got[side] = windowsXML(t, name)
		}
		if languages.ReplaceAllString(got[0], "") != languages.ReplaceAllString(got[1], "") {
			t.Errorf("%q: got\n%s\nwant\n%s", lines, got[0], got[1])
		}
	}
}
