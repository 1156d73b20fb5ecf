package pack

import (
	"encoding/binary"
	"fmt"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// copyAll copies packed bytes.
func (r *run) copyAll() error {
	r.res.Packed = make([]shard.PackedItem, 0, len(r.k.Pieces))
	for i := range r.k.Pieces {
		p := &r.k.Pieces[i]
		if p.Source == shard.PieceFrame {
			if err := r.frame(p); err != nil {
				return err
			}
			continue
		}
		if p.Source != shard.PiecePacked || p.Lead != 0 || p.Trail != 0 || p.Src < 0 || int(p.Src) >= len(r.from.Parts) {
			return shard.ErrShard
		}
		b := r.room(p.Len)
		for at := int64(0); at < p.Len; {
			n := min(shard.WindowSize, p.Len-at)
			if _, err := blobs.ReadFull(r.from.Parts[p.Src], b[at:at+n], p.Off+at); err != nil {
				return &shard.ContentError{ID: p.ID, Err: err}
			}
			at += n
			if err := r.progress(n); err != nil {
				return err
			}
		}
		r.keep(p.Len)
		r.res.Packed = append(r.res.Packed, shard.PackedItem{ID: p.ID, Hash: p.Hash, Packed: p.Len})
	}
	return nil
}

// frame copies the chunks of a resource from the ordinary layout to that of pipable archives, or back.
func (r *run) frame(p *shard.PackPiece) error {
	chunk := r.k.ChunkSize
	if p.Lead != 0 || p.Trail != 0 || p.From != 0 || p.Src < 0 || int(p.Src) >= len(r.from.Parts) || chunk <= 0 || chunk&(chunk-1) != 0 {
		return shard.ErrShard
	}
	// The shard does not contain the codec. No codec has smaller chunks than LZMS.
	res := blobs.Resource{Form: blobs.FormChunked, Codec: format.LZMS, Packed: p.Len, Size: p.Size, ChunkSize: chunk}
	if !r.k.Pipable {
		res.Form = blobs.FormPipable
	}
	if res.Check(p.Len) != nil {
		return shard.ErrShard
	}
	if int64(cap(r.buf)) < p.Len {
		r.buf = make([]byte, p.Len)
	}
	b := r.buf[:p.Len]
	if _, err := blobs.ReadFull(r.from.Parts[p.Src], b, p.Off); err != nil {
		return &shard.ContentError{ID: p.ID, Err: err}
	}
	n := res.Chunks()
	off, k := res.TableRange(0, n)
	chunks := res.AppendChunks(make([]blobs.Chunk, 0, n), b[off:off+k], 0, n)
	table := b[res.TableOff() : res.TableOff()+res.TableSize()]
	start := len(r.res.Data)
	if !r.k.Pipable {
		r.res.Data = append(r.res.Data, table...)
	}
	for _, c := range chunks {
		if c.Packed == 0 {
			return &shard.ContentError{ID: p.ID, Err: fmt.Errorf("%w: %w", blobs.ErrChunkTable, format.ErrFormat)}
		}
		if r.k.Pipable {
			r.res.Data = binary.LittleEndian.AppendUint32(r.res.Data, uint32(c.Packed))
		}
		r.res.Data = append(r.res.Data, b[c.Off:c.Off+c.Packed]...)
	}
	if r.k.Pipable {
		r.res.Data = append(r.res.Data, table...)
	}
	r.res.Packed = append(r.res.Packed, shard.PackedItem{ID: p.ID, Hash: p.Hash, Packed: int64(len(r.res.Data) - start)})
	return r.progress(p.Len)
}
