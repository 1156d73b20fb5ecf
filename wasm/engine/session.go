package engine

import (
	"fmt"
	"strings"
	"time"
	"weak"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/windows"
	"wimscope/wim/xmldoc"
	"wimscope/worker/protocol"
)

// session is an open archive, with cached results about it.
type session struct {
	e     *Engine
	a     *wim.Archive
	info  *wim.Info
	parts []blobs.Part

	loaded map[int]weak.Pointer[wim.Image] // trees that were loaded; Details.AlsoIn counts in those still in memory

	views   [2]*view
	folders *folders
	found   *searchResult
	used    *usesResult
	jobs    Jobs
}

// open answers protocol.Open.
func (e *Engine) open(_ *Work, req protocol.OpenRequest, attach []any) (protocol.Archive, error) {
	parts, refs, err := attached(req.Parts, req.References, attach)
	if err != nil {
		return protocol.Archive{}, err
	}
	e.session = nil // close the old one first: there is not enough memory for two
	a, err := e.openArchive(parts, refs)
	if err != nil {
		return protocol.Archive{}, err
	}
	e.session = &session{
		e: e, a: a, info: a.Info(), parts: append(parts, refs...),
		loaded: make(map[int]weak.Pointer[wim.Image]),
	}
	return e.session.archive(), nil
}

func (e *Engine) openArchive(parts, references []blobs.Part) (*wim.Archive, error) {
	return wim.Open(parts, &blobs.Options{
		References: references, CacheSize: e.o.CacheSize, TreeCacheSize: e.o.TreeCacheSize, MaxMemory: e.o.MaxMemory, SHA1: e.o.SHA1,
	})
}

// attached returns the files of a request with their names.
func attached(names, references []string, attach []any) (parts, refs []blobs.Part, err error) {
	if len(attach) != len(names)+len(references) {
		return nil, nil, badRequest(fmt.Sprintf("%d files attached for %d names", len(attach), len(names)+len(references)))
	}
	for i, v := range attach {
		f, ok := v.(Source)
		if !ok {
			return nil, nil, badRequest("an attachment must be a file")
		}
		if i < len(names) {
			parts = append(parts, blobs.Part{Name: names[i], R: f, Size: f.Size()})
		} else {
			refs = append(refs, blobs.Part{Name: references[i-len(names)], R: f, Size: f.Size()})
		}
	}
	return parts, refs, nil
}

// archive returns the reply to Open.
func (s *session) archive() protocol.Archive {
	in := s.info
	a := protocol.Archive{
		GUID: in.GUID, Version: in.Version, Codec: in.Codec.String(), ChunkSize: in.ChunkSize,
		Solid: in.Solid, SolidChunk: in.SolidChunkSize, Pipable: in.Pipable, Integrity: true,
		BootIndex: in.BootIndex, Flags: in.Flags, Missing: in.Missing, TotalParts: in.TotalParts,
		Blobs: in.Blobs, BlobBytes: in.BlobBytes, PackedBytes: in.PackedBytes, Warnings: in.Warnings, Losses: len(in.Losses), ReadOnly: in.ReadOnly,
	}
	if in.Solid {
		a.SolidCodec = in.SolidCodec.String()
	}
	if len(in.Parts) > in.First {
		a.Name = in.Parts[in.First].Name
	}
	for _, p := range in.Parts {
		a.Parts = append(a.Parts, protocol.Part{Name: p.Name, Number: p.Number, Size: p.Size})
		a.Size += p.Size
		a.Integrity = a.Integrity && p.Integrity
	}
	for _, p := range in.References {
		a.References = append(a.References, p.Name)
	}
	for _, f := range s.a.HeaderFields() {
		a.Fields = append(a.Fields, protocol.Field{Name: f.Name, Off: int64(f.Off), Size: int64(f.Size), Value: f.Value, Meaning: f.Meaning})
	}
	for _, r := range s.a.Store().Regions() {
		next := protocol.Region{Part: r.Part, Off: r.Off, Len: r.Len, Kind: string(r.Kind)}
		if k := len(a.Regions) - 1; k >= 0 {
			if last := &a.Regions[k]; last.Part == next.Part && last.Kind == next.Kind && last.Off+last.Len == next.Off {
				last.Len += next.Len
				continue
			}
		}
		a.Regions = append(a.Regions, next)
	}
	for _, im := range s.a.Images() {
		a.Images = append(a.Images, image(im))
	}
	return a
}

func image(in xmldoc.ImageInfo) protocol.Image {
	return protocol.Image{
		Index: in.Index, Name: in.Name, Description: in.Description,
		DisplayName: in.DisplayName, DisplayDescription: in.DisplayDescription,
		Flags: in.Flags, Edition: in.Edition, InstallationType: in.InstallationType, ProductType: in.ProductType,
		Arch: in.Arch, Languages: in.Languages, DefaultLanguage: in.DefaultLanguage,
		Version: in.Version, SystemRoot: in.SystemRoot,
		Dirs: in.Dirs, Files: in.Files, Bytes: in.Bytes, HardLinkBytes: in.HardLinkBytes,
		Created: rfc3339(in.Created), Modified: rfc3339(in.Modified),
		Boot: in.Boot, WIMBoot: in.WIMBoot, Problem: in.Problem,
	}
}

func rfc3339(t format.Filetime) string {
	if t == 0 {
		return ""
	}
	return t.Time().UTC().Format(time.RFC3339)
}

// image loads the tree of an image.
func (s *session) image(index int) (*wim.Image, error) {
	im, err := s.a.Image(index)
	if err != nil {
		return nil, err
	}
	s.loaded[index] = weak.Make(im)
	return im, nil
}

// node loads an image's tree and checks that it has node n.
func (s *session) node(image int, n int32) (*wim.Image, wim.Node, error) {
	im, err := s.image(image)
	if err != nil {
		return nil, 0, err
	}
	if n < 0 || int(n) >= im.Len() {
		return nil, 0, notFound(fmt.Sprintf("image %d has no entry %d", image, n))
	}
	return im, wim.Node(n), nil
}

// find answers protocol.Find.
func (s *session) find(req protocol.FindRequest) (protocol.Row, error) {
	im, err := s.image(req.Image)
	if err != nil {
		return protocol.Row{}, err
	}
	n, ok := im.Lookup(req.Path)
	if !ok {
		return protocol.Row{}, notFound(fmt.Sprintf("image %d has no %s", req.Image, req.Path))
	}
	r := row(im, n)
	r.Path = im.Path(n)
	return r, nil
}

// xml answers protocol.XML.
func (s *session) xml() (any, []any, error) {
	return protocol.XMLReply{Pretty: s.a.XMLDoc().Pretty(), Raw: string(s.a.XML())}, nil, nil
}

// version answers protocol.Version.
func (s *session) version(req protocol.VersionRequest) (protocol.VersionReply, error) {
	v, path, err := windows.KernelVersion(s.a, req.Image)
	return protocol.VersionReply{Version: v, Path: path}, err
}

// windows answers protocol.Windows.
func (s *session) windows(req protocol.VersionRequest) (protocol.WindowsReply, error) {
	w, err := windows.Of(s.a, req.Image, false)
	if err != nil {
		return protocol.WindowsReply{}, err
	}
	rep := protocol.WindowsReply{Root: w.Root, Build: w.Build, Branch: w.Branch, Lab: w.Lab}
	for _, d := range w.Differences(s.a.ImageElement(req.Image)) {
		rep.Differences = append(rep.Differences, protocol.Difference{Property: d.Path, XML: strings.Join(d.Old, ", "), Image: strings.Join(d.Values, ", ")})
	}
	for _, p := range w.Problems {
		rep.Problems = append(rep.Problems, p.Error())
	}
	return rep, nil
}
