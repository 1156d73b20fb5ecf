package engine

import (
	"encoding/hex"
	"fmt"
	"math"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/pe"
	"wimscope/wim/security"
	"wimscope/worker/protocol"
)

const (
	maxLinkPaths = 100
	maxItemBytes = 4096 // of an unknown item, shown in hexadecimal
)

// stat answers protocol.Stat.
func (s *session) stat(w *Work, req protocol.StatRequest) (protocol.Details, error) {
	im, n, err := s.node(req.Image, req.Node)
	if err != nil {
		return protocol.Details{}, err
	}
	d := protocol.Details{
		Row:        row(im, n),
		FullPath:   im.Path(n),
		ShortName:  im.ShortName(n),
		CreatedAt:  timeText(im.Created(n)),
		AccessedAt: timeText(im.Accessed(n)),
		ModifiedAt: timeText(im.Modified(n)),
		AttrNames:  format.AttrNames(im.Attributes(n)),
		ObjectID:   format.GUIDText(im.Items(n).ObjectID()),
	}
	d.Path = d.FullPath
	d.Folders = d.Dir && holdsFolders(im, n)
	d.Kind = kind(im, n)
	if d.Links > 1 {
		for _, other := range im.HardLinks(n) {
			if other != n && len(d.LinkPaths) < maxLinkPaths {
				d.LinkPaths = append(d.LinkPaths, im.Path(other))
			}
		}
	}
	if d.Reparse != 0 {
		d.ReparseName = format.ReparseName(d.Reparse)
		if link, err := im.Link(n); err == nil && link.Found {
			d.LinkNode, d.LinkFound = int32(link.Node), true
		}
	}
	for _, st := range im.Streams(n) {
		p := protocol.Stream{Name: st.Name, Size: st.Size}
		if !st.Hash.IsZero() {
			p.Hash = st.Hash.String()
		}
		d.StreamList = append(d.StreamList, p)
	}
	if u, ok := im.Items(n).UnixData(); ok {
		d.Unix = u.String()
	}
	for _, x := range im.Items(n).Xattrs() {
		d.Xattrs = append(d.Xattrs, protocol.Pair{Name: printable([]byte(x.Name)), Value: printable(x.Value)})
	}
	for _, it := range im.Items(n).Unknown() {
		d.Items = append(d.Items, protocol.Pair{Name: fmt.Sprintf("0x%08x", it.Tag), Value: hexOf(it.Data)})
	}
	s.security(im, n, &d)
	if h := im.Hash(n); !h.IsZero() {
		d.Hash = h.String()
		if b, ok := s.a.Store().Blob(h); ok {
			d.Stored = s.stored(b)
		}
		if d.AlsoIn, err = s.alsoIn(w, h); err != nil {
			return d, err
		}
	}
	if !d.Dir && !d.Missing {
		s.look(im, n, &d)
	}
	return d, nil
}

func timeText(t format.Filetime) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

func kind(im *wim.Image, n wim.Node) string {
	switch {
	case im.ReparseTag(n) != 0:
		if l, err := im.Link(n); err != nil || l.Kind != "" {
			return "link"
		}
		return "reparse"
	case im.IsDir(n):
		return "folder"
	}
	return "file"
}

// security fills in the fields from the entry's security descriptor.
func (s *session) security(im *wim.Image, n wim.Node, d *protocol.Details) {
	sd, err := security.Parse(im.Security(n))
	if err != nil {
		return
	}
	d.SDDL = sd.SDDL()
	if sd.Owner != nil {
		d.Owner = sd.Owner.Name()
	}
	if sd.Group != nil {
		d.Group = sd.Group.Name()
	}
	for _, a := range sd.Access() {
		d.Access = append(d.Access, protocol.Access{Kind: a.Kind, Who: a.Who, Rights: a.Rights, Flags: a.Flags})
	}
}

// stored returns where and how a content is stored.
func (s *session) stored(b blobs.Blob) *protocol.Stored {
	in := s.a.Store().Stored(b)
	p := &protocol.Stored{
		Part: in.Part, PartName: in.PartName, Off: in.Off, PackedSize: in.PackedSize, Size: in.Size,
		Codec: in.Codec.String(), Solid: in.Solid, SolidOff: in.SolidOff, ChunkSize: in.ChunkSize,
		FirstChunk: in.FirstChunk, Chunks: in.Chunks, RefCount: int64(in.RefCount), Reference: in.Reference,
	}
	for i := range min(len(in.Packed), len(in.ChunkSizes)) {
		percent := int64(100)
		if in.ChunkSizes[i] > 0 {
			percent = min(in.Packed[i]*100/in.ChunkSizes[i], math.MaxUint8)
		}
		p.Ratios = append(p.Ratios, uint8(max(percent, 0)))
	}
	return p
}

// alsoIn returns the number of entries with a content, in the images whose trees are in memory. It loads no trees.
func (s *session) alsoIn(w *Work, h format.Hash) (int, error) {
	count := 0
	for _, p := range s.loaded {
		im := p.Value()
		if im == nil {
			continue
		}
		k, err := eachUse(w, im, h, func(wim.Node) {})
		if err != nil {
			return 0, err
		}
		count += k
	}
	return count, nil
}

// eachUse calls f for each entry of an image that has the content h, and returns their number.
func eachUse(w *Work, im *wim.Image, h format.Hash, f func(wim.Node)) (count int, err error) {
	last := wim.Node(-1)
	steps := 0
	im.EachStream(0, wim.Node(im.Len()), func(n wim.Node, got format.Hash, _ format.StreamKind, _ []byte) bool {
		if steps++; steps%4096 == 0 {
			if err = w.rest(); err != nil {
				return false
			}
		}
		if got == h && n != last {
			last = n
			count++
			f(n)
		}
		return true
	})
	return count, err
}

// look reads the beginning of a file to fill in its type and, for a PE file, its version.
func (s *session) look(im *wim.Image, n wim.Node, d *protocol.Details) {
	r, err := s.stream(im, n, "")
	var head []byte
	if err == nil && r != nil {
		head = make([]byte, min(detectSize, r.Size()))
		if err := readFull(r, head, 0); err != nil {
			head = nil // damaged: go by the name only; a preview reports the damage
		}
	}
	d.Type = fileType(d.Name, head, r != nil && int64(len(head)) == r.Size())
	if r == nil || len(head) < 2 || head[0] != 'M' || head[1] != 'Z' {
		return
	}
	if v, err := pe.Read(r, r.Size()); err == nil && v != nil {
		d.FileVersion = v.FileVersion
		for _, p := range v.Strings {
			d.Strings = append(d.Strings, protocol.Pair{Name: p.Name, Value: p.Value})
		}
	}
}

// printable returns b as a string if it is UTF-8 text, otherwise in hexadecimal.
func printable(b []byte) string {
	if enc := detect(b, true); enc == encUTF8 {
		return string(b)
	}
	return hexOf(b)
}

func hexOf(b []byte) string {
	if len(b) > maxItemBytes {
		return fmt.Sprintf("%s… (%d bytes)", hex.EncodeToString(b[:maxItemBytes]), len(b))
	}
	return hex.EncodeToString(b)
}
