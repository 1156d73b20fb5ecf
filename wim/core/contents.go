package core

import (
	"fmt"

	"wimscope/wim/format"
)

// ContentsPlan unpacks contents in the order in which they lie, for callers that know themselves what becomes of
// them. It is a plan of OpExtract: the bytes are in ShardResult.Data, the contents that they belong to in the shard's
// pieces. Contents of references take part.
type ContentsPlan struct {
	layout
}

// PlanContents makes the plan of unpacking the contents with these hashes; zero ones and repeated ones count once or
// not at all. Errors: *MissingBlobError, *FormatError for one whose place makes no sense, *TooLargeError.
func PlanContents(a *Archive, hashes []format.Hash) (*ContentsPlan, error) {
	p := &ContentsPlan{layout{a: a.Store(), op: OpExtract, extract: true}}
	seen := make(map[int32]bool, len(hashes))
	var plain, solid []int32
	for _, h := range hashes {
		if h.IsZero() {
			continue
		}
		id, ok := a.Store().blobID(h)
		if !ok || a.Store().blobs[id].bad == faultAbsent {
			return nil, a.Store().missingBlob(h)
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		rec := &a.Store().blobs[id]
		switch {
		case rec.bad != faultNone:
			return nil, format.Errorf("content "+h.String(), a.Store().parts[rec.src].Name, rec.off, "%v", rec.bad)
		case rec.run >= 0:
			solid = append(solid, id)
		default:
			plain = append(plain, id)
		}
	}
	if err := p.plan(plain, solid); err != nil {
		return nil, err
	}
	if len(p.refused) > 0 {
		r := p.refused[0]
		return nil, fmt.Errorf("wim: content %v: %w", a.Store().blobs[r.id].hash, r.err)
	}
	return p, nil
}

// NumShards implements Plan.
func (p *ContentsPlan) NumShards() int { return len(p.shards) }

// Bytes implements Plan.
func (p *ContentsPlan) Bytes() int64 { return p.bytes }

// Items implements Plan.
func (p *ContentsPlan) Items() int { return p.items }

// Shard implements Plan.
func (p *ContentsPlan) Shard(i int) (*Shard, error) { return p.shard(i) }

// Merge implements Plan. It tells what was read and what of it is bad.
func (p *ContentsPlan) Merge(i int, r *ShardResult) ([]BlockMark, error) {
	s, err := p.shard(i)
	if err != nil {
		return nil, err
	}
	marks := make([]BlockMark, 0, len(s.Spans)+len(r.Bad))
	for _, sp := range s.Spans {
		marks = append(marks, BlockMark{int(sp.Src), sp.Off, sp.End - sp.Off, false})
	}
	for _, b := range r.Bad {
		marks = append(marks, BlockMark{s.Part, b.Off, b.Len, true})
	}
	return marks, nil
}
