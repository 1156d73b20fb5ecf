package pack

import (
	"encoding/binary"
	"errors"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// alone makes a resource of a content, or a run of chunks of a piece of it.
func (r *run) alone(p *shard.PackPiece, in *loadedPiece) (err error) {
	room, b := r.room(p.Len+r.extra(p)), in.bytes
	it := shard.PackedItem{ID: p.ID, Hash: in.hash}
	switch {
	case r.k.Codec == format.None:
		it.Stored = true
	case p.Whole() && r.k.Pipable:
		it.Packed, err = r.pipable(room, b)
		it.Stored = it.Packed == p.Len
	case p.Whole():
		it.Packed, err = r.resource(room, b)
		it.Stored = it.Packed == p.Len
	default:
		it.Chunks, it.Packed, err = r.chunks(room, b)
	}
	if err != nil {
		return err
	}
	if it.Stored {
		if it.Packed = p.Len; p.Len > 0 && &room[0] != &b[0] {
			copy(room, b)
		}
	}
	if r.k.Codec == format.None {
		if err := r.progress(p.Len); err != nil {
			return err
		}
	}
	r.keep(it.Packed)
	r.res.Packed = append(r.res.Packed, it)
	return nil
}

// resource packs a whole content to dst, which has the same length: chunk table and chunks. If that is not shorter, it
// returns len(src), and the bytes of dst are undefined.
func (r *run) resource(dst, src []byte) (int64, error) {
	size, chunk := int64(len(src)), r.k.ChunkSize
	n := (size + chunk - 1) / chunk
	table := max(n-1, 0) * int64(format.ChunkEntrySize(uint64(size)))
	at := table
	r.sizes = r.sizes[:0]
	for i := range n {
		if at >= size {
			return size, r.progress(size - i*chunk)
		}
		c := src[i*chunk : min((i+1)*chunk, size)]
		k, err := r.pack(dst[at:min(at+int64(len(c))-1, size)], c)
		if err != nil {
			return 0, err
		}
		if k == 0 { // stored raw
			if at+int64(len(c)) > size {
				return size, r.progress(size - i*chunk)
			}
			k = int64(copy(dst[at:], c))
		}
		at += k
		r.sizes = append(r.sizes, uint32(k))
		if err := r.progress(int64(len(c))); err != nil {
			return 0, err
		}
	}
	AppendChunkTable(dst[:0], r.sizes, size)
	return min(at, size), nil
}

// pipable packs a whole content to dst as resource does, in the layout of pipable archives.
func (r *run) pipable(dst, src []byte) (int64, error) {
	sizes, at, err := r.chunks(dst, src)
	if err != nil {
		return 0, err
	}
	if at+int64(len(sizes)-1)*4 >= int64(len(src)) { // table entries have 4 bytes: no shard holds a content of 4 GiB
		return int64(len(src)), nil
	}
	return int64(len(AppendChunkTable(dst[:at:len(dst)], sizes, int64(len(src))))), nil
}

// AppendChunkTable appends the chunk table of a content: the offset of each chunk but the first.
func AppendChunkTable(b []byte, sizes []uint32, size int64) []byte {
	wide := format.ChunkEntrySize(uint64(size)) == 8
	at := uint64(0)
	for _, n := range sizes[:max(len(sizes)-1, 0)] {
		if at += uint64(n); wide {
			b = binary.LittleEndian.AppendUint64(b, at)
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(at))
		}
	}
	return b
}

// pack packs a chunk to dst and returns its packed size, 0 if it does not fit.
func (r *run) pack(dst, src []byte) (int64, error) {
	if len(dst) == 0 {
		return 0, nil
	}
	n, err := r.enc.Encode(r.k.Codec, r.s.EncoderSize(), r.k.Level, dst, src, func() error { return r.yield(r.res.Bytes, len(r.res.Packed)) })
	if n < 0 || n > len(dst) {
		return 0, errors.New("wim: an encoder returned an invalid length")
	}
	return int64(n), err
}

// chunks packs chunks one after another to dst, which must have len(src) bytes plus those of extra. total is their packed
// size, including the sizes that precede the chunks of pipable resources.
func (r *run) chunks(dst, src []byte) (sizes []uint32, total int64, err error) {
	chunk := int(r.k.ChunkSize)
	sizes = make([]uint32, 0, (len(src)+chunk-1)/chunk)
	for len(src) > 0 {
		c := src[:min(chunk, len(src))]
		prefix := dst[total:]
		if r.k.Pipable {
			total += blobs.PipablePrefix
		}
		k, err := r.pack(dst[total:total+int64(len(c))-1], c)
		if err != nil {
			return nil, 0, err
		}
		if k == 0 {
			k = int64(copy(dst[total:], c))
		}
		if r.k.Pipable {
			binary.LittleEndian.PutUint32(prefix, uint32(k))
		}
		sizes = append(sizes, uint32(k))
		total += k
		src = src[len(c):]
		if err := r.progress(int64(len(c))); err != nil {
			return nil, 0, err
		}
	}
	return sizes, total, nil
}

// solid packs the concatenated bytes of the pieces in chunks.
func (r *run) solid() error {
	total := int64(0)
	for i := range r.k.Pieces {
		total += r.k.Pieces[i].Len
	}
	left := total
	room := min(r.k.ChunkSize, total)
	if int64(cap(r.chunk)) < room {
		r.chunk = make([]byte, 0, room)
	}
	r.chunk = r.chunk[:0]
	out := r.room(total)
	used := int64(0)
	for i := range r.k.Pieces {
		p := &r.k.Pieces[i]
		b, err := r.bytes(p, 0)
		if err != nil {
			return err
		}
		if _, err := r.sum(p, b); err != nil {
			return err
		}
		b = b[p.Lead : p.Lead+p.Len]
		for len(b) > 0 {
			n := min(r.k.ChunkSize-int64(len(r.chunk)), int64(len(b)))
			r.chunk = append(r.chunk, b[:n]...)
			b = b[n:]
			left -= n
			if int64(len(r.chunk)) < r.k.ChunkSize && left > 0 {
				continue
			}
			err := r.turn(func() error {
				sizes, k, err := r.chunks(out[used:], r.chunk)
				r.res.Chunks = append(r.res.Chunks, sizes...)
				used += k
				return err
			})
			if err != nil {
				return err
			}
			r.chunk = r.chunk[:0]
		}
	}
	r.keep(used)
	return nil
}
