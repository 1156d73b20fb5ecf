package ntname

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The platforms that ValidInBrowser knows.
const (
	PlatformWindows = "windows"
	PlatformLinux   = "linux"
	PlatformMac     = "mac"
	PlatformOPFS    = "opfs" // the browser's private file system
)

// ValidInBrowser reports whether a browser on that platform is expected to let a page create a file or folder with this
// escaped name. If not, reason is a key: "name-empty", "name-dots", "name-char", "name-unicode" (a name that had to
// be escaped, so the file would have another name), "name-edge" (a space, dot or tilde at either end), "name-extension",
// "name-device", "name-long" or "name-special" (an 8.3 name).
//
// The rules are those that Chromium enforces (IsSafePathComponent in file_system_access_manager_impl.cc, with ICU's
// IsFilenameLegal, the reserved names of net/base/filename_util.cc, and Safe Browsing's list of dangerous types). That
// list is updated independently of the browser, so the write itself may still fail.
func ValidInBrowser(name, platform string) (ok bool, reason string) {
	switch {
	case name == "":
		return false, "name-empty"
	case name == "." || name == "..":
		return false, "name-dots"
	case strings.ContainsAny(name, "/\\"):
		return false, "name-char"
	case strings.ContainsRune(name, escapeRune) || !utf8.ValidString(name):
		return false, "name-unicode"
	case platform == PlatformOPFS:
		return true, ""
	}
	for _, r := range name {
		if illegalRune(r) {
			return false, "name-char"
		}
	}
	rest := []rune(strings.TrimPrefix(name, "."))
	if endRune(rest[0]) || endRune(rest[len(rest)-1]) {
		return false, "name-edge"
	}
	stem, ext := strings.ToLower(name), ""
	if i := strings.LastIndexByte(stem, '.'); i >= 0 {
		ext = stem[i+1:]
	}
	if i := strings.IndexByte(stem, '.'); i >= 0 {
		stem = stem[:i]
	}
	switch ext {
	case "lnk", "scf", "url":
		return false, "name-extension"
	case "swf", "spl", "class", "pyd", "ocx", "website", "cfg", "dll", "drv", "gadget", "grp", "hta", "ini", "manifest",
		"mof", "sys", "xbap":
		if platform == PlatformWindows && strings.ToLower(name) != "desktop.ini" {
			return false, "name-extension"
		}
	}
	if strings.HasPrefix(ext, "{") && strings.HasSuffix(ext, "}") {
		return false, "name-extension" // a class identifier turns a folder into a shell object
	}
	if isDeviceName(stem) || strings.EqualFold(name, "desktop.ini") || strings.EqualFold(name, "thumbs.db") {
		return false, "name-device"
	}
	if platform == PlatformWindows && isShortName(name) {
		return false, "name-special"
	}
	const most = 255
	if platform == PlatformLinux && len(name) > most || platform != PlatformLinux && len(utf16.Encode([]rune(name))) > most {
		return false, "name-long"
	}
	return true, ""
}

// illegalRune reports whether ICU forbids r in file names: separators, wildcards, control and format characters (such as
// direction marks), and noncharacters.
func illegalRune(r rune) bool {
	return strings.ContainsRune("\"*/:<>?\\|", r) || unicode.In(r, unicode.Cc, unicode.Cf) ||
		r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef
}

// endRune reports whether a name may neither begin nor end with r.
func endRune(r rune) bool { return r == '.' || r == '~' || unicode.Is(unicode.White_Space, r) }

// isDeviceName reports whether Windows takes a name with this stem for a device, whatever its extension.
func isDeviceName(stem string) bool {
	switch stem {
	case "con", "prn", "aux", "nul", "clock$":
		return true
	}
	return len(stem) == 4 && (stem[:3] == "com" || stem[:3] == "lpt") && stem[3] >= '1' && stem[3] <= '9'
}

// isShortName reports whether a name looks like an 8.3 name made by Windows: at most eight characters that end with a ~ and
// digits, and an extension of at most three.
func isShortName(name string) bool {
	stem, ext, _ := strings.Cut(name, ".")
	i := strings.LastIndexByte(stem, '~')
	if i < 1 || len(stem) > 8 || len(ext) > 3 || strings.Contains(ext, ".") || i == len(stem)-1 {
		return false
	}
	return strings.Trim(stem[i+1:], "0123456789") == ""
}
