package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
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
	maxReparseData = 16<<10 - 8 // MAXIMUM_REPARSE_DATA_BUFFER_SIZE without the header
	maxLinkHops    = 63         // as Windows follows in one path
)

// isSurrogate tells a tag whose entries stand for another place, so that their own children mean nothing.
func isSurrogate(tag uint32) bool { return tag&0x20000000 != 0 }

// Link is where a reparse point leads.
type Link struct {
	Kind       string // "symlink", "junction", "volume" (a junction to a volume), "wsl", "app"; "" if it is no link
	Target     string // for people: the print name, or else the substitute name without its prefix
	Substitute string // what the system follows
	Rel        bool   // relative to the link's folder, or to the root of its volume if it begins with a backslash
	Node       Node   // the entry of this image that Target names; it may be a link itself
	Found      bool   // Node is known
}

// reparseLink is what reparse data say by themselves.
type reparseLink struct {
	kind       string
	print      string
	substitute []byte // UTF-16LE
	rel        bool
}

// Link returns where n leads. Kind is "" if n is not a link or its data are malformed. Links on the way are followed. Absolute
// targets start at the image's root, whatever their drive letter: an image is a volume, or a folder whose links were made
// relative to it when it was captured. The errors are those of ReparseData.
func (im *Image) Link(n Node) (Link, error) {
	hops := maxLinkHops
	return im.link(n, &hops)
}

func (im *Image) link(n Node, hops *int) (Link, error) {
	if !isLinkTag(im.ReparseTag(n)) {
		return Link{}, nil
	}
	b, err := im.ReparseData(n)
	if err != nil {
		return Link{}, err
	}
	return im.linkOf(n, b, hops), nil
}

// damagedLink returns where a link leads by data whose SHA-1 does not match, for data recovery.
func (im *Image) damagedLink(n Node) Link {
	hops := maxLinkHops
	data, _ := im.ReparseData(n)
	return im.linkOf(n, data, &hops)
}

// linkOf returns where n leads by its reparse data.
func (im *Image) linkOf(n Node, data []byte, hops *int) Link {
	p, ok := parseReparse(im.ReparseTag(n), data)
	if !ok {
		return Link{}
	}
	l := Link{Kind: p.kind, Substitute: ntname.LossyText(p.substitute), Target: p.print, Rel: p.rel}
	if l.Target == "" {
		l.Target = trimDevice(l.Substitute)
	}
	from, path, ok := Node(0), p.substitute, true
	switch {
	case p.kind == "app":
		return l
	case !p.rel:
		path, ok = drivePath(path)
	case !startsWith(path, '\\'):
		from = im.Parent(n)
	}
	if ok {
		l.Node, l.Found = im.walk(from, path, hops)
	}
	return l
}

// Resolve follows n until it is not a link. ok is false if it leads nowhere in this image or a link is damaged.
func (im *Image) Resolve(n Node) (Node, bool) {
	hops := maxLinkHops
	n, err := im.resolve(n, &hops)
	return n, err == nil
}

// resolve is Resolve with an error: fs.ErrNotExist, or that of reading the data of a link.
func (im *Image) resolve(n Node, hops *int) (Node, error) {
	for isLinkTag(im.ReparseTag(n)) {
		if *hops == 0 {
			return 0, fs.ErrNotExist
		}
		*hops--
		l, err := im.link(n, hops)
		if err != nil {
			return 0, err
		}
		if !l.Found {
			return 0, fs.ErrNotExist
		}
		n = l.Node
	}
	return n, nil
}

// walk follows a path, UTF-16LE, from a folder. All steps but the last are followed where they are links; hops
// bounds how many are in all.
func (im *Image) walk(n Node, path []byte, hops *int) (Node, bool) {
	for len(path) > 0 {
		end := 0
		for end < len(path) && !isSeparator(path[end:]) {
			end += 2
		}
		step := path[:end]
		path = path[min(end+2, len(path)):]
		if len(step) == 0 || string(step) == ".\x00" {
			continue
		}
		dir, err := im.resolve(n, hops)
		if err != nil || !im.IsDir(dir) {
			return 0, false
		}
		if string(step) == ".\x00.\x00" {
			n = im.Parent(dir)
			continue
		}
		var ok bool
		if n, ok = im.child(dir, step, true); !ok {
			if n, ok = im.child(dir, step, false); !ok {
				return 0, false
			}
		}
	}
	return n, true
}

func isSeparator(b []byte) bool { return (b[0] == '\\' || b[0] == '/') && b[1] == 0 }

func startsWith(b []byte, c byte) bool { return len(b) >= 2 && b[0] == c && b[1] == 0 }

// isLinkTag tells tags whose data name a path.
func isLinkTag(tag uint32) bool {
	return tag == TagSymlink || tag == TagMountPoint || tag == TagLxSymlink || tag == TagAppExecLink
}

// ReparseData reads the data after the 8-byte header of a reparse point and checks their SHA-1; nil if n is not a reparse point.
// The errors are those of Archive.ReadBlob.
func (im *Image) ReparseData(n Node) ([]byte, error) {
	_, h := im.unnamedStreams(n)
	if h.IsZero() || im.a == nil {
		return nil, nil
	}
	b, err := im.readLink(h)
	var sum *ChecksumError
	if errors.As(err, &sum) {
		sum.What = "reparse data"
	}
	return b, err
}

// parseReparse reads the data of a link, [MS-FSCC] 2.1.2.4 and 2.1.2.5.
func parseReparse(tag uint32, b []byte) (p reparseLink, ok bool) {
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
		p.substitute, p.print = name(0), ntname.LossyText(name(4))
		if len(p.substitute) == 0 {
			return p, false
		}
		p.kind = "symlink"
		if tag == TagSymlink {
			p.rel = binary.LittleEndian.Uint32(b[8:])&1 != 0
		} else {
			p.kind = "junction"
			if strings.HasPrefix(trimDevice(ntname.LossyText(p.substitute)), "Volume{") {
				p.kind = "volume"
			}
		}
		return p, true
	case TagLxSymlink:
		// u32 version 2, then the target in UTF-8. Seen in files of WSL; not documented.
		if len(b) < 5 || !utf8.Valid(b[4:]) {
			return p, false
		}
		p.kind, p.print = "wsl", string(b[4:])
		p.substitute = ntname.Bytes(utf16.Encode([]rune(p.print)))
		p.rel = b[4] != '/' // absolute ones start at the root of a distribution
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
		p.kind, p.substitute = "app", rest[:len(rest)&^1]
		return p, len(p.substitute) > 0
	}
	return p, false
}

// trimDevice takes the prefix off by which the system marks a path as one of its namespace.
func trimDevice(s string) string {
	for _, p := range [...]string{`\??\`, `\\?\`, `\DosDevices\`} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest
		}
	}
	return s
}

// drivePath gives what follows the drive letter of an absolute target.
func drivePath(target []byte) ([]byte, bool) {
	text := ntname.LossyText(target[:min(len(target), 32)])
	rest := trimDevice(text)
	if len(rest) < 2 || rest[1] != ':' || (rest[0]|0x20)-'a' >= 26 || len(rest) > 2 && rest[2] != '\\' && rest[2] != '/' {
		return nil, false
	}
	return target[2*(len(text)-len(rest)+2):], true // all units so far are ASCII
}

// ReparseName tells a tag in words: "junction", "symbolic link", …; one that is not known as its number.
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
