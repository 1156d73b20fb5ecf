package ntname

import (
	"strings"
	"unicode/utf16"
)

// ValidUnitOnWindows says whether a UTF-16 unit may be in a name on Windows.
func ValidUnitOnWindows(u uint16) bool {
	return u >= ' ' && (u >= 0x80 || strings.IndexByte(`"*/:<>?\|`, byte(u)) < 0)
}

// ValidOnWindows says whether Windows can have a file or folder of this name, as UTF-16 units: it may not be empty, hold what
// separates names or stands for others, end in a space or dot, or mean a device. By Microsoft's "Naming Files, Paths, and
// Namespaces".
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
