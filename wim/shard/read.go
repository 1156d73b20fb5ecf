package shard

import (
	"errors"
	"fmt"
	"io"

	"wimscope/wim/blobs"
	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/internal/crc32"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/internal/sha256"
)

// Yield is called between chunks, at least every 100 ms of work, with what the shard has done so far. It may block, for
// example while a job is paused. If it returns an error, the shard stops and Runner.Run returns an error that wraps it.
type Yield func(bytes int64, items int) error

// Worker is a Runner of shards that only read. It reuses its decoders and buffers.
type Worker struct {
	dec   codec.Decoders
	win   window
	refs  []blobs.Chunk
	table []byte
	chunk []byte // an unpacked chunk
	sha   *sha1.Digest
	sums  *crc32.Table
	spare []byte // buffer for Result.Data
}

// NewWorker returns a worker. Buffers grow as shards need them.
func NewWorker() *Worker { return &Worker{sha: sha1.New(), sums: crc32.New()} }

// Reuse implements Runner.
func (w *Worker) Reuse(data []byte) { w.spare = data }

// window is the part of a file that is in memory. Files are read ahead in large slices.
type window struct {
	r   io.ReaderAt
	buf []byte
	off int64 // of buf[0]
	n   int   // bytes of buf that are valid
}

// WindowSize is how many bytes are read at once: a call into the browser costs the same for few bytes and for many.
const WindowSize = 4 << 20

// need returns n bytes at off. It reads up to end if that is near. The bytes are valid until the next call.
func (w *window) need(r io.ReaderAt, off, n, end int64) ([]byte, error) {
	if r != w.r {
		w.r, w.n = r, 0
	}
	if at := off - w.off; at >= 0 && at+n <= int64(w.n) {
		return w.buf[at : at+n], nil
	}
	want := max(n, min(WindowSize, end-off))
	if int64(cap(w.buf)) < want {
		old := w.buf[:w.n]
		w.buf = make([]byte, max(want, WindowSize))
		copy(w.buf, old)
	}
	w.buf = w.buf[:cap(w.buf)]
	keep := 0
	if at := off - w.off; at >= 0 && at < int64(w.n) {
		keep = copy(w.buf, w.buf[at:w.n])
	}
	w.off, w.n = off, keep
	got, err := blobs.ReadFull(r, w.buf[keep:want], off+int64(keep))
	w.n += got
	if int64(w.n) >= n {
		next := w.off + int64(w.n)
		blobs.LookAhead(r, next, min(WindowSize, end-next))
		return w.buf[:n], nil
	}
	return nil, err
}

// shardRun runs a shard.
type shardRun struct {
	*Worker
	s       *Shard
	src     io.ReaderAt // of the current span
	yield   Yield
	res     Result
	piece   int32 // index of the current piece
	yielded int64 // res.Bytes when yield was last called

	open    *Piece // last piece of a blob whose SHA-1 is incomplete in sha
	openBad bool   // a piece of that blob is damaged
}

// YieldBytes is the number of unpacked bytes after which yield is called. They take well under 100 ms with the slowest codec.
const YieldBytes = 1 << 20

// Run runs a shard. Damaged blobs are part of the result. It returns an error only if a file could not be read, if yield, which
// may be nil, returned one, or if the shard is invalid.
func (w *Worker) Run(s *Shard, from Sources, yield Yield) (Result, error) {
	if s.Op.packs() {
		return Result{}, fmt.Errorf("wim: shard %d: %v needs a worker that packs: %w", s.Seq, s.Op, ErrShard)
	}
	if yield == nil {
		yield = func(int64, int) error { return nil }
	}
	r := &shardRun{Worker: w, s: s, yield: yield, res: Result{Seq: s.Seq}}
	w.win.n = 0 // the file may have changed since the last shard
	if s.Op == OpExtract {
		if err := r.room(); err != nil {
			return Result{}, err
		}
	}
	for i := range s.Spans {
		sp := &s.Spans[i]
		if int(sp.Src) >= len(from.Parts) {
			return Result{}, fmt.Errorf("wim: shard %d: no file %d: %w", s.Seq, sp.Src, ErrShard)
		}
		r.src = from.Parts[sp.Src]
		var err error
		switch {
		case s.Op == OpSum:
			err = r.sum(sp)
		case sp.Chunks != nil:
			err = r.solid(sp)
		default:
			err = r.plain(sp)
		}
		if err != nil {
			return Result{}, fmt.Errorf("wim: shard %d: %w", s.Seq, err)
		}
	}
	r.closeOpen()
	if err := r.yield(r.res.Bytes, r.res.Items); err != nil {
		return Result{}, err
	}
	return r.res, nil
}

// MaxShardData bounds the bytes that a shard may extract.
const MaxShardData = 1<<31 - 1

// room allocates Data for the bytes to extract.
func (r *shardRun) room() error {
	total, count := int64(0), 0
	for i := range r.s.Spans {
		for j := range r.s.Spans[i].Pieces {
			n := r.s.Spans[i].Pieces[j].Len
			if n > MaxShardData-total {
				return &format.TooLargeError{What: "shard", Need: total + n, Limit: MaxShardData}
			}
			total += n
			count++
		}
	}
	if r.res.Data, r.spare = r.spare[:0], nil; int64(cap(r.res.Data)) < total {
		r.res.Data = make([]byte, 0, total)
	}
	r.res.CRCs = make([]uint32, 0, count)
	return nil
}

// progress counts n bytes and calls yield every YieldBytes.
func (r *shardRun) progress(n int64) error {
	r.res.Bytes += n
	if r.res.Bytes-r.yielded < YieldBytes {
		return nil
	}
	r.yielded = r.res.Bytes
	return r.yield(r.res.Bytes, r.res.Items)
}

// begin starts a piece. It continues the SHA-1 of the previous piece if that is of the same blob.
func (r *shardRun) begin(p *Piece) {
	if r.open != nil && r.open.ID == p.ID && r.open.Hash == p.Hash && r.open.From+r.open.Len == p.From && p.From > 0 {
		return
	}
	r.closeOpen()
	if p.From == 0 {
		r.sha.Reset()
		r.openBad = false
	}
}

// fault describes the damage of a piece.
type fault struct {
	off, n int64 // range of the part
	lost   int64
	err    error
}

func (f *fault) add(off, n, lost int64, err error) {
	if f.err == nil {
		f.off, f.n, f.err = off, n, err
	}
	f.lost += lost
}

// hashed reports whether the piece's bytes are hashed here. They are not if the blob begins in another shard.
func (r *shardRun) hashed(p *Piece) bool { return p.From == 0 || r.open != nil }

// end finishes a piece. off and n are the range of the part to report if only the hash is wrong. tail holds the piece's bytes
// if they are to be hashed when results are merged.
func (r *shardRun) end(p *Piece, f *fault, off, n int64, tail []byte) {
	if f.err == nil && p.From+p.Len == p.Size && r.hashed(p) && !r.openBad {
		if got := format.Hash(r.sha.Sum()); got != p.Hash {
			f.add(off, n, 0, fmt.Errorf("SHA-1 is %v", got))
		}
	}
	if f.err != nil {
		r.res.Bad = append(r.res.Bad, BadPiece{Piece: r.piece, ID: p.ID, Off: f.off, Len: f.n, Lost: f.lost, Error: f.err.Error()})
		r.openBad = true
	}
	if !p.Whole() {
		c := Cut{Piece: r.piece, ID: p.ID, Hash: p.Hash, Size: p.Size, From: p.From, Len: p.Len}
		switch {
		case r.hashed(p) && p.From+p.Len < p.Size:
			r.open = p
		case r.hashed(p):
			r.open = nil
		default:
			c.Tail = tail
		}
		r.res.Cuts = append(r.res.Cuts, c)
	}
	r.piece++
	r.res.Items++
}

// closeOpen saves the SHA-1 state of a blob that continues in another shard.
func (r *shardRun) closeOpen() {
	if r.open != nil && r.s.Op == OpVerify && !r.openBad {
		r.res.Cuts[len(r.res.Cuts)-1].State = r.sha.AppendState(nil)
	}
	r.open = nil
}

// plain processes pieces that have resources of their own.
func (r *shardRun) plain(sp *Span) error {
	for i := range sp.Pieces {
		p := &sp.Pieces[i]
		r.begin(p)
		res := blobs.Resource{Off: p.Off, Packed: p.Packed, Size: p.Size, Codec: sp.Codec, ChunkSize: sp.ChunkSize, Form: blobs.FormChunked}
		switch {
		case p.Stored:
			res.Form, res.ChunkSize = blobs.FormStored, 0
		case sp.Pipable:
			res.Form = blobs.FormPipable
		}
		var f fault
		var err error
		start := len(r.res.Data)
		if !p.Stored && (!format.ChunkSizeOK(sp.Codec, uint32(min(sp.ChunkSize, 1<<31+1))) || res.Check(1<<62) != nil) || p.Stored && p.Packed != p.Size {
			f.add(p.Off, p.Packed, p.Len, ErrShard)
			r.zero(p.Len)
		} else if p.Stored {
			err = r.stored(sp, p, &f)
		} else {
			err = r.chunked(sp, p, &res, &f)
		}
		if err != nil {
			return err
		}
		r.crc(start)
		r.end(p, &f, p.Off, p.Packed, nil)
	}
	return nil
}

// crc records the CRC-32 of the extracted bytes from start on.
func (r *shardRun) crc(start int) {
	if r.s.Op == OpExtract {
		r.res.CRCs = append(r.res.CRCs, r.sums.Sum(r.res.Data[start:]))
	}
}

// zero adds zeros to Data in place of bytes that could not be read.
func (r *shardRun) zero(n int64) {
	if r.s.Op == OpExtract {
		clear(r.grow(n))
	}
}

// grow extends Data by n bytes, for which room was allocated.
func (r *shardRun) grow(n int64) []byte {
	at := len(r.res.Data)
	r.res.Data = r.res.Data[:at+int(n)]
	return r.res.Data[at:]
}

// lost reports whether a read error means that bytes are missing, rather than that the file cannot be read at the moment.
func lost(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }

// stored processes a piece that is stored uncompressed.
func (r *shardRun) stored(sp *Span, p *Piece, f *fault) error {
	off, left := p.Off+p.From, p.Len
	for left > 0 {
		n := min(left, YieldBytes)
		b, err := r.win.need(r.src, off, n, sp.End)
		if err != nil {
			if !lost(err) {
				return err
			}
			f.add(off, left, left, err)
			r.zero(left)
			return nil
		}
		if r.s.Op == OpExtract {
			copy(r.grow(n), b)
		}
		if r.hashed(p) {
			r.sha.Write(b)
		}
		off += n
		left -= n
		if err := r.progress(n); err != nil {
			return err
		}
	}
	return nil
}

// chunked processes a piece of a resource in chunks.
func (r *shardRun) chunked(sp *Span, p *Piece, res *blobs.Resource, f *fault) error {
	if p.Len == 0 {
		return nil
	}
	first, last := p.From/res.ChunkSize, (p.From+p.Len-1)/res.ChunkSize
	for at := first; at <= last; at += blobs.TableGroup {
		count := min(blobs.TableGroup, last-at+1)
		ok, err := r.places(sp, res, at, count, f)
		if err != nil {
			return err
		}
		for i := range count {
			c := res.ChunkLen(at + i)
			from := max(p.From-(at+i)*res.ChunkSize, 0)
			to := min(p.From+p.Len-(at+i)*res.ChunkSize, c)
			if !ok {
				r.zero(to - from)
				f.lost += to - from
				continue
			}
			if err := r.chunkPiece(sp, res, r.refs[i], from, to, f, r.hashed(p)); err != nil {
				return err
			}
		}
	}
	return nil
}

// places reads where chunks lie into refs. It returns false if the chunk table could not be read.
func (r *shardRun) places(sp *Span, res *blobs.Resource, first, count int64, f *fault) (bool, error) {
	off, n := res.TableRange(first, count)
	var table []byte
	var err error
	switch {
	case n == 0:
	case res.Form == blobs.FormChunked && first == 0:
		// The table precedes the chunks, so the bytes read ahead with it are those needed next.
		table, err = r.win.need(r.src, off, n, sp.End)
	default:
		if res.Packed <= WindowSize {
			if _, err := r.win.need(r.src, res.Off, res.Packed, sp.End); err != nil && !lost(err) {
				return false, err
			}
		}
		if at := off - r.win.off; r.win.r == r.src && at >= 0 && at+n <= int64(r.win.n) {
			table = r.win.buf[at : at+n]
			break
		}
		if int64(cap(r.table)) < n {
			r.table = make([]byte, n)
		}
		table = r.table[:n]
		_, err = blobs.ReadFull(r.src, table, off)
	}
	if err != nil {
		if !lost(err) {
			return false, err
		}
		f.add(off, n, 0, err)
		return false, nil
	}
	r.refs = res.AppendChunks(r.refs[:0], table, first, count)
	return true, nil
}

// chunkPiece unpacks a chunk and adds its bytes [from, to) to the current piece.
func (r *shardRun) chunkPiece(sp *Span, res *blobs.Resource, c blobs.Chunk, from, to int64, f *fault, hashed bool) error {
	n := to - from
	if c.Packed == 0 {
		f.add(res.Off, res.Packed, n, blobs.ErrChunkTable)
		r.zero(n)
		return nil
	}
	packed, err := r.win.need(r.src, c.Off, c.Packed, max(sp.End, c.Off+c.Packed))
	if err != nil {
		if !lost(err) {
			return err
		}
		f.add(c.Off, c.Packed, n, err)
		r.zero(n)
		return nil
	}
	var out []byte
	whole := n == c.Size
	switch {
	case c.Packed == c.Size && r.s.Op != OpExtract:
		out = packed[from:to] // stored raw
	case c.Packed == c.Size:
		out = r.grow(n)
		copy(out, packed[from:to])
	default:
		dst := r.unpacked(c.Size)
		if whole && r.s.Op == OpExtract {
			dst = r.grow(n)
		}
		if err := r.dec.Decode(res.Codec, res.ChunkSize, dst, packed); err != nil {
			f.add(c.Off, c.Packed, n, err)
			if whole && r.s.Op == OpExtract {
				clear(dst)
			} else {
				r.zero(n)
			}
			return r.progress(n)
		}
		out = dst[from:to]
		if !whole && r.s.Op == OpExtract {
			out = r.grow(n)
			copy(out, dst[from:to])
		}
	}
	if hashed {
		r.sha.Write(out)
	}
	return r.progress(n)
}

// unpacked returns a buffer for a chunk.
func (r *shardRun) unpacked(n int64) []byte {
	if int64(cap(r.chunk)) < n {
		r.chunk = make([]byte, n)
	}
	return r.chunk[:n]
}

// solid processes pieces of a solid resource, unpacking each chunk once. The pieces are in order and do not overlap.
func (r *shardRun) solid(sp *Span) error {
	ci := 0
	start := int64(0) // of chunk ci, in unpacked bytes
	var data []byte   // chunk ci unpacked; nil if that was not yet done or failed
	var bad error
	ready := false
	for i := range sp.Pieces {
		p := &sp.Pieces[i]
		r.begin(p)
		var f fault
		var tail []byte
		keepTail := r.s.Op == OpVerify && !r.hashed(p)
		mark := len(r.res.Data)
		firstChunk := -1
		for at := p.Off; at < p.Off+p.Len; {
			for ci < len(sp.Chunks) && at >= start+sp.Chunks[ci].Size {
				start += sp.Chunks[ci].Size
				ci++
				ready = false
			}
			if ci >= len(sp.Chunks) || at < start {
				return ErrShard
			}
			c := &sp.Chunks[ci]
			if firstChunk < 0 {
				firstChunk = ci
			}
			if !ready {
				var err error
				if data, bad, err = r.solidChunk(sp, c); err != nil {
					return err
				}
				ready = true
			}
			n := min(start+c.Size, p.Off+p.Len) - at
			if bad != nil {
				f.add(c.Off, c.Packed, n, bad)
				r.zero(n)
				at += n
				continue
			}
			// In small steps, so that yield is called in time.
			n = min(n, YieldBytes)
			b := data[at-start : at-start+n]
			if r.s.Op == OpExtract {
				copy(r.grow(n), b)
			}
			if keepTail {
				tail = append(tail, b...)
			} else if r.hashed(p) {
				r.sha.Write(b)
			}
			at += n
			if err := r.progress(n); err != nil {
				return err
			}
		}
		off, n := sp.Off, sp.End-sp.Off
		if firstChunk >= 0 {
			off = sp.Chunks[firstChunk].Off
			n = sp.Chunks[ci].Off + sp.Chunks[ci].Packed - off
		}
		r.crc(mark)
		r.end(p, &f, off, n, tail)
	}
	return nil
}

// solidChunk unpacks a chunk. bad is an error that means damage, err any other error.
func (r *shardRun) solidChunk(sp *Span, c *Chunk) (data []byte, bad, err error) {
	if c.Packed <= 0 || c.Packed > c.Size || c.Size > MaxShardData || c.Packed < c.Size &&
		(c.Size > sp.ChunkSize || !format.ChunkSizeOK(sp.Codec, uint32(min(sp.ChunkSize, 1<<31+1)))) {
		return nil, blobs.ErrChunkTable, nil
	}
	packed, err := r.win.need(r.src, c.Off, c.Packed, max(sp.End, c.Off+c.Packed))
	if err != nil {
		if lost(err) {
			return nil, err, nil
		}
		return nil, nil, err
	}
	if c.Packed == c.Size {
		return packed, nil, nil // the window does not move before the next chunk
	}
	data = r.unpacked(c.Size)
	err = r.dec.DecodeFunc(sp.Codec, sp.ChunkSize, data, packed, func() error { return r.yield(r.res.Bytes, r.res.Items) })
	var stop *codec.StopError
	if errors.As(err, &stop) {
		return nil, nil, stop.Err
	}
	if err != nil {
		return nil, err, nil
	}
	return data, nil, nil
}

// sum computes the SHA-256 of a range of a file.
func (r *shardRun) sum(sp *Span) error {
	h := sha256.New()
	for off := sp.Off; off < sp.End; {
		n := min(YieldBytes, sp.End-off)
		b, err := r.win.need(r.src, off, n, sp.End)
		if err != nil {
			return err
		}
		h.Write(b)
		off += n
		if err := r.progress(n); err != nil {
			return err
		}
	}
	sum := h.Sum()
	r.res.Sum = sum[:]
	r.res.Items++
	return nil
}
