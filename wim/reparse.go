package wim

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf16"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

const (
	maxLinkHops = 63 // the limit of Windows for one path
)

// Link is the target of a reparse point.
type Link struct {
	Kind       string // "symlink", "junction", "volume" (a junction to a volume), "wsl", "app"; "" if it is not a link
	Target     string // for people: the print name, or else the substitute name without its prefix
	Substitute string // what the system follows
	Rel        bool   // relative to the link's folder, or to the root of its volume if it begins with a backslash
	Node       Node   // the entry of this image at the target, if Found; it may be a link itself
	Found      bool   // the target is in this image
}

// Link returns the target of n. Kind is "" if n is not a link or its data are malformed. Links in the path of the target are followed.
// Absolute targets start at the image's root, whatever their drive letter: an image is a volume, or a folder whose links were made
// relative to it when it was captured. The errors are those of ReparseData.
func (im *Image) Link(n Node) (Link, error) {
	f := follower{im, maxLinkHops}
	return f.link(n)
}

// follower follows links, at most hops of them.
type follower struct {
	*Image
	hops int
}

func (f *follower) link(n Node) (Link, error) {
	if !format.IsLinkTag(f.ReparseTag(n)) {
		return Link{}, nil
	}
	b, err := f.ReparseData(n)
	if err != nil {
		return Link{}, err
	}
	return f.parse(n, b), nil
}

// ParseLink is Link for reparse data that the caller has read, which may be damaged.
func (im *Image) ParseLink(n Node, data []byte) Link {
	f := follower{im, maxLinkHops}
	return f.parse(n, data)
}

// parse returns the target of n from its reparse data.
func (f *follower) parse(n Node, data []byte) Link {
	p, ok := format.ParseReparse(f.ReparseTag(n), data)
	if !ok {
		return Link{}
	}
	l := Link{Kind: p.Kind, Substitute: ntname.LossyText(p.Substitute), Target: p.Print, Rel: p.Rel}
	if l.Target == "" {
		l.Target = format.TrimDevice(l.Substitute)
	}
	from, path, ok := Node(0), p.Substitute, true
	switch {
	case p.Kind == "app":
		return l
	case !p.Rel:
		path, ok = format.DrivePath(path)
	case !format.StartsWith(path, '\\'):
		from = f.Parent(n)
	}
	if ok {
		l.Node, l.Found = f.walk(from, path)
	}
	return l
}

// Resolve follows links from n to an entry that is not a link. ok is false if the target is not in this image or a link is damaged.
func (im *Image) Resolve(n Node) (Node, bool) {
	f := follower{im, maxLinkHops}
	n, err := f.resolve(n)
	return n, err == nil
}

// resolve is Resolve with an error: fs.ErrNotExist, or the error of reading the data of a link.
func (f *follower) resolve(n Node) (Node, error) {
	for format.IsLinkTag(f.ReparseTag(n)) {
		if f.hops == 0 {
			return 0, fs.ErrNotExist
		}
		f.hops--
		l, err := f.link(n)
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

// walk returns the entry at a UTF-16LE path that starts at n. It follows links in all steps but the last.
func (f *follower) walk(n Node, path []byte) (Node, bool) {
	for len(path) > 0 {
		end := 0
		for end < len(path) && !format.IsSeparator(path[end:]) {
			end += 2
		}
		step := path[:end]
		path = path[min(end+2, len(path)):]
		if len(step) == 0 || string(step) == ".\x00" {
			continue
		}
		dir, err := f.resolve(n)
		if err != nil || !f.IsDir(dir) {
			return 0, false
		}
		if string(step) == ".\x00.\x00" {
			n = f.Parent(dir)
			continue
		}
		var ok bool
		if n, ok = f.Child(dir, step, true); !ok {
			if n, ok = f.Child(dir, step, false); !ok {
				return 0, false
			}
		}
	}
	return n, true
}

// ReparseData returns the data after the 8-byte header of a reparse point, nil if n is not a reparse point, and checks their SHA-1. The
// errors are those of blobs.Store.ReadBlob.
func (im *Image) ReparseData(n Node) ([]byte, error) {
	_, h := im.UnnamedStreams(n)
	if h.IsZero() || im.a == nil {
		return nil, nil
	}
	b, err := im.linkData.read(im, h)
	var sum *blobs.ChecksumError
	if errors.As(err, &sum) {
		sum.What = "reparse data"
	}
	return b, err
}

// Path returns the target of l, a link at n, as a slash-separated path, as FS.ReadLink does; "" if l is not a link. It reports whether
// the target is absolute and outside of the image. A target that was rewritten at capture to start at the image's root is inside even if
// it does not exist.
func (l Link) Path(im *Image, n Node) (target string, outside bool) {
	rooted := l.Rel && strings.HasPrefix(l.Substitute, `\`)
	switch {
	case l.Kind == "":
		return "", false
	case l.Found && (!l.Rel || rooted):
		return relativePath(im.Path(im.Parent(n)), im.Path(l.Node)), false
	case rooted:
		return fromRoot(im, n, l.Substitute), false
	case l.Rel:
		return strings.ReplaceAll(l.Substitute, `\`, "/"), false
	}
	if rest, ok := format.DrivePath(ntname.Bytes(utf16.Encode([]rune(l.Substitute)))); ok && im.Dentry(n).ReparseFixed() {
		return fromRoot(im, n, ntname.LossyText(rest)), false
	}
	return outsideTarget(l), true
}

// outsideTarget formats an absolute target outside the image as a Windows path with slashes: "D:/dir", "//server/share",
// "//?/Volume{...}/".
func outsideTarget(l Link) string {
	target := format.TrimDevice(l.Substitute)
	switch rest, unc := strings.CutPrefix(target, `UNC\`); {
	case unc:
		target = `\\` + rest
	case strings.HasPrefix(target, "Volume{"):
		target = `\\?\` + target
	}
	return strings.ReplaceAll(target, `\`, "/")
}

// fromRoot returns the relative path from the folder of n to a path from the image's root that need not exist.
func fromRoot(im *Image, n Node, target string) string {
	return relativePath(im.Path(im.Parent(n)), path.Clean("/"+strings.ReplaceAll(target, `\`, "/")))
}

// relativePath returns the relative path from one absolute, clean path to another.
func relativePath(from, to string) string {
	a := strings.FieldsFunc(from, func(r rune) bool { return r == '/' })
	b := strings.FieldsFunc(to, func(r rune) bool { return r == '/' })
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	steps := append(slices.Repeat([]string{".."}, len(a)), b...)
	if len(steps) == 0 {
		return "."
	}
	return strings.Join(steps, "/")
}
