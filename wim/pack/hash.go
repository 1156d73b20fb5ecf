package pack

import (
	"fmt"

	"wimscope/wim/blobs"
	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// hashAll computes the hashes of contents, with a state every shard.StateStep bytes. Contents of archives are unpacked one span at
// a time.
func (r *run) hashAll() error {
	r.res.Packed = make([]shard.PackedItem, 0, len(r.k.Pieces))
	spans := r.s.Spans
	for i := range r.k.Pieces {
		p := &r.k.Pieces[i]
		it := shard.PackedItem{ID: p.ID}
		r.sha.Reset()
		at, zeros := int64(0), true
		add := func(b []byte) error {
			for len(b) > 0 {
				n := min(int64(len(b)), shard.StateStep-at%shard.StateStep, shard.YieldBytes)
				r.sha.Write(b[:n])
				zeros = zeros && codec.AllZero(b[:n])
				b = b[n:]
				at += n
				if at%shard.StateStep == 0 && at < p.Size {
					it.States = r.sha.AppendState(it.States)
				}
				if at%shard.StateStep == 0 || at == p.Size {
					it.Zeros = append(it.Zeros, zeroMark(zeros))
					zeros = true
				}
				if err := r.progress(n); err != nil {
					return err
				}
			}
			return nil
		}
		switch p.Source {
		case shard.PieceFile:
			if err := r.hashFile(p, add); err != nil {
				return err
			}
		case shard.PieceUnpack:
			for at < p.Size {
				if len(spans) == 0 {
					return shard.ErrShard
				}
				if err := r.unpack(spans[:1]); err != nil {
					return err
				}
				if spans = spans[1:]; int64(len(r.unpacked)) > p.Size-at || len(r.unpacked) == 0 {
					return shard.ErrShard
				}
				if err := add(r.unpacked); err != nil {
					return err
				}
			}
		default:
			return shard.ErrShard
		}
		it.Hash = r.sha.Sum()
		if p.Known && it.Hash != p.Hash {
			why := fmt.Errorf("SHA-1 is %v, want %v: %w", it.Hash, p.Hash, blobs.ErrChanged)
			if p.Source == shard.PieceUnpack {
				why = format.Describe(fmt.Sprintf("the blob is damaged: SHA-1 is %v", it.Hash), format.ErrChecksum)
			}
			return &shard.ContentError{ID: p.ID, Err: why}
		}
		r.res.Packed = append(r.res.Packed, it)
	}
	return nil
}

// zeroMark returns the byte of shard.PackedItem.Zeros for a step.
func zeroMark(zeros bool) byte {
	if zeros {
		return 1
	}
	return 0
}

// holeZeros are the bytes of a hole.
var holeZeros [64 << 10]byte

// hashFile passes the bytes of a file to add. It does not read holes.
func (r *run) hashFile(p *shard.PackPiece, add func([]byte) error) error {
	f, err := r.open(p)
	if err != nil {
		return err
	}
	if room := min(p.Size, shard.WindowSize); int64(cap(r.buf)) < room {
		r.buf = make([]byte, room)
	}
	for off := int64(0); off < p.Size && err == nil; {
		from, to := nextData(f, off)
		if from > off {
			// The same few zeros again and again: they stay in the processor's cache.
			for ; off < from && err == nil; off += min(int64(len(holeZeros)), from-off) {
				err = add(holeZeros[:min(int64(len(holeZeros)), from-off)])
			}
			continue
		}
		b := r.buf[:min(int64(cap(r.buf)), max(to, off+1)-off, p.Size-off)]
		if err = readData(f, p, b, off); err == nil {
			err = add(b)
		}
		off += int64(len(b))
	}
	return closeContent(f, p, err)
}
