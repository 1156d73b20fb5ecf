package shard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"wimscope/wim/blobs"
	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/internal/wire"
)

// PackSource is where PackShards read from.
type PackSource struct {
	Parts blobs.Source // the parts of archives
	Files ContentFiles // may be nil if no content is in a file
}

// ContentError is an error of reading a content that was to be packed.
type ContentError struct {
	ID   int32  // number in the plan
	Path string // path of its file, "" if not known
	Err  error
	More []int32 // other contents of the shard with the same error
}

func (e *ContentError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("wim: content %d: %v", e.ID, e.Err)
	}
	return fmt.Sprintf("wim: %s: %v", e.Path, e.Err)
}

func (e *ContentError) Unwrap() error { return e.Err }

// PackWorker holds encoders, decoders and buffers, to be reused for one shard after another. It is not safe for concurrent
// use.
type PackWorker struct {
	read  *Worker
	enc   *codec.Encoders
	Turns chan *codec.Encoders // encoders that several workers share by taking turns; nil: this worker has its own
	sha   *sha1.Digest
	buf   []byte        // bytes of pieces
	now   []loadedPiece // pieces to pack next
	spare []byte        // buffer for PackResult.Data
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

// NewPackWorker returns a worker. It allocates buffers and encoders as shards need them.
func NewPackWorker() *PackWorker {
	return &PackWorker{read: NewWorker(), enc: &codec.Encoders{}, sha: sha1.New()}
}

// Reuse takes the Data of a result that is no longer needed, as a buffer for the next one.
func (w *PackWorker) Reuse(data []byte) { w.spare = data }

// packRunner is one shard being run.
type packRunner struct {
	*PackWorker
	s       *PackShard
	src     PackSource
	yield   Yield
	res     PackResult
	yielded int64 // res.Bytes when yield was last called

	unpacked []byte // bytes of the next PieceUnpack pieces
	chunk    []byte // PackSolid: the chunk that is being filled
}

// RunPack runs a shard. It returns a *ContentError if a content could not be read or has changed or is damaged, the error of
// yield, or ErrShard if the shard is invalid.
func RunPack(s *PackShard, src PackSource, w *PackWorker, yield Yield) (PackResult, error) {
	if yield == nil {
		yield = func(int64, int) error { return nil }
	}
	r := &packRunner{PackWorker: w, s: s, src: src, yield: yield, res: PackResult{Seq: s.Seq}}
	if err := r.run(); err != nil {
		return PackResult{}, err
	}
	if err := yield(r.res.Bytes, len(s.Pieces)); err != nil {
		return PackResult{}, err
	}
	return r.res, nil
}

func (r *packRunner) run() error {
	s := r.s
	switch {
	case s.Op == PackHash:
		return r.hashAll()
	case s.Op == PackCheck:
		return r.check()
	case s.Codec != format.None && s.Op != PackCopy && (s.Level < codec.LevelFast || s.Level > codec.LevelMaximum):
		return fmt.Errorf("wim: shard %d: level %d: %w", s.Seq, s.Level, ErrShard)
	case s.Codec == format.None && s.Op == PackSolid, s.Codec != format.None && s.Op != PackCopy && (s.ChunkSize > wire.MaxLength || !format.ChunkSizeOK(s.Codec, uint32(min(s.ChunkSize, 1<<31+1)))):
		return fmt.Errorf("wim: shard %d: chunk size %d is not valid for %v: %w", s.Seq, s.ChunkSize, s.Codec, ErrShard)
	}
	total, unpack := int64(0), int64(0)
	if s.Pipable && (s.Op != PackAlone && s.Op != PackCopy) {
		return ErrShard
	}
	for i := range s.Pieces {
		p := &s.Pieces[i]
		_, n := p.reads()
		if n > MaxShardData-total || p.Source == PieceFrame && p.Size > MaxShardData-total {
			return &format.TooLargeError{What: "shard", Need: total + max(n, p.Size), Limit: MaxShardData}
		}
		total += p.Len + r.extra(p)
		if p.Source == PieceUnpack {
			unpack += n
		}
	}
	if r.res.Data, r.spare = r.spare[:0], nil; int64(cap(r.res.Data)) < total {
		r.res.Data = make([]byte, 0, total)
	}
	if s.Op == PackCopy {
		return r.copyAll()
	}
	if err := r.unpack(s.Read); err != nil {
		return err
	}
	if int64(len(r.unpacked)) != unpack {
		return fmt.Errorf("wim: shard %d unpacks %d bytes, not %d: %w", s.Seq, len(r.unpacked), unpack, ErrShard)
	}
	if s.Op == PackSolid {
		return r.solid()
	}
	r.res.Items = make([]PackedItem, 0, len(s.Pieces))
	for pieces := s.Pieces; len(pieces) > 0; pieces = pieces[len(r.now):] {
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
func (r *packRunner) turn(pack func() error) error {
	if r.Turns != nil && r.s.Codec != format.None {
		r.enc = <-r.Turns
		defer func() { r.Turns <- r.enc }()
	}
	return pack()
}

// load reads the first of the pieces, and more while they are small. Bytes that are stored uncompressed are read directly
// into Data, one piece at a time.
func (r *packRunner) load(pieces []PackPiece) error {
	r.now = r.now[:0]
	used := int64(0)
	for i := range pieces {
		p := &pieces[i]
		_, n := p.reads()
		if i > 0 && (r.s.Codec == format.None || n > loadBytes-used) {
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
func (r *packRunner) unpack(spans []Span) error {
	if len(spans) == 0 {
		return nil
	}
	res, err := Do(&Shard{Seq: r.s.Seq, Op: OpExtract, Spans: spans}, r.src.Parts, r.read, func(int64, int) error {
		return r.yield(r.res.Bytes, len(r.res.Items))
	})
	if err == nil {
		err = badContents(res.Bad)
	}
	if err != nil {
		return err
	}
	r.unpacked = res.Data
	r.read.Reuse(res.Data) // they are used up before anything else is unpacked
	return nil
}

// check verifies the SHA-1 of blobs of archives.
func (r *packRunner) check() error {
	res, err := Do(&Shard{Seq: r.s.Seq, Op: OpVerify, Spans: r.s.Read}, r.src.Parts, r.read, func(n int64, _ int) error {
		r.res.Bytes = n
		return r.yield(n, 0)
	})
	if err == nil {
		err = badContents(res.Bad)
	}
	r.res.Bytes, r.res.Cuts = res.Bytes, res.Cuts
	return err
}

// badContents returns an error for damaged pieces.
func badContents(bad []BadPiece) error {
	if len(bad) == 0 {
		return nil
	}
	e := &ContentError{ID: bad[0].ID, Err: format.Describe("the blob is damaged: "+bad[0].Error, format.ErrChecksum)}
	for _, more := range bad[1:] {
		if more.ID != e.ID {
			e.More = append(e.More, more.ID)
		}
	}
	return e
}

// progress counts n bytes and calls yield every YieldBytes.
func (r *packRunner) progress(n int64) error {
	r.res.Bytes += n
	if r.res.Bytes-r.yielded < YieldBytes {
		return nil
	}
	r.yielded = r.res.Bytes
	return r.yield(r.res.Bytes, len(r.res.Items))
}

// open opens a content that is a file.
func (r *packRunner) open(p *PackPiece) (ContentFile, error) {
	if r.src.Files == nil {
		return nil, &ContentError{ID: p.ID, Err: fmt.Errorf("no files to read from: %w", format.ErrNotFound)}
	}
	f, err := r.src.Files.OpenContent(p.ID)
	if err != nil {
		return nil, &ContentError{ID: p.ID, Err: err}
	}
	if f.Size() != p.Size {
		n := f.Size()
		f.Close()
		return nil, &ContentError{ID: p.ID, Err: fmt.Errorf("the size is %d, want %d: %w", n, p.Size, blobs.ErrChanged)}
	}
	return f, nil
}

// leastHole is the size in bytes from which a content is searched for holes.
const leastHole = 64 << 10

// nextData is HoleFile.NextData for any content. Without a valid answer the remainder is data.
func nextData(f ContentFile, off int64) (from, to int64) {
	h, ok := f.(HoleFile)
	if !ok || f.Size() < leastHole {
		return off, f.Size()
	}
	from, to, err := h.NextData(off)
	if err != nil || from < off || to < from || to > f.Size() || from == to && to < f.Size() {
		return off, f.Size()
	}
	return from, to
}

// readContent fills b with the bytes of a content from off on. It does not read holes.
func readContent(f ContentFile, p *PackPiece, b []byte, off int64) error {
	for len(b) > 0 {
		from, to := nextData(f, off)
		if n := min(from-off, int64(len(b))); n > 0 {
			clear(b[:n])
			b, off = b[n:], off+n
			continue
		}
		n := min(to-off, int64(len(b)))
		if n <= 0 {
			n = int64(len(b)) // beyond the end; the read will report it
		}
		if err := readData(f, p, b[:n], off); err != nil {
			return err
		}
		b, off = b[n:], off+n
	}
	return nil
}

// readData fills b with the bytes of a content from off on.
func readData(f ContentFile, p *PackPiece, b []byte, off int64) error {
	_, err := blobs.ReadFull(f, b, off)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("unexpected end of file: %w", blobs.ErrChanged)
	}
	if err != nil {
		return &ContentError{ID: p.ID, Err: err}
	}
	return nil
}

// closeContent closes a file. Close may report that the file changed while it was read.
func closeContent(f ContentFile, p *PackPiece, err error) error {
	if e := f.Close(); err == nil && errors.Is(e, blobs.ErrChanged) {
		err = &ContentError{ID: p.ID, Err: e}
	}
	return err
}

// bytes returns the bytes of a piece, including those before and behind it that are only hashed. It reads them to their place
// in Data if they are stored uncompressed, otherwise to buf, of which the first used bytes are in use.
func (r *packRunner) bytes(p *PackPiece, used int64) ([]byte, error) {
	from, n := p.reads()
	switch p.Source {
	case PieceInline:
		if p.Lead != 0 || p.Trail != 0 || int64(len(p.Inline)) != p.Len {
			return nil, ErrShard
		}
		return p.Inline, nil
	case PieceUnpack:
		b := r.unpacked[:n]
		r.unpacked = r.unpacked[n:]
		return b, nil
	case PieceZero:
		b := r.place(p, used)
		clear(b)
		return b, nil
	case PieceFile:
		f, err := r.open(p)
		if err != nil {
			return nil, err
		}
		b := r.place(p, used)
		return b, closeContent(f, p, readContent(f, p, b, from))
	}
	return nil, ErrShard
}

// place returns the buffer to read a piece to.
func (r *packRunner) place(p *PackPiece, used int64) []byte {
	_, n := p.reads()
	if r.s.Codec == format.None && n == p.Len {
		return r.room(n)
	}
	if int64(len(r.buf)) < used+n {
		r.buf = make([]byte, max(used+n, loadBytes))
	}
	return r.buf[used : used+n]
}

// sum computes the SHA-1 of the bytes of a piece and compares it with the known hash or state. It returns the hash of the
// content, if known.
func (r *packRunner) sum(p *PackPiece, b []byte) (format.Hash, error) {
	from, n := p.reads()
	end := from+n == p.Size
	switch {
	case p.Source == PieceZero:
		return format.Hash{}, nil
	case p.Source == PieceUnpack && p.Known && from == 0 && end:
		return p.Hash, nil // verified when it was unpacked
	case p.Zeros && p.Known && codec.AllZero(b):
		return p.Hash, nil // the same bytes as when the content was hashed
	case from > 0 && len(p.Before) == 0, !end && len(p.After) == 0:
		return p.Hash, nil // no states are known: bytes generated by the plan, such as metadata
	case from > 0:
		if r.sha.LoadState(p.Before) != nil {
			return format.Hash{}, ErrShard
		}
	default:
		r.sha.Reset()
	}
	r.sha.Write(b)
	if end {
		got := format.Hash(r.sha.Sum())
		if p.Known && got != p.Hash {
			return got, &ContentError{ID: p.ID, Err: fmt.Errorf("SHA-1 is %v, want %v: %w", got, p.Hash, blobs.ErrChanged)}
		}
		return got, nil
	}
	if !bytes.Equal(r.sha.AppendState(nil), p.After) {
		return format.Hash{}, &ContentError{ID: p.ID, Err: fmt.Errorf("SHA-1 of the first %d bytes has changed: %w", from+n, blobs.ErrChanged)}
	}
	return p.Hash, nil
}

// hashAll computes the hashes of contents, with a state every StateStep bytes. Contents of archives are unpacked one span at
// a time.
func (r *packRunner) hashAll() error {
	r.res.Items = make([]PackedItem, 0, len(r.s.Pieces))
	spans := r.s.Read
	for i := range r.s.Pieces {
		p := &r.s.Pieces[i]
		it := PackedItem{ID: p.ID}
		r.sha.Reset()
		at, zeros := int64(0), true
		add := func(b []byte) error {
			for len(b) > 0 {
				n := min(int64(len(b)), StateStep-at%StateStep, YieldBytes)
				r.sha.Write(b[:n])
				zeros = zeros && codec.AllZero(b[:n])
				b = b[n:]
				at += n
				if at%StateStep == 0 && at < p.Size {
					it.States = r.sha.AppendState(it.States)
				}
				if at%StateStep == 0 || at == p.Size {
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
		case PieceFile:
			if err := r.hashFile(p, add); err != nil {
				return err
			}
		case PieceUnpack:
			for at < p.Size {
				if len(spans) == 0 {
					return ErrShard
				}
				if err := r.unpack(spans[:1]); err != nil {
					return err
				}
				if spans = spans[1:]; int64(len(r.unpacked)) > p.Size-at || len(r.unpacked) == 0 {
					return ErrShard
				}
				if err := add(r.unpacked); err != nil {
					return err
				}
			}
		default:
			return ErrShard
		}
		it.Hash = r.sha.Sum()
		if p.Known && it.Hash != p.Hash {
			why := fmt.Errorf("SHA-1 is %v, want %v: %w", it.Hash, p.Hash, blobs.ErrChanged)
			if p.Source == PieceUnpack {
				why = format.Describe(fmt.Sprintf("the blob is damaged: SHA-1 is %v", it.Hash), format.ErrChecksum)
			}
			return &ContentError{ID: p.ID, Err: why}
		}
		r.res.Items = append(r.res.Items, it)
	}
	return nil
}

// zeroMark returns the byte of PackedItem.Zeros for a step.
func zeroMark(zeros bool) byte {
	if zeros {
		return 1
	}
	return 0
}

// holeZeros are the bytes of a hole.
var holeZeros [64 << 10]byte

// hashFile passes the bytes of a file to add. It does not read holes.
func (r *packRunner) hashFile(p *PackPiece, add func([]byte) error) error {
	f, err := r.open(p)
	if err != nil {
		return err
	}
	if room := min(p.Size, WindowSize); int64(cap(r.buf)) < room {
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

// copyAll copies packed bytes.
func (r *packRunner) copyAll() error {
	r.res.Items = make([]PackedItem, 0, len(r.s.Pieces))
	for i := range r.s.Pieces {
		p := &r.s.Pieces[i]
		if p.Source == PieceFrame {
			if err := r.frame(p); err != nil {
				return err
			}
			continue
		}
		if p.Source != PiecePacked || p.Lead != 0 || p.Trail != 0 || p.Src < 0 || int(p.Src) >= len(r.src.Parts) {
			return ErrShard
		}
		b := r.room(p.Len)
		for at := int64(0); at < p.Len; {
			n := min(WindowSize, p.Len-at)
			if _, err := blobs.ReadFull(r.src.Parts[p.Src], b[at:at+n], p.Off+at); err != nil {
				return &ContentError{ID: p.ID, Err: err}
			}
			at += n
			if err := r.progress(n); err != nil {
				return err
			}
		}
		r.keep(p.Len)
		r.res.Items = append(r.res.Items, PackedItem{ID: p.ID, Hash: p.Hash, Packed: p.Len})
	}
	return nil
}

// frame copies the chunks of a resource from the ordinary layout to that of pipable archives, or back.
func (r *packRunner) frame(p *PackPiece) error {
	chunk := r.s.ChunkSize
	if p.Lead != 0 || p.Trail != 0 || p.From != 0 || p.Src < 0 || int(p.Src) >= len(r.src.Parts) || chunk <= 0 || chunk&(chunk-1) != 0 {
		return ErrShard
	}
	// The shard does not contain the codec. No codec has smaller chunks than LZMS.
	res := blobs.Resource{Form: blobs.FormChunked, Codec: format.LZMS, Packed: p.Len, Size: p.Size, ChunkSize: chunk}
	if !r.s.Pipable {
		res.Form = blobs.FormPipable
	}
	if res.Check(p.Len) != nil {
		return ErrShard
	}
	if int64(cap(r.buf)) < p.Len {
		r.buf = make([]byte, p.Len)
	}
	b := r.buf[:p.Len]
	if _, err := blobs.ReadFull(r.src.Parts[p.Src], b, p.Off); err != nil {
		return &ContentError{ID: p.ID, Err: err}
	}
	n := res.Chunks()
	off, k := res.TableRange(0, n)
	chunks := res.AppendChunks(make([]blobs.Chunk, 0, n), b[off:off+k], 0, n)
	table := b[res.TableOff() : res.TableOff()+res.TableSize()]
	start := len(r.res.Data)
	if !r.s.Pipable {
		r.res.Data = append(r.res.Data, table...)
	}
	for _, c := range chunks {
		if c.Packed == 0 {
			return &ContentError{ID: p.ID, Err: fmt.Errorf("%w: %w", blobs.ErrChunkTable, format.ErrFormat)}
		}
		if r.s.Pipable {
			r.res.Data = binary.LittleEndian.AppendUint32(r.res.Data, uint32(c.Packed))
		}
		r.res.Data = append(r.res.Data, b[c.Off:c.Off+c.Packed]...)
	}
	if r.s.Pipable {
		r.res.Data = append(r.res.Data, table...)
	}
	r.res.Items = append(r.res.Items, PackedItem{ID: p.ID, Hash: p.Hash, Packed: int64(len(r.res.Data) - start)})
	return r.progress(p.Len)
}

// extra returns how many bytes a piece may take beyond its own size. In a pipable resource sizes stand before the chunks, and
// offsets after them.
func (r *packRunner) extra(p *PackPiece) int64 {
	switch {
	case r.s.ChunkSize <= 0 || !r.s.Pipable:
		return 0
	case r.s.Op == PackCopy && p.Source == PieceFrame:
		return (p.Size + r.s.ChunkSize - 1) / r.s.ChunkSize * blobs.PipablePrefix
	case r.s.Codec == format.None || r.s.Op != PackAlone:
		return 0
	}
	return (p.Len + r.s.ChunkSize - 1) / r.s.ChunkSize * (blobs.PipablePrefix + 8)
}

// room returns n bytes behind the end of Data. keep makes them part of it.
func (r *packRunner) room(n int64) []byte {
	at := len(r.res.Data)
	return r.res.Data[at : at+int(n) : at+int(n)]
}

// keep extends Data by n bytes.
func (r *packRunner) keep(n int64) { r.res.Data = r.res.Data[:len(r.res.Data)+int(n)] }

// alone makes a resource of a content, or a run of chunks of a piece of it.
func (r *packRunner) alone(p *PackPiece, in *loadedPiece) (err error) {
	room, b := r.room(p.Len+r.extra(p)), in.bytes
	it := PackedItem{ID: p.ID, Hash: in.hash}
	switch {
	case r.s.Codec == format.None:
		it.Stored = true
	case p.whole() && r.s.Pipable:
		it.Packed, err = r.pipable(room, b)
		it.Stored = it.Packed == p.Len
	case p.whole():
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
	if r.s.Codec == format.None {
		if err := r.progress(p.Len); err != nil {
			return err
		}
	}
	r.keep(it.Packed)
	r.res.Items = append(r.res.Items, it)
	return nil
}

// resource packs a whole content to dst, which has the same length: chunk table and chunks. If that is not shorter, it
// returns len(src), and the bytes of dst are undefined.
func (r *packRunner) resource(dst, src []byte) (int64, error) {
	size, chunk := int64(len(src)), r.s.ChunkSize
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
func (r *packRunner) pipable(dst, src []byte) (int64, error) {
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
func (r *packRunner) pack(dst, src []byte) (int64, error) {
	if len(dst) == 0 {
		return 0, nil
	}
	n, err := r.enc.Encode(r.s.Codec, r.s.EncoderSize(), r.s.Level, dst, src, func() error { return r.yield(r.res.Bytes, len(r.res.Items)) })
	if n < 0 || n > len(dst) {
		return 0, errors.New("wim: an encoder returned an invalid length")
	}
	return int64(n), err
}

// chunks packs chunks one after another to dst, which must have len(src) bytes plus those of extra. total is their packed
// size, including the sizes that precede the chunks of pipable resources.
func (r *packRunner) chunks(dst, src []byte) (sizes []uint32, total int64, err error) {
	chunk := int(r.s.ChunkSize)
	sizes = make([]uint32, 0, (len(src)+chunk-1)/chunk)
	for len(src) > 0 {
		c := src[:min(chunk, len(src))]
		prefix := dst[total:]
		if r.s.Pipable {
			total += blobs.PipablePrefix
		}
		k, err := r.pack(dst[total:total+int64(len(c))-1], c)
		if err != nil {
			return nil, 0, err
		}
		if k == 0 {
			k = int64(copy(dst[total:], c))
		}
		if r.s.Pipable {
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
func (r *packRunner) solid() error {
	total := int64(0)
	for i := range r.s.Pieces {
		total += r.s.Pieces[i].Len
	}
	left := total
	room := min(r.s.ChunkSize, total)
	if int64(cap(r.chunk)) < room {
		r.chunk = make([]byte, 0, room)
	}
	r.chunk = r.chunk[:0]
	out := r.room(total)
	used := int64(0)
	for i := range r.s.Pieces {
		p := &r.s.Pieces[i]
		b, err := r.bytes(p, 0)
		if err != nil {
			return err
		}
		if _, err := r.sum(p, b); err != nil {
			return err
		}
		b = b[p.Lead : p.Lead+p.Len]
		for len(b) > 0 {
			n := min(r.s.ChunkSize-int64(len(r.chunk)), int64(len(b)))
			r.chunk = append(r.chunk, b[:n]...)
			b = b[n:]
			left -= n
			if int64(len(r.chunk)) < r.s.ChunkSize && left > 0 {
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
