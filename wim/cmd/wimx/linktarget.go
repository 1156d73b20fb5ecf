package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// linkTarget returns the target of a symbolic link or junction in the syntax of this system; ok is false for another kind
// of reparse point. With link fixing, an absolute target relative to the image leads to the same place below the target
// folder.
//
// Missing, damaged or malformed link data is an error: a link made from it would lead to the wrong place. With
// --recover-data, damaged data is used as far as it can be parsed.
func (w *folderTarget) linkTarget(n wim.Node) (target string, ok bool, err error) {
	tag := w.im.ReparseTag(n)
	switch tag {
	case format.TagSymlink, format.TagMountPoint, format.TagLxSymlink:
	default:
		return "", false, nil
	}
	path := nativePath(w.im, n)
	b, err := w.im.ReparseData(n)
	switch {
	case err == nil:
	case errors.Is(err, format.ErrChecksum) && w.o.recoverData:
		w.t.warn("Corruption in %q (%v)! Extracting anyway since data recovery mode is enabled.", path, strings.TrimPrefix(err.Error(), "wim: "))
	case errors.Is(err, blobs.ErrMissing):
		return "", false, unreadable(w.arc, w.im, n, err)
	case errors.Is(err, format.ErrTooLarge):
		return "", false, codef(exitReparseData, "%q: %w", path, err)
	case errors.Is(err, format.ErrChecksum), errors.Is(err, format.ErrFormat):
		return "", false, damageError(path, strings.TrimPrefix(err.Error(), "wim: "))
	default:
		return "", false, fmt.Errorf("%q: %w", path, err)
	}
	if tag == format.TagLxSymlink {
		if len(b) > 4 && !slices.Contains(b[4:], 0) {
			return string(b[4:]), true, nil
		}
	} else if relative, units, ok := substituteName(tag, b); ok {
		if onWindows {
			return nativeName(windowsTarget(units)), true, nil
		}
		target, rooted := unixTarget(units, relative)
		if rooted && w.o.fixLinks && w.im.Dentry(n).ReparseFixed() {
			target = strings.TrimSuffix(filepath.ToSlash(w.base), "/") + target
		}
		if target == "" {
			target = "/"
		}
		return target, true, nil
	}
	if w.o.recoverData {
		w.t.warn("%q: its reparse data is malformed", path)
		return "", false, nil
	}
	return "", false, malformedLink(path)
}

func malformedLink(path string) error {
	return codef(exitReparse, "%q: its reparse data is malformed (--recover-data extracts an empty file or folder instead)", path)
}

// substituteName returns the target in the data of a symbolic link or junction. Unlike package wim, which shows links as
// far as possible, it rejects targets with a NUL or an odd number of bytes.
func substituteName(tag uint32, b []byte) (relative bool, units []uint16, ok bool) {
	p, ok := format.ParseReparse(tag, b)
	if !ok || binary.LittleEndian.Uint16(b[2:])%2 != 0 || ntname.IndexNUL(p.Substitute) >= 0 {
		return false, nil, false
	}
	return p.Rel, ntname.Units(p.Substitute), true
}

// devicePrefixes are the prefixes of absolute targets. A device follows: a drive, "UNC", or a volume GUID.
var devicePrefixes = []string{`\??\`, `\\?\`, `\DosDevices\`, `\Device\`}

// device returns the number of units of an absolute target that name the device, including a prefix.
func device(units []uint16) int {
	for _, p := range devicePrefixes {
		if n := len(p); len(units) >= n && string(utf16.Decode(units[:n])) == p {
			if end := slices.Index(units[n:], '\\'); end >= 0 {
				return n + end
			}
			return len(units)
		}
	}
	if len(units) >= 2 && units[1] == ':' && (len(units) == 2 || units[2] == '\\') {
		return 2
	}
	return 0
}

// unixTarget converts a target to a Unix path: it drops the device and swaps slashes and backslashes, as capturing a link does.
// "" is the root of the device. rooted reports whether the path is absolute.
func unixTarget(units []uint16, relative bool) (target string, rooted bool) {
	n := 0
	if !relative {
		n = device(units)
	}
	rest := slices.Clone(units[n:])
	for i, u := range rest {
		switch u {
		case '/':
			rest[i] = '\\'
		case '\\':
			rest[i] = '/'
		}
	}
	target = nativeName(rest)
	return target, !relative && (n > 0 || strings.HasPrefix(target, "/"))
}

// windowsTarget converts a target to a path for Windows programs: `C:\dir`, `\\server\share`, `\\?\Volume{...}\`.
func windowsTarget(units []uint16) []uint16 {
	text := string(utf16.Decode(units[:min(len(units), 8)]))
	switch {
	case !strings.HasPrefix(text, `\??\`):
		return units
	case strings.HasPrefix(text, `\??\UNC\`):
		return slices.Concat([]uint16{'\\', '\\'}, units[len(`\??\UNC\`):])
	case len(units) >= 6 && units[5] == ':':
		if len(units) == 6 { // the root of the drive: "C:" alone is the drive's current folder
			units = append(slices.Clone(units), '\\')
		}
		return units[4:]
	}
	return slices.Concat([]uint16{'\\', '\\', '?', '\\'}, units[4:])
}
