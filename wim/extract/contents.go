package extract

import (
	"context"
	"fmt"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// ContentsPlan unpacks blobs in the order in which they are stored, for callers that decide themselves where the bytes go.
// The shards have the operation OpExtract: the bytes are in shard.Result.Data, and the shard's pieces name their blobs.
// Blobs in referenced archives are included.
type ContentsPlan struct {
	shard.Layout
}

// PlanContents plans the unpacking of the blobs with these hashes. It ignores zero hashes and repeated ones. Errors:
// *blobs.MissingError, *format.Error for a blob whose location is invalid, *format.TooLargeError.
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

// Merge implements shard.Plan. It returns the ranges that were read and those that are damaged.
func (p *ContentsPlan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	s, err := p.Shard(i)
	if err != nil {
		return nil, err
	}
	return s.Marks(r), nil
}

// Contents receives the blobs of a ContentsPlan.
type Contents struct {
	// Piece is called for each piece. The pieces of a blob come in order, one blob after the other.
	Piece func(h format.Hash, off int64, data []byte, last bool) error
	// Damaged is called once for a damaged blob, before the piece in which the damage shows: for a blob in several pieces,
	// before the last one at the latest. An error ends the job.
	Damaged func(h format.Hash, why string) error
}

// RunContents runs a plan on goroutines and calls c for each piece, from one goroutine at a time. The first error ends the
// job.
func RunContents(ctx context.Context, p *ContentsPlan, src blobs.Source, workers int, c Contents, progress func(shard.Progress)) error {
	return shard.Run(ctx, &contentsRun{ContentsPlan: p, to: c}, shard.Sources{Parts: src}, &shard.Options{Workers: workers, Progress: progress})
}

// contentsRun is a plan that hands out its blobs.
type contentsRun struct {
	*ContentsPlan
	to  Contents
	sha cutHash // of the blob whose pieces are coming in
	bad bool    // its damage was reported
}

// Merge implements shard.Plan.
func (c *contentsRun) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	s, err := c.Shard(i)
	if err != nil {
		return nil, err
	}
	bad := map[int32]string{}
	for _, b := range r.Bad {
		bad[b.Piece] = b.Error
	}
	data, n := r.Data, int32(0)
	for _, sp := range s.Spans {
		for j := range sp.Pieces {
			p := &sp.Pieces[j]
			if p.Len > int64(len(data)) {
				return nil, ErrSegment
			}
			if err := c.piece(p, data[:p.Len], bad[n]); err != nil {
				return nil, err
			}
			data = data[p.Len:]
			n++
		}
	}
	return nil, nil
}

func (c *contentsRun) piece(p *shard.Piece, data []byte, why string) error {
	last := p.From+p.Len == p.Size
	if p.From == 0 {
		c.bad = false
	}
	if p.From != 0 || !last { // no shard can check the hash of a split blob
		if p.From == 0 {
			c.sha.reset()
		}
		c.sha.write(data)
		if last && why == "" && c.sha.sum() != p.Hash {
			why = "SHA-1 does not match"
		}
	}
	if why != "" && !c.bad {
		c.bad = true
		if err := c.to.Damaged(p.Hash, why); err != nil {
			return err
		}
	}
	return c.to.Piece(p.Hash, p.From, data, last)
}
