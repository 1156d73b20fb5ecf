package engine

import (
	"fmt"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/worker/protocol"
)

// sort answers protocol.Sort: which files form an archive together, and which archives have contents that others lack.
// It does not affect an open session.
func (e *Engine) sort(w *Work, req protocol.OpenRequest, attach []any) (protocol.SortReply, error) {
	var rep protocol.SortReply
	files, _, err := attached(req.Parts, nil, attach)
	if err != nil {
		return rep, err
	}
	type set struct {
		guid    string
		total   int
		members map[int]int // part number to index of the file
		a       *wim.Archive
	}
	var sets []*set
	refuse := func(file int, err error) {
		rep.Refused = append(rep.Refused, protocol.RefusedFile{File: file, Error: *protocol.AsError(Error(err))})
	}
	for i := range files {
		id, err := blobs.Identify(files[i])
		if err != nil {
			refuse(i, err)
			continue
		}
		var at *set
		for _, s := range sets {
			// A part number that the set has already starts another archive: a copy, or a delta that kept the GUID.
			if _, taken := s.members[id.Number]; !taken && s.guid == id.GUID && s.total == id.Total {
				at = s
				break
			}
		}
		if at == nil {
			at = &set{guid: id.GUID, total: id.Total, members: make(map[int]int)}
			sets = append(sets, at)
		}
		at.members[id.Number] = i
	}
	var opened []*set
	for _, s := range sets {
		var parts []blobs.Part
		var d protocol.Dropped
		for n := 1; n <= s.total && len(parts) < len(s.members); n++ {
			if i, ok := s.members[n]; ok {
				parts = append(parts, files[i])
				d.Files = append(d.Files, i)
				d.Size += files[i].Size
			}
		}
		if len(sets) > 1 { // the page opens a single archive next, which reports its errors
			var err error
			if s.a, err = wim.Open(parts, &blobs.Options{TreeCacheSize: 1, MaxMemory: e.o.MaxMemory}); err != nil {
				refuse(d.Files[0], err)
				for _, i := range d.Files[1:] {
					refuse(i, err)
				}
				continue
			}
			d.Images = len(s.a.Images())
		}
		opened = append(opened, s)
		rep.Archives = append(rep.Archives, d)
	}
	if len(opened) < 2 {
		return rep, nil
	}
	for i, s := range opened {
		missing, err := lacking(w, s.a, s.a.Image, func(int) {})
		if err != nil {
			return rep, fmt.Errorf("%s: %w", files[rep.Archives[i].Files[0]].Name, err)
		}
		rep.Archives[i].Lacks = len(missing)
		for j, other := range opened {
			if j == i {
				continue
			}
			for h := range missing {
				if _, ok := other.a.Store().Blob(h); ok {
					rep.Archives[i].Needs = append(rep.Archives[i].Needs, j)
					break
				}
			}
		}
	}
	return rep, nil
}
