package pack

import (
	"fmt"

	"wimscope/wim/blobs"
	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/internal/wire"
	"wimscope/wim/shard"
)

// Worker is a shard.Runner of all shards. It reuses its encoders, decoders and buffers.
type Worker struct {
	read  *shard.Worker
	enc   *codec.Encoders
	turns chan *codec.Encoders // encoders that several workers share; nil: this worker has its own
	sha   *sha1.Digest
	buf   []byte        // bytes of pieces
	now   []loadedPiece // pieces to pack next
	spare []byte        // buffer for Result.Data
	sizes []uint32      // packed sizes of a content's chunks
}

// loadedPiece is a piece whose bytes were read and verified.
type loadedPiece struct {
	bytes []byte
	hash  format.Hash // of the content, if known
}

// loadBytes is about how many bytes are read before they are packed. It is large enough that waiting for a turn does not
// matter.
const loadBytes = 1 << 20

// NewWorker returns a worker. It allocates buffers and encoders as shards need them. turns holds the encoders that several
// workers share by taking turns: while one of them packs, another one reads. With nil the worker has encoders of its own.
func NewWorker(turns chan *codec.Encoders) *Worker {
	return &Worker{read: shard.NewWorker(), enc: &codec.Encoders{}, turns: turns, sha: sha1.New()}
}

// Reuse implements shard.Runner.
func (w *Worker) Reuse(data []byte) { w.spare = data }

// run is one shard being run.
type run struct {
	*Worker
	s       *shard.Shard
	k       *shard.Packing
	from    shard.Sources
	yield   shard.Yield
	res     shard.Result
	yielded int64 // res.Bytes when yield was last called

	unpacked []byte // bytes of the next shard.PieceUnpack pieces
	chunk    []byte // OpPackSolid: the chunk that is being filled
}

// Run runs a shard. It returns a *shard.ContentError if a content that is packed could not be read, has changed or is damaged,
// the error of yield, or shard.ErrShard if the shard is invalid. yield may be nil.
func (w *Worker) Run(s *shard.Shard, from shard.Sources, yield shard.Yield) (shard.Result, error) {
	if s.Pack == nil {
		w.read.Reuse(w.spare)
		w.spare = nil
		return w.read.Run(s, from, yield)
	}
	if yield == nil {
		yield = func(int64, int) error { return nil }
	}
	r := &run{Worker: w, s: s, k: s.Pack, from: from, yield: yield, res: shard.Result{Seq: s.Seq}}
	if err := r.do(); err != nil {
		return shard.Result{}, err
	}
	r.res.Items = len(s.Pack.Pieces)
	if err := yield(r.res.Bytes, r.res.Items); err != nil {
		return shard.Result{}, err
	}
	return r.res, nil
}

func (r *run) do() error {
	s, k := r.s, r.k
	switch {
	case s.Op == shard.OpHash:
		return r.hashAll()
	case k.Codec != format.None && s.Op != shard.OpCopy && (k.Level < codec.LevelFast || k.Level > codec.LevelMaximum):
		return fmt.Errorf("wim: shard %d: level %d: %w", s.Seq, k.Level, shard.ErrShard)
	case k.Codec == format.None && s.Op == shard.OpPackSolid, k.Codec != format.None && s.Op != shard.OpCopy && (k.ChunkSize > wire.MaxLength || !format.ChunkSizeOK(k.Codec, uint32(min(k.ChunkSize, 1<<31+1)))):
		return fmt.Errorf("wim: shard %d: chunk size %d is not valid for %v: %w", s.Seq, k.ChunkSize, k.Codec, shard.ErrShard)
	}
	total, unpack := int64(0), int64(0)
	if k.Pipable && (s.Op != shard.OpPack && s.Op != shard.OpCopy) {
		return shard.ErrShard
	}
	for i := range k.Pieces {
		p := &k.Pieces[i]
		_, n := p.Reads()
		if n > shard.MaxShardData-total || p.Source == shard.PieceFrame && p.Size > shard.MaxShardData-total {
			return &format.TooLargeError{What: "shard", Need: total + max(n, p.Size), Limit: shard.MaxShardData}
		}
		total += p.Len + r.extra(p)
		if p.Source == shard.PieceUnpack {
			unpack += n
		}
	}
	if r.res.Data, r.spare = r.spare[:0], nil; int64(cap(r.res.Data)) < total {
		r.res.Data = make([]byte, 0, total)
	}
	if s.Op == shard.OpCopy {
		return r.copyAll()
	}
	if err := r.unpack(s.Spans); err != nil {
		return err
	}
	if int64(len(r.unpacked)) != unpack {
		return fmt.Errorf("wim: shard %d unpacks %d bytes, not %d: %w", s.Seq, len(r.unpacked), unpack, shard.ErrShard)
	}
	if s.Op == shard.OpPackSolid {
		return r.solid()
	}
	r.res.Packed = make([]shard.PackedItem, 0, len(k.Pieces))
	for pieces := k.Pieces; len(pieces) > 0; pieces = pieces[len(r.now):] {
		if err := r.load(pieces); err != nil {
			return err
		}
		err := r.turn(func() error {
			for i := range r.now {
				if err := r.alone(&pieces[i], &r.now[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// turn calls pack when it is this worker's turn. Reading does not need a turn.
func (r *run) turn(pack func() error) error {
	if r.turns != nil && r.k.Codec != format.None {
		r.enc = <-r.turns
		defer func() { r.turns <- r.enc }()
	}
	return pack()
}

// load reads the first of the pieces, and more while they are small. Bytes that are stored uncompressed are read directly
// into Data, one piece at a time.
func (r *run) load(pieces []shard.PackPiece) error {
	r.now = r.now[:0]
	used := int64(0)
	for i := range pieces {
		p := &pieces[i]
		_, n := p.Reads()
		if i > 0 && (r.k.Codec == format.None || n > loadBytes-used) {
			break
		}
		b, err := r.bytes(p, used)
		if err != nil {
			return err
		}
		hash, err := r.sum(p, b)
		if err != nil {
			return err
		}
		r.now = append(r.now, loadedPiece{b[p.Lead : p.Lead+p.Len], hash})
		used += n
	}
	return nil
}

// unpack unpacks spans of archives, and fails if any piece is damaged.
func (r *run) unpack(spans []shard.Span) error {
	if len(spans) == 0 {
		return nil
	}
	res, err := r.read.Run(&shard.Shard{Seq: r.s.Seq, Op: shard.OpExtract, Spans: spans}, r.from, func(int64, int) error {
		return r.yield(r.res.Bytes, len(r.res.Packed))
	})
	if err == nil {
		err = res.Damage()
	}
	if err != nil {
		return err
	}
	r.unpacked = res.Data
	r.read.Reuse(res.Data) // they are used up before anything else is unpacked
	return nil
}

// progress counts n bytes and calls yield every shard.YieldBytes.
func (r *run) progress(n int64) error {
	r.res.Bytes += n
	if r.res.Bytes-r.yielded < shard.YieldBytes {
		return nil
	}
	r.yielded = r.res.Bytes
	return r.yield(r.res.Bytes, len(r.res.Packed))
}

// extra returns how many bytes a piece may take beyond its own size. In a pipable resource sizes stand before the chunks, and
// offsets after them.
func (r *run) extra(p *shard.PackPiece) int64 {
	switch {
	case r.k.ChunkSize <= 0 || !r.k.Pipable:
		return 0
	case r.s.Op == shard.OpCopy && p.Source == shard.PieceFrame:
		return (p.Size + r.k.ChunkSize - 1) / r.k.ChunkSize * blobs.PipablePrefix
	case r.k.Codec == format.None || r.s.Op != shard.OpPack:
		return 0
	}
	return (p.Len + r.k.ChunkSize - 1) / r.k.ChunkSize * (blobs.PipablePrefix + 8)
}

// room returns n bytes behind the end of Data. keep makes them part of it.
func (r *run) room(n int64) []byte {
	at := len(r.res.Data)
	return r.res.Data[at : at+int(n) : at+int(n)]
}

// keep extends Data by n bytes.
func (r *run) keep(n int64) { r.res.Data = r.res.Data[:len(r.res.Data)+int(n)] }
