package format

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"wimscope/wim/ntname"
)

// Reparse tags, [MS-FSCC] 2.1.2.1.
const (
	TagMountPoint  = 0xa0000003
	TagSymlink     = 0xa000000c
	TagLxSymlink   = 0xa000001d
	TagAppExecLink = 0x8000001b
	TagWOF         = 0x80000017
)

const (
	MaxReparseData = 16<<10 - 8 // MAXIMUM_REPARSE_DATA_BUFFER_SIZE without the header
)

// IsSurrogate reports whether entries with this tag stand for another place, and so have no children of their own.
func IsSurrogate(tag uint32) bool { return tag&0x20000000 != 0 }

// Reparse is the target of a link, parsed from its reparse data.
type Reparse struct {
	Kind       string
	Print      string
	Substitute []byte // UTF-16LE
	Rel        bool
}

func IsSeparator(b []byte) bool { return (b[0] == '\\' || b[0] == '/') && b[1] == 0 }

func StartsWith(b []byte, c byte) bool { return len(b) >= 2 && b[0] == c && b[1] == 0 }

// IsLinkTag reports whether the data of a tag contain a path.
func IsLinkTag(tag uint32) bool {
	return tag == TagSymlink || tag == TagMountPoint || tag == TagLxSymlink || tag == TagAppExecLink
}

// ParseReparse reads the data of a link, [MS-FSCC] 2.1.2.4 and 2.1.2.5.
func ParseReparse(tag uint32, b []byte) (p Reparse, ok bool) {
	switch tag {
	case TagSymlink, TagMountPoint:
		fixed := 8
		if tag == TagSymlink {
			fixed = 12
		}
		if len(b) < fixed {
			return p, false
		}
		names := b[fixed:]
		name := func(at int) []byte {
			off, size := int(binary.LittleEndian.Uint16(b[at:])), int(binary.LittleEndian.Uint16(b[at+2:]))
			if off+size > len(names) {
				return nil
			}
			return names[off : off+size&^1]
		}
		p.Substitute, p.Print = name(0), ntname.LossyText(name(4))
		if len(p.Substitute) == 0 {
			return p, false
		}
		p.Kind = "symlink"
		if tag == TagSymlink {
			p.Rel = binary.LittleEndian.Uint32(b[8:])&1 != 0
		} else {
			p.Kind = "junction"
			if strings.HasPrefix(TrimDevice(ntname.LossyText(p.Substitute)), "Volume{") {
				p.Kind = "volume"
			}
		}
		return p, true
	case TagLxSymlink:
		// u32 version 2, then the target in UTF-8. Seen in files of WSL; not documented.
		if len(b) < 5 || !utf8.Valid(b[4:]) {
			return p, false
		}
		p.Kind, p.Print = "wsl", string(b[4:])
		p.Substitute = ntname.Bytes(utf16.Encode([]rune(p.Print)))
		p.Rel = b[4] != '/' // absolute targets start at the root of a distribution
		return p, true
	case TagAppExecLink:
		if len(b) < 4 {
			return p, false
		}
		// u32 version 3, then names that each end in NUL: package, entry point, program, kind. Seen in
		// %LOCALAPPDATA%\Microsoft\WindowsApps; not documented.
		rest := b[4:]
		for range 2 {
			i := ntname.IndexNUL(rest)
			if i < 0 {
				return p, false
			}
			rest = rest[i+2:]
		}
		if i := ntname.IndexNUL(rest); i >= 0 {
			rest = rest[:i]
		}
		p.Kind, p.Substitute = "app", rest[:len(rest)&^1]
		return p, len(p.Substitute) > 0
	}
	return p, false
}

// TrimDevice removes the prefix that marks a path of the system's own namespace.
func TrimDevice(s string) string {
	for _, p := range [...]string{`\??\`, `\\?\`, `\DosDevices\`} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest
		}
	}
	return s
}

// DrivePath returns what follows the drive letter of an absolute target.
func DrivePath(target []byte) ([]byte, bool) {
	text := ntname.LossyText(target[:min(len(target), 32)])
	rest := TrimDevice(text)
	if len(rest) < 2 || rest[1] != ':' || (rest[0]|0x20)-'a' >= 26 || len(rest) > 2 && rest[2] != '\\' && rest[2] != '/' {
		return nil, false
	}
	return target[2*(len(text)-len(rest)+2):], true // all units so far are ASCII
}

// ReparseName returns the name of a tag: "junction", "symbolic link", …; for an unknown tag, its number.
func ReparseName(tag uint32) string {
	switch tag {
	case 0:
		return ""
	case TagMountPoint:
		return "junction"
	case TagSymlink:
		return "symbolic link"
	case TagLxSymlink:
		return "WSL symbolic link"
	case TagAppExecLink:
		return "app execution alias"
	case TagWOF:
		return "compressed by the system (WOF)"
	case 0x80000013:
		return "deduplicated"
	case 0x80000005:
		return "drive extender"
	case 0xc0000004:
		return "hierarchical storage"
	case 0x80000006:
		return "hierarchical storage 2"
	case 0x80000007:
		return "single instance storage"
	case 0x80000008:
		return "WIM mount"
	case 0x80000009:
		return "cluster shared volume"
	case 0x8000000a:
		return "distributed file system"
	case 0x80000012:
		return "distributed file system (replica)"
	case 0x8000000b:
		return "filter manager"
	case 0x80000014:
		return "NFS"
	case 0x80000015:
		return "file placeholder"
	case 0x80000016:
		return "dynamic file filter"
	case 0x80000018:
		return "Windows container"
	case 0xa0000019:
		return "global link"
	case 0x90001018:
		return "Windows container"
	case 0xa0000027, 0xa0001027:
		return "Windows container link"
	case 0xa000001f:
		return "Windows container tombstone"
	case 0x9000001c:
		return "projected file system"
	case 0xa0000022:
		return "projected file system tombstone"
	case 0x80000021:
		return "OneDrive"
	case 0x8000001e:
		return "storage sync"
	case 0x90000027:
		return "storage sync folder"
	case 0x80000020:
		return "container layer"
	case 0x80000023:
		return "WSL socket"
	case 0x80000024:
		return "WSL pipe"
	case 0x80000025:
		return "WSL character device"
	case 0xa0000010:
		return "IIS cache"
	case 0xc0000014:
		return "app package stream"
	case 0x80000026:
		return "WSL block device"
	}
	if tag&0xffff0fff == 0x9000001a {
		return "cloud file (OneDrive)" // 16 tags that differ in one digit
	}
	return fmt.Sprintf("reparse point 0x%08x", tag)
}
