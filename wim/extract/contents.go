package extract

import (
	"fmt"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// ContentsPlan unpacks contents in the order in which they lie, for callers that know themselves what becomes of
// them. It is a plan of OpExtract: the bytes are in shard.Result.Data, the contents that they belong to in the shard's
// pieces. Contents of references take part.
type ContentsPlan struct {
	shard.Layout
}

// PlanContents makes the plan of unpacking the contents with these hashes; zero ones and repeated ones count once or
// not at all. Errors: *blobs.MissingError, *FormatError for one whose place makes no sense, *TooLargeError.
func PlanContents(a *wim.Archive, hashes []format.Hash) (*ContentsPlan, error) {
	p := &ContentsPlan{shard.Layout{Store: a.Store(), Op: shard.OpExtract, Extract: true}}
	seen := make(map[int32]bool, len(hashes))
	var plain, solid []int32
	for _, h := range hashes {
		if h.IsZero() {
			continue
		}
		id, ok := a.Store().BlobID(h)
		if !ok || a.Store().Records[id].Fault == blobs.FaultAbsent {
			return nil, a.Store().MissingBlob(h)
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		rec := &a.Store().Records[id]
		switch {
		case rec.Fault != blobs.FaultNone:
			return nil, format.Errorf("content "+h.String(), a.Store().Parts[rec.Src].Name, rec.Off, "%v", rec.Fault)
		case rec.Run >= 0:
			solid = append(solid, id)
		default:
			plain = append(plain, id)
		}
	}
	if err := p.Divide(plain, solid); err != nil {
		return nil, err
	}
	if len(p.Unread) > 0 {
		r := p.Unread[0]
		return nil, fmt.Errorf("wim: content %v: %w", a.Store().Records[r.ID].Hash, r.Err)
	}
	return p, nil
}

// Merge implements Plan. It tells what was read and what of it is bad.
func (p *ContentsPlan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	s, err := p.Shard(i)
	if err != nil {
		return nil, err
	}
	marks := make([]shard.BlockMark, 0, len(s.Spans)+len(r.Bad))
	for _, sp := range s.Spans {
		marks = append(marks, shard.BlockMark{Part: int(sp.Src), Off: sp.Off, Len: sp.End - sp.Off, Bad: false})
	}
	for _, b := range r.Bad {
		marks = append(marks, shard.BlockMark{Part: s.Part, Off: b.Off, Len: b.Len, Bad: true})
	}
	return marks, nil
}
