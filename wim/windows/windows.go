package windows

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"wimscope/wim"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/pe"
	"wimscope/wim/regf"
	"wimscope/wim/xmldoc"
)

// Info holds the facts about a Windows from its files: kernel32.dll and the registry hives SOFTWARE and SYSTEM.
type Info struct {
	Root     string  // path of the system root: "/Windows"
	Fields   []Field // for the XML document, in its order
	Build    string  // from the SOFTWARE hive, with UBR: "10.0.22621.2428"
	UBR      string  // update build revision, "" if there is none: "2428"
	Branch   string  // source branch of the build: "ni_release"
	Lab      string  // lab and date of the build: "22621.1.amd64fre.ni_release.220506-1250"
	Kernel   string  // version of ntoskrnl.exe, if asked for: "10.0.22621.2428"
	Problems []error // errors of reading; a missing file or value is none
}

// Field is an element of the XML document.
type Field struct {
	Path   string   // below IMAGE, steps separated by slashes: "WINDOWS/VERSION/BUILD"
	Values []string // one; for WINDOWS/LANGUAGES/LANGUAGE one for each element

	also []string // equally valid values that programs write from other sources
	free bool     // chosen by people: every text is valid
}

// hiveLimit limits the work for a hostile hive in each call, see regf.Hive.Limit. Reading stops at the first call that exceeds it.
// Reading a thousand keys in as many pages takes a sixth of it.
const hiveLimit = 4 << 20

// readWindows finds Windows in a tree and reads the facts about it, nil if there is none. The system root is the folder in the root of
// the tree with most of the files that are read; among equals, the one named Windows.
func readWindows(t windowsFolder) *Info {
	best, root := 0, ""
	for _, name := range t.folders() {
		score := 0
		for _, file := range [...]string{kernel32, softwareHive, systemHive} {
			if t.has(name + file) {
				score++
			}
		}
		if score > best || score == best && score > 0 && ntname.EqualFold(ntname.Bytes(utf16.Encode([]rune(name))), ntname.Bytes(utf16.Encode([]rune("Windows")))) {
			best, root = score, name
		}
	}
	if best == 0 {
		return nil
	}
	r := windowsReader{t: t, root: root, Info: &Info{Root: "/" + root}}
	units, _ := ntname.Unescape(root)
	for i, u := range units {
		units[i] = ntname.Upper(u)
	}
	r.set("WINDOWS/SYSTEMROOT", string(utf16.Decode(units)))
	r.read(kernel32, r.arch)
	r.read(softwareHive, r.hive(r.software))
	r.read(systemHive, r.hive(r.system))
	return r.Info
}

const (
	kernel32     = "/System32/kernel32.dll"
	softwareHive = "/System32/config/SOFTWARE"
	systemHive   = "/System32/config/SYSTEM"
)

// OfDraft reads the facts about the Windows in a draft whose contents are in file systems (see draft.Content.Source) and archives. It
// does not read files in solid resources. It returns nil if there is no Windows. Unreadable files are in Info.Problems.
func OfDraft(d *draft.Draft, sources []fs.FS, archives []*wim.Archive) *Info {
	return readWindows(draftWindows{d, sources, archives})
}

// windowsReader fills an Info.
type windowsReader struct {
	*Info
	t    windowsFolder
	root string // name of the system root
	name string // of the current file, for problems
}

func (r *windowsReader) problem(err error) {
	if err != nil && !errors.Is(err, format.ErrNotFound) && !errors.Is(err, regf.ErrNotFound) {
		r.Problems = append(r.Problems, fmt.Errorf("%s%s: %w", r.Root, r.name, err))
	}
}

// read opens a file of the system root and calls use with it.
func (r *windowsReader) read(name string, use func(*windowsFile) error) {
	r.name = name
	f, err := r.t.open(r.root + name)
	if err == nil {
		err = use(f)
		if f.close != nil {
			f.close()
		}
	}
	r.problem(err)
}

// set adds a field. Values that XML cannot hold are left out and reported as a problem.
func (r *windowsReader) set(path string, values ...string) *Field {
	for _, v := range values {
		if !xmlCanHold(v) {
			r.problem(fmt.Errorf("an XML document cannot hold %q as %s", v, path))
			return &Field{}
		}
	}
	if len(values) > 0 && values[0] != "" {
		r.Fields = append(r.Fields, Field{Path: path, Values: values})
		return &r.Fields[len(r.Fields)-1]
	}
	return &Field{}
}

// xmlCanHold reports whether XML can hold a text. It also rejects U+FFFD, the replacement of an unpaired surrogate.
func xmlCanHold(s string) bool {
	return xmldoc.NotXML(s) == "" && !strings.ContainsRune(s, utf8.RuneError)
}

// arch reads the machine type of kernel32.dll. [PE Format] "Machine Types"; the numbers set are those of PROCESSOR_ARCHITECTURE.
func (r *windowsReader) arch(f *windowsFile) error {
	m, err := pe.ReadMachine(f, f.size)
	if err != nil {
		return err
	}
	switch m {
	case 0x014c:
		r.set("WINDOWS/ARCH", "0")
	case 0x01c0, 0x01c2, 0x01c4:
		r.set("WINDOWS/ARCH", "5")
	case 0x0200:
		r.set("WINDOWS/ARCH", "6")
	case 0x8664:
		r.set("WINDOWS/ARCH", "9")
	case 0xaa64:
		r.set("WINDOWS/ARCH", "12")
	default:
		return fmt.Errorf("unknown machine type %s", pe.MachineName(m))
	}
	return nil
}

// hive returns a function that opens a hive and calls use with it.
func (r *windowsReader) hive(use func(*regf.Hive) error) func(*windowsFile) error {
	return func(f *windowsFile) error {
		h, err := regf.Open(f, f.size)
		if err != nil {
			return err
		}
		h.Limit = hiveLimit
		return use(h)
	}
}

// text returns a string value of a key, "" if there is none. It returns ErrLimit only, which ends reading the hive; other errors are
// problems.
func (r *windowsReader) text(k *regf.Key, name string) (string, error) {
	v, err := k.Value(name)
	s := ""
	if err == nil {
		s, err = v.Text()
	}
	return s, r.only(regf.ErrLimit, err)
}

// number returns a number value of a key, -1 if there is none. The errors are those of text.
func (r *windowsReader) number(k *regf.Key, name string) (int64, error) {
	v, err := k.Value(name)
	n := int64(-1)
	if err == nil {
		if n, err = v.Number(); err != nil {
			n = -1
		}
	}
	return n, r.only(regf.ErrLimit, err)
}

// only returns an error of a kind; any other becomes a problem.
func (r *windowsReader) only(kind, err error) error {
	if errors.Is(err, kind) {
		return err
	}
	r.problem(err)
	return nil
}

// software reads the SOFTWARE hive.
func (r *windowsReader) software(h *regf.Hive) error {
	k, err := h.Key(`Microsoft\Windows NT\CurrentVersion`)
	if err != nil {
		return err
	}
	texts := map[string]string{}
	for _, name := range [...]string{
		"EditionID", "ProductName", "InstallationType", "CurrentVersion", "CurrentBuild", "CurrentBuildNumber", "BuildBranch", "BuildLab", "BuildLabEx",
	} {
		if texts[name], err = r.text(k, name); err != nil {
			return err
		}
	}
	r.set("FLAGS", texts["EditionID"]).free = true
	r.set("DISPLAYNAME", texts["ProductName"]).free = true
	r.set("DISPLAYDESCRIPTION", texts["ProductName"]).free = true
	r.set("WINDOWS/EDITIONID", texts["EditionID"])
	r.set("WINDOWS/INSTALLATIONTYPE", texts["InstallationType"])
	r.set("WINDOWS/PRODUCTNAME", texts["ProductName"])

	// Windows 10 and later have 6.3 in CurrentVersion, and their version in two other values.
	major, err := r.number(k, "CurrentMajorVersionNumber")
	if err != nil {
		return err
	}
	minor, err := r.number(k, "CurrentMinorVersionNumber")
	if err != nil {
		return err
	}
	if major < 0 || minor < 0 {
		one, two, _ := strings.Cut(texts["CurrentVersion"], ".")
		if n, err := strconv.ParseInt(one, 10, 64); err == nil {
			major = n
			if n, err := strconv.ParseInt(leadingDigits(two), 10, 64); err == nil {
				minor = n
			}
		}
	}
	if major >= 0 {
		r.set("WINDOWS/VERSION/MAJOR", strconv.FormatInt(major, 10))
		r.Build = strconv.FormatInt(major, 10)
		if minor >= 0 {
			r.set("WINDOWS/VERSION/MINOR", strconv.FormatInt(minor, 10))
			r.Build += "." + strconv.FormatInt(minor, 10)
		}
	}
	// In Windows XP, CurrentBuild is "1.511.1 () (Obsolete data - do not use)".
	build := texts["CurrentBuild"]
	if strings.Contains(build, ".") {
		build = texts["CurrentBuildNumber"]
	}
	if r.set("WINDOWS/VERSION/BUILD", build); build != "" {
		r.Build += "." + build
	}
	ubr, err := r.number(k, "UBR")
	if ubr >= 0 && build != "" {
		r.UBR = strconv.FormatInt(ubr, 10)
		r.Build += "." + r.UBR
	}
	r.Build = strings.TrimPrefix(r.Build, ".")
	if r.Lab = texts["BuildLabEx"]; r.Lab == "" {
		r.Lab = texts["BuildLab"]
	}
	if r.Branch = texts["BuildBranch"]; r.Branch == "" { // before Windows 10: 7601.win7sp1_rtm.101119-1850
		if parts := strings.Split(texts["BuildLab"], "."); len(parts) > 2 {
			r.Branch = parts[1]
		}
	}
	return err
}

func leadingDigits(s string) string {
	for i, c := range s {
		if c < '0' || c > '9' {
			return s[:i]
		}
	}
	return s
}

// system reads the SYSTEM hive.
func (r *windowsReader) system(h *regf.Hive) error {
	control, err := h.Key(`ControlSet001\Control`)
	if errors.Is(err, regf.ErrNotFound) {
		var set *regf.Key
		if set, err = h.Key("Select"); err != nil {
			return err
		}
		n, err := r.number(set, "Current")
		if n < 0 || err != nil {
			return err
		}
		if control, err = h.Key(fmt.Sprintf(`ControlSet%03d\Control`, n)); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	key := func(path string) (*regf.Key, error) {
		k, err := control.Key(path)
		return k, r.only(regf.ErrLimit, err)
	}
	text := func(field, path, name string) error {
		k, err := key(path)
		if k == nil || err != nil {
			return err
		}
		s, err := r.text(k, name)
		r.set(field, s)
		return err
	}
	k, err := key("Windows")
	if err != nil {
		return err
	}
	if k != nil {
		n, err := r.number(k, "CSDBuildNumber")
		if err != nil {
			return err
		}
		if n >= 0 {
			r.set("WINDOWS/VERSION/SPBUILD", strconv.FormatInt(n, 10))
		}
		if n, err = r.number(k, "CSDVersion"); err != nil {
			return err
		}
		if n >= 0 { // the service pack is in the upper byte
			r.set("WINDOWS/VERSION/SPLEVEL", strconv.FormatInt(n>>8, 10))
		}
	}
	if err := text("WINDOWS/PRODUCTTYPE", "ProductOptions", "ProductType"); err != nil {
		return err
	}
	if err := text("WINDOWS/PRODUCTSUITE", "ProductOptions", "ProductSuite"); err != nil {
		return err
	}
	// The device class "Computer"; its first device is the machine that Windows was set up on.
	if err := text("WINDOWS/HAL", `Class\{4D36E966-E325-11CE-BFC1-08002BE10318}\0000`, "MatchingDeviceId"); err != nil {
		return err
	}
	if k, err = key(`MUI\UILanguages`); err != nil {
		return err
	}
	if k != nil {
		keys, err := k.Subkeys()
		if err != nil {
			return err
		}
		names := make([]string, len(keys))
		for i := range keys {
			names[i] = keys[i].Name
		}
		r.set("WINDOWS/LANGUAGES/LANGUAGE", names...)
	}
	if k, err = key(`Nls\Language`); k == nil || err != nil {
		return err
	}
	id, err := r.text(k, "InstallLanguage")
	if id != "" {
		name := languageName(id)
		if r.set("WINDOWS/LANGUAGES/DEFAULT", name); name == "" {
			r.problem(fmt.Errorf("unknown language %q", id))
		}
	}
	return err
}

// Of reads the facts about the Windows in an image, index from 1. It reads a few chunks of the files; if checked is set, it first
// compares each whole file with its hash. In a solid archive both may take a while. It returns format.ErrNotFound if the image has no
// Windows.
func Of(a *wim.Archive, index int, checked bool) (*Info, error) {
	im, err := a.Image(index)
	if err != nil {
		return nil, err
	}
	w := readWindows(imageWindows{im, checked})
	if w == nil {
		return nil, fmt.Errorf("wim: image %d: Windows: %w", index, format.ErrNotFound)
	}
	kernel, _, err := imageKernel(a, im, checked, w.Root)
	if err != nil {
		kernel = &pe.Version{}
		if !errors.Is(err, format.ErrNotFound) {
			w.Problems = append(w.Problems, err)
		}
	}
	w.addKernel(kernel)
	return w, nil
}

// addKernel adds the kernel's version and the values that Microsoft's programs take from its version resource instead of the registry.
func (w *Info) addKernel(v *pe.Version) {
	w.Kernel = v.FileVersion
	parts := append(strings.Split(v.FileVersion, "."), "", "", "", "")
	product := ""
	for _, s := range v.Strings {
		if s.Name == "ProductName" {
			product = s.Value
		}
	}
	for i := range w.Fields {
		f := &w.Fields[i]
		switch f.Path {
		case "WINDOWS/PRODUCTNAME":
			f.also = []string{product}
		case "WINDOWS/VERSION/MAJOR":
			f.also = []string{parts[0]}
		case "WINDOWS/VERSION/MINOR":
			f.also = []string{parts[1]}
		case "WINDOWS/VERSION/BUILD":
			f.also = []string{parts[2]}
		case "WINDOWS/VERSION/SPBUILD":
			f.also = []string{parts[3], w.UBR}
		}
	}
}
