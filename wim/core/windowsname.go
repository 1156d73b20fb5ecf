package core

import (
	"strings"
	"unicode/utf16"
)

// WindowsUnit says whether a UTF-16 unit may be in a name on Windows.
func WindowsUnit(u uint16) bool {
	return u >= ' ' && (u >= 0x80 || strings.IndexByte(`"*/:<>?\|`, byte(u)) < 0)
}

// WindowsName says whether Windows can have a file or folder of this name, as UTF-16 units: it may not be empty, hold what
// separates names or stands for others, end in a space or dot, or mean a device. By Microsoft's "Naming Files, Paths, and
// Namespaces".
func WindowsName(units []uint16) bool {
	for _, u := range units {
		if !WindowsUnit(u) {
			return false
		}
	}
	if len(units) == 0 {
		return false
	}
	last := units[len(units)-1]
	return last != ' ' && last != '.' && !windowsDevice(units)
}

// windowsDevice tells names that Windows takes for devices in any folder, whatever extension follows.
func windowsDevice(units []uint16) bool {
	if units[0] >= 0x80 || strings.IndexByte("CPANLcpanl", byte(units[0])) < 0 {
		return false // most names need no text
	}
	stem, _, _ := strings.Cut(strings.ToUpper(string(utf16.Decode(units))), ".")
	switch stem = strings.TrimRight(stem, " "); stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if !strings.HasPrefix(stem, "COM") && !strings.HasPrefix(stem, "LPT") {
		return false
	}
	switch stem[3:] {
	case "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return true
	}
	return false
}

// notOnWindows counts the names that Windows cannot have beside the others of their folder: impossible ones, and such as
// differ from another one by case alone. example is the path of one.
func (d *Draft) notOnWindows() (count int, example string) {
	for n := range d.nodes {
		if d.nodes[n].inode < 0 || d.nodes[n].dir < 0 {
			continue
		}
		twin := []byte(nil) // the one before: those that differ by case alone stand together
		for _, kid := range d.Children(DraftNode(n)) {
			name := rawBytes(d.nodes[kid].name)
			if !WindowsName(decodeUTF16(name)) || twin != nil && nameEqualFold(twin, name) {
				if count++; count == 1 {
					example = d.Path(kid)
				}
			}
			twin = name
		}
	}
	return count, example
}
