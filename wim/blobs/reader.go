package blobs

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"wimscope/wim/codec"
	"wimscope/wim/format"
)

// Reader reads a blob at any offset and unpacks only the chunks that it needs. ReadAt may be called from several goroutines, Read may
// not.
type Reader struct {
	a        *Store
	res      Resource
	run      int32 // index into Store.Runs, -1 if the blob has a resource of its own, res
	base     int64 // where the blob starts in the run
	size     int64
	pos      int64
	hash     format.Hash
	uncached bool // do not cache chunks: each is needed once
	sum      OrderSum

	mu        sync.Mutex
	refs      []Chunk // places of the chunks from refsFirst on, as far as they were read
	refsFirst int64
}

// OpenBlob opens a blob of a part or a reference. Only reading it with Read from start to end checks the SHA-1; ReadBlob returns
// checked bytes. The zero hash is that of an empty blob. Errors: *MissingError, *format.Error.
func (a *Store) OpenBlob(h format.Hash) (*Reader, error) {
	if h.IsZero() {
		return &Reader{a: a, run: -1}, nil
	}
	id, ok := a.BlobID(h)
	if !ok || a.Records[id].Fault == FaultAbsent {
		return nil, a.MissingBlob(h)
	}
	rec := &a.Records[id]
	if rec.Fault != FaultNone {
		return nil, format.Errorf("blob "+h.String(), a.Parts[rec.Src].Name, rec.Off, "%v", rec.Fault)
	}
	r := &Reader{a: a, run: rec.Run, size: rec.Size, hash: h}
	if rec.Run >= 0 {
		r.base = rec.Off
	} else {
		r.res = a.ResourceOf(rec)
	}
	return r, nil
}

// Solid reports whether the blob is in a solid resource, where reading any of its bytes unpacks a whole large chunk.
func (r *Reader) Solid() bool { return r.run >= 0 }

// Size returns the size of the blob in bytes.
func (r *Reader) Size() int64 { return r.size }

// Hash returns the SHA-1 that the blob should have.
func (r *Reader) Hash() format.Hash { return r.hash }

// Read implements io.Reader. If all bytes are read in order, the call that returns the last byte returns a *ChecksumError if the
// SHA-1 does not match.
func (r *Reader) Read(p []byte) (int, error) {
	off := r.pos
	n, err := r.ReadAt(p, off)
	r.pos += int64(n)
	if n > 0 && (err == nil || errors.Is(err, io.EOF)) {
		err = r.sum.Add(r, p[:n], off)
	}
	return n, err
}

// Seek implements io.Seeker.
func (r *Reader) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += r.pos
	case io.SeekEnd:
		off += r.size
	}
	if off < 0 {
		return 0, fmt.Errorf("wim: seek to %d", off)
	}
	r.pos = off
	return off, nil
}

// ReadAt implements io.ReaderAt. An error other than io.EOF concerns the bytes after those that were read.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("wim: read at %d", off)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if off >= r.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > r.size-off {
		p, end = p[:r.size-off], io.EOF
	}
	var n int
	var err error
	switch {
	case r.run >= 0:
		n, err = r.readRun(p, r.base+off)
	case r.res.Form == FormStored:
		part := &r.a.Parts[r.res.Src]
		if n, err = ReadFull(part.R, p, r.res.Off+off); err != nil {
			err = fmt.Errorf("wim: %s: blob at 0x%x: %w", part.Name, r.res.Off+off, err)
		}
	default:
		n, err = r.readChunks(p, off)
	}
	if err == nil {
		err = end
	}
	return n, err
}

// readChunks reads from a resource of the blob's own.
func (r *Reader) readChunks(p []byte, off int64) (int, error) {
	first := off / r.res.ChunkSize
	count := (off+int64(len(p))-1)/r.res.ChunkSize - first + 1
	refs, err := r.chunkRefs(first, count)
	if err != nil {
		return 0, err
	}
	var ahead readAhead
	done := 0
	for i, c := range refs {
		from := off + int64(done) - (first+int64(i))*r.res.ChunkSize
		n := int(min(c.Size-from, int64(len(p)-done)))
		span := int64(0)
		if i+1 < len(refs) {
			last := refs[len(refs)-1]
			span = last.Off + last.Packed - c.Off
		}
		if err := r.chunk(p[done:done+n], &r.res, c, from, span, &ahead); err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// readRun reads from a solid run.
func (r *Reader) readRun(p []byte, at int64) (int, error) {
	chunks, err := r.a.RunChunks(r.run)
	if err != nil {
		return 0, err
	}
	var ahead readAhead
	done := 0
	for i := ChunkAt(chunks, at); done < len(p); i++ {
		c := &chunks[i]
		from := at + int64(done) - c.Start
		n := int(min(c.Size-from, int64(len(p)-done)))
		if n > 0 { // a resource may be empty
			if err := r.chunk(p[done:done+n], &r.a.Solids[c.Solid].Resource, c.Chunk, from, 0, &ahead); err != nil {
				return done, err
			}
		}
		done += n
	}
	return done, nil
}

// chunkRefs returns the places of chunks. It reads more of the table than requested, because the next call probably needs what
// follows.
func (r *Reader) chunkRefs(first, count int64) ([]Chunk, error) {
	const more = 2048
	r.mu.Lock()
	defer r.mu.Unlock()
	if first < r.refsFirst || first+count > r.refsFirst+int64(len(r.refs)) {
		n := min(max(count, more), r.res.Chunks()-first)
		refs, err := r.a.ReadChunks(&r.res, first, n)
		if err != nil {
			return nil, err
		}
		r.refsFirst, r.refs = first, refs
	}
	at := first - r.refsFirst
	return r.refs[at : at+count : at+count], nil
}

// readAhead holds adjacent packed chunks that were read by one call.
type readAhead struct {
	buf []byte
	off int64 // of buf in the part
}

// maxReadAhead is the most that one call reads: in a browser a small read costs as much as a large one.
const maxReadAhead = 4 << 20

// packed returns the packed bytes of a chunk. span is the number of bytes of the part that will be needed from there on.
func (w *readAhead) packed(part *OpenPart, c Chunk, span int64) ([]byte, error) {
	if c.Off >= w.off && c.Off+c.Packed <= w.off+int64(len(w.buf)) {
		at := c.Off - w.off
		return w.buf[at : at+c.Packed], nil
	}
	n := max(c.Packed, min(span, maxReadAhead, part.Size-c.Off))
	w.buf, w.off = make([]byte, n), c.Off
	if got, err := ReadFull(part.R, w.buf, c.Off); err != nil {
		w.buf = w.buf[:got]
		if int64(got) < c.Packed {
			return nil, fmt.Errorf("wim: %s: chunk at 0x%x: %w", part.Name, c.Off, err)
		}
	}
	return w.buf[:c.Packed], nil
}

// chunk copies the unpacked bytes of one chunk, starting at from, to p.
func (r *Reader) chunk(p []byte, res *Resource, c Chunk, from, span int64, ahead *readAhead) error {
	a := r.a
	part := &a.Parts[res.Src]
	if c.Packed == 0 {
		return a.chunkError(res, c, ErrChunkTable)
	}
	if c.Packed == c.Size {
		if _, err := ReadFull(part.R, p, c.Off+from); err != nil {
			return fmt.Errorf("wim: %s: chunk at 0x%x: %w", part.Name, c.Off, err)
		}
		return nil
	}
	key := chunkKey{res.Src, c.Off}
	data, ok := a.chunks.Get(key)
	if ok && int64(len(data)) == c.Size {
		copy(p, data[from:])
		return nil
	}
	if err := a.judge(res, c); err != nil {
		return err
	}
	if need := c.Size + c.Packed; need > a.Opts.MaxMemory {
		return &format.TooLargeError{What: fmt.Sprintf("%s: chunk of %d bytes at 0x%x", part.Name, c.Size, c.Off), Need: need, Limit: a.Opts.MaxMemory}
	}
	packed, err := ahead.packed(part, c, span)
	if err != nil {
		return err
	}
	whole := r.uncached && from == 0 && int64(len(p)) == c.Size
	if whole {
		data = p
	} else {
		data = make([]byte, c.Size)
	}
	a.Unpacked.Add(c.Size)
	dec := a.borrow()
	err = dec.Decode(res.Codec, res.ChunkSize, data, packed)
	a.giveBack(dec)
	if err != nil {
		return a.remember(res, c, err)
	}
	if whole {
		return nil
	}
	a.chunks.Put(key, data, c.Size)
	copy(p, data[from:])
	return nil
}

// borrow returns decoders that no other goroutine uses. giveBack keeps them, because their tables are expensive to allocate.
func (a *Store) borrow() *codec.Decoders {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.idle); n > 0 {
		d := a.idle[n-1]
		a.idle = a.idle[:n-1]
		return d
	}
	return &codec.Decoders{}
}

func (a *Store) giveBack(d *codec.Decoders) {
	const most = 4
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.idle) < most {
		a.idle = append(a.idle, d)
	}
}
