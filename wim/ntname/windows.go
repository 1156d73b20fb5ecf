package ntname

import (
	"strings"
	"unicode/utf16"
)

// ValidUnitOnWindows reports whether Windows allows a UTF-16 unit in names.
func ValidUnitOnWindows(u uint16) bool {
	return u >= ' ' && (u >= 0x80 || strings.IndexByte(`"*/:<>?\|`, byte(u)) < 0)
}

// ValidOnWindows reports whether Windows allows a file or folder with this name, given as UTF-16 units. A name must not be
// empty, contain separators or wildcards, end with a space or dot, or be that of a device. The rules are those of Microsoft's
// "Naming Files, Paths, and Namespaces".
func ValidOnWindows(units []uint16) bool {
	for _, u := range units {
		if !ValidUnitOnWindows(u) {
			return false
		}
	}
	if len(units) == 0 {
		return false
	}
	last := units[len(units)-1]
	return last != ' ' && last != '.' && !windowsDevice(units)
}

// windowsDevice reports whether Windows takes a name for a device, in any folder and with any extension.
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
