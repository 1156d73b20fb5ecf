package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/security"
)

func dirVerb() verb {
	return verb{
		name:  "dir",
		usage: "WIMFILE [IMAGE] [--path=PATH] [--detailed] [--one-file-only] [--ref=GLOB] [--json]",
		opts:  []option{{name: "path", value: true}, {name: "detailed"}, {name: "one-file-only"}, {name: "ref", value: true}},
		run:   runDir,
	}
}

func runDir(t *tool, o *parsed) error {
	if len(o.args) == 0 || len(o.args) > 2 {
		return usageError{"dir takes an archive and optionally an image"}
	}
	a, err := t.open(o.args[0], o.all("ref"))
	if err != nil {
		return needFirst(err, o.args[0])
	}
	defer a.Close()
	arg := ""
	if len(o.args) == 2 {
		arg = o.args[1]
	}
	choice, err := a.image(arg, len(o.args) == 2, true)
	if err != nil {
		return err
	}
	l := &lister{a: a, w: t.stdout, name: t.name, detailed: o.has("detailed"), json: o.has("json")}
	for _, i := range a.indexes(choice) {
		im, err := a.Image(i)
		if err != nil {
			return coded(exitMetadata, err)
		}
		t.lookAt(im)
		start := wim.Node(0)
		if p := o.get("path"); p != "" {
			var ok bool
			if start, ok = lookup(im, p, t.fold); !ok {
				return codef(exitNoPath, "the path %q does not exist in image %d", p, i)
			}
		}
		l.im = im
		if err := l.list(start, !o.has("one-file-only")); err != nil {
			return err
		}
		if t.ctx.Err() != nil {
			return codef(exitInterrupted, "interrupted")
		}
	}
	if !l.json {
		return nil
	}
	if err := t.json(l.entries); err != nil {
		return err
	}
	if l.bad > 0 {
		return codef(exitHash, "the targets of %d links are damaged; see linkError", l.bad)
	}
	return nil
}

// lister lists entries of one image after another.
type lister struct {
	a        *opened
	im       *wim.Image
	w        io.Writer
	name     func(string) string // formats a name for w
	detailed bool
	json     bool
	entries  []dirEntry
	bad      int // links with damaged targets
}

// list lists an entry and, if below is set, all entries under it, in the order of names.
func (l *lister) list(n wim.Node, below bool) error {
	stack := []wim.Node{n}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch {
		case l.json:
			l.entries = append(l.entries, l.entry(n))
		case l.detailed:
			l.detail(n)
		default:
			if _, err := fmt.Fprintln(l.w, l.name(nativePath(l.im, n))); err != nil {
				return err
			}
		}
		if !below {
			continue
		}
		kids := l.im.Sorted(n)
		for i := len(kids) - 1; i >= 0; i-- {
			stack = append(stack, kids[i])
		}
	}
	return nil
}

// attributeWords lists the bits that wimlib-imagex names, in its order.
var attributeWords = []struct {
	bit  uint32
	name string
}{
	{0x1, "READONLY"}, {0x2, "HIDDEN"}, {0x4, "SYSTEM"}, {0x10, "DIRECTORY"}, {0x20, "ARCHIVE"}, {0x40, "DEVICE"}, {0x80, "NORMAL"},
	{0x100, "TEMPORARY"}, {0x200, "SPARSE_FILE"}, {0x400, "REPARSE_POINT"}, {0x800, "COMPRESSED"}, {0x1000, "OFFLINE"},
	{0x2000, "NOT_CONTENT_INDEXED"}, {0x4000, "ENCRYPTED"}, {0x10000, "VIRTUAL"},
}

// detail prints all information about an entry, in the lines of wimlib-imagex.
func (l *lister) detail(n wim.Node) {
	im, w := l.im, l.w
	fmt.Fprintln(w, "----------------------------------------------------------------------------")
	fmt.Fprintf(w, "Full Path           = \"%s\"\n", l.name(nativePath(im, n)))
	fmt.Fprintf(w, "Short Name          = \"%s\"\n", l.name(im.ShortName(n)))
	attrs := im.Attributes(n)
	fmt.Fprintf(w, "Attributes          = 0x%08x\n", attrs)
	for _, a := range attributeWords {
		if attrs&a.bit != 0 {
			fmt.Fprintf(w, "    FILE_ATTRIBUTE_%s is set\n", a.name)
		}
	}
	if sd := im.Security(n); len(sd) > 0 {
		fmt.Fprintf(w, "Security Descriptor = %x\n", sd)
	}
	fmt.Fprintf(w, "Creation Time       = %s\n", ctime(im.Created(n)))
	fmt.Fprintf(w, "Last Write Time     = %s\n", ctime(im.Modified(n)))
	fmt.Fprintf(w, "Last Access Time    = %s\n", ctime(im.Accessed(n)))
	if attrs&format.AttrReparsePoint != 0 {
		fmt.Fprintf(w, "Reparse Tag         = 0x%x\n", im.ReparseTag(n))
	}
	count := im.HardLinkCount(n)
	group := uint64(0)
	if count > 1 {
		group = im.HardLinkGroup(n)
	}
	fmt.Fprintf(w, "Link Group ID       = 0x%016x\n", group)
	fmt.Fprintf(w, "Link Count          = %d\n", count)
	if u, ok := im.Items(n).UnixData(); ok {
		fmt.Fprintf(w, "UNIX Data           = uid:%d gid:%d mode:0%o rdev:0x%x\n", u.UID, u.GID, u.Mode, u.Rdev)
	}
	if id := im.Items(n).ObjectID(); len(id) >= 16 {
		names := []string{"Object ID", "Birth Volume ID", "Birth Object ID", "Domain ID"}
		for i := 0; i < len(names) && len(id) >= 16*(i+1); i++ {
			fmt.Fprintf(w, "%-20s= 0x%x\n", names[i], id[16*i:16*i+16])
		}
	}
	streams := im.Streams(n)
	if attrs&format.AttrReparsePoint != 0 {
		for _, s := range streams {
			if s.Kind == format.StreamReparse {
				l.stream("\tReparse point stream:", s.Hash)
			}
		}
	}
	if data, ok := im.Stream(n, ""); ok && data.Kind == format.StreamRaw {
		l.stream("\tRaw encrypted data stream:", data.Hash)
	} else if attrs&format.AttrReparsePoint == 0 || !im.Hash(n).IsZero() {
		l.stream("\tUnnamed data stream:", im.Hash(n))
	}
	for _, s := range streams {
		if s.Kind == format.StreamNamed {
			units, _ := ntname.Unescape(s.Name)
			l.stream(fmt.Sprintf("\tNamed data stream \"%s\":", l.name(nativeName(units))), s.Hash)
		}
	}
}

func (l *lister) stream(title string, h format.Hash) {
	fmt.Fprintln(l.w, title)
	b, ok := l.a.Store().Blob(h)
	switch {
	case ok:
		l.a.printBlob(l.w, b)
	case h.IsZero():
		fmt.Fprintf(l.w, "Hash              = 0x%s\nUncompressed size = 0 bytes\nCompressed size   = 0 bytes\nOffset in WIM     = 0 bytes\n"+
			"Part Number       = 0\nReference Count   = 0\nFlags             = \n", h)
	default: // in no open file
		fmt.Fprintf(l.w, "Hash              = 0x%s\n", h)
	}
	fmt.Fprintln(l.w)
}

// dirEntry is an entry as JSON.
type dirEntry struct {
	Image      int          `json:"image"`
	Path       string       `json:"path"` // with escapes in names that are not valid UTF-16 or contain a slash
	ShortName  string       `json:"shortName,omitempty"`
	Dir        bool         `json:"dir,omitempty"`
	Size       int64        `json:"size"`
	Hash       string       `json:"hash,omitempty"`
	Missing    bool         `json:"missing,omitempty"` // its blob is in no open file
	Attributes []string     `json:"attributes"`
	Created    string       `json:"created"`
	Modified   string       `json:"modified"`
	Accessed   string       `json:"accessed"`
	ReparseTag uint32       `json:"reparseTag,omitempty"`
	LinkTarget string       `json:"linkTarget,omitempty"`
	LinkError  string       `json:"linkError,omitempty"` // why the target cannot be read
	LinkGroup  uint64       `json:"linkGroup,omitempty"`
	Links      int          `json:"links,omitempty"`
	SDDL       string       `json:"sddl,omitempty"`
	ObjectID   string       `json:"objectID,omitempty"`
	Unix       string       `json:"unix,omitempty"`
	Streams    []dirStream  `json:"streams,omitempty"`
	Xattrs     []dirXattr   `json:"xattrs,omitempty"`
	Items      []dirTagItem `json:"items,omitempty"`
}

type dirStream struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	Hash string `json:"hash"`
}

type dirXattr struct {
	Name  string `json:"name"`
	Value string `json:"value"` // hexadecimal
}

type dirTagItem struct {
	Tag  uint32 `json:"tag"`
	Data string `json:"data"` // hexadecimal
}

func (l *lister) entry(n wim.Node) dirEntry {
	im := l.im
	e := dirEntry{
		Image: im.Index(), Path: im.Path(n), Dir: im.IsDir(n), Attributes: format.AttrNames(im.Attributes(n)),
		Size: im.Size(n), Created: im.Created(n).String(), Modified: im.Modified(n).String(), Accessed: im.Accessed(n).String(), Missing: im.Missing(n),
	}
	if h := im.Hash(n); !h.IsZero() {
		e.Hash = h.String()
	}
	if im.Attributes(n)&format.AttrReparsePoint != 0 {
		link, err := im.Link(n)
		if e.LinkTarget = link.Target; err != nil {
			e.LinkError = err.Error()
			if !errors.Is(err, blobs.ErrMissing) { // a delta archive is not at fault
				l.bad++
			}
		}
	}
	if !l.detailed {
		return e
	}
	items := im.Items(n)
	e.ShortName, e.ReparseTag, e.ObjectID = im.ShortName(n), im.ReparseTag(n), format.GUIDText(items.ObjectID())
	if c := im.HardLinkCount(n); c > 1 {
		e.Links, e.LinkGroup = c, im.HardLinkGroup(n)
	}
	if sd, err := security.Parse(im.Security(n)); err == nil {
		e.SDDL = sd.SDDL()
	}
	if u, ok := items.UnixData(); ok {
		e.Unix = u.String()
	}
	for _, s := range im.Streams(n) {
		if s.Kind == format.StreamNamed {
			e.Streams = append(e.Streams, dirStream{s.Name, s.Size, s.Hash.String()})
		}
	}
	for _, x := range items.Xattrs() {
		e.Xattrs = append(e.Xattrs, dirXattr{x.Name, hex.EncodeToString(x.Value)})
	}
	for _, it := range items.Unknown() {
		e.Items = append(e.Items, dirTagItem{it.Tag, hex.EncodeToString(it.Data)})
	}
	return e
}
