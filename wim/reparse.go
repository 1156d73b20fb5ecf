package wim

import (
	"errors"
	"io/fs"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

const (
	maxLinkHops = 63 // as Windows follows in one path
)

// Link is where a reparse point leads.
type Link struct {
	Kind       string // "symlink", "junction", "volume" (a junction to a volume), "wsl", "app"; "" if it is no link
	Target     string // for people: the print name, or else the substitute name without its prefix
	Substitute string // what the system follows
	Rel        bool   // relative to the link's folder, or to the root of its volume if it begins with a backslash
	Node       Node   // the entry of this image that Target names; it may be a link itself
	Found      bool   // Node is known
}

// Link returns where n leads. Kind is "" if n is not a link or its data are malformed. Links on the way are followed. Absolute
// targets start at the image's root, whatever their drive letter: an image is a volume, or a folder whose links were made
// relative to it when it was captured. The errors are those of ReparseData.
func (im *Image) Link(n Node) (Link, error) {
	hops := maxLinkHops
	return im.link(n, &hops)
}

func (im *Image) link(n Node, hops *int) (Link, error) {
	if !format.IsLinkTag(im.ReparseTag(n)) {
		return Link{}, nil
	}
	b, err := im.ReparseData(n)
	if err != nil {
		return Link{}, err
	}
	return im.linkOf(n, b, hops), nil
}

// DamagedLink returns where a link leads by data whose SHA-1 does not match, for data recovery.
func (im *Image) DamagedLink(n Node) Link {
	data, _ := im.ReparseData(n)
	return im.ParseLink(n, data)
}

// ParseLink returns where n leads by reparse data that the caller has read.
func (im *Image) ParseLink(n Node, data []byte) Link {
	hops := maxLinkHops
	return im.linkOf(n, data, &hops)
}

// linkOf returns where n leads by its reparse data.
func (im *Image) linkOf(n Node, data []byte, hops *int) Link {
	p, ok := format.ParseReparse(im.ReparseTag(n), data)
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
	for format.IsLinkTag(im.ReparseTag(n)) {
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
		for end < len(path) && !format.IsSeparator(path[end:]) {
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
		if n, ok = im.Child(dir, step, true); !ok {
			if n, ok = im.Child(dir, step, false); !ok {
				return 0, false
			}
		}
	}
	return n, true
}

// ReparseData reads the data after the 8-byte header of a reparse point and checks their SHA-1; nil if n is not a reparse point.
// The errors are those of Archive.ReadBlob.
func (im *Image) ReparseData(n Node) ([]byte, error) {
	_, h := im.UnnamedStreams(n)
	if h.IsZero() || im.a == nil {
		return nil, nil
	}
	b, err := im.readLink(h)
	var sum *blobs.ChecksumError
	if errors.As(err, &sum) {
		sum.What = "reparse data"
	}
	return b, err
}
