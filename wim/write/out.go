package write

import (
	"io"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
)

// integrityBlock is the block size, in bytes, of the integrity tables that are written. All programs use this size.
const integrityBlock = 10 << 20

// writeOut writes a part of an archive from front to end, apart from holes that are filled later and bytes that are taken
// back. It computes the integrity table on the way.
type writeOut struct {
	w   io.WriterAt
	off int64 // end of the part so far, holes included
	far int64 // end of all bytes ever written; some may have been taken back
	sum *blockSums

	// prime adds the bytes that are already there to sum, before any other bytes; nil if there are none. It may read many
	// bytes, and is not called if nothing is added.
	prime func(*blockSums) error
}

// append writes b at the end.
func (o *writeOut) append(b []byte) error {
	if err := o.primed(); err != nil || len(b) == 0 {
		return err
	}
	if err := o.put(b, o.off); err != nil {
		return err
	}
	if o.sum != nil {
		o.sum.write(b)
	}
	o.off += int64(len(b))
	return nil
}

// primed calls prime once.
func (o *writeOut) primed() error {
	if o.sum == nil || o.prime == nil {
		return nil
	}
	prime := o.prime
	o.prime = nil
	return prime(o.sum)
}

// put writes b at off.
func (o *writeOut) put(b []byte, off int64) error {
	if len(b) == 0 {
		return nil
	}
	n, err := o.w.WriteAt(b, off)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return &SinkError{Off: off, N: len(b), Err: err}
	}
	o.far = max(o.far, off+int64(len(b)))
	return nil
}

// sync calls the sink's method Sync, if it has one.
func (o *writeOut) sync() error {
	if s, ok := o.w.(interface{ Sync() error }); ok {
		if err := s.Sync(); err != nil {
			return &SinkError{Off: o.off, Err: err}
		}
	}
	return nil
}

// truncate calls the sink's method Truncate, if it has one.
func (o *writeOut) truncate(size int64) error {
	if t, ok := o.w.(interface{ Truncate(size int64) error }); ok {
		if err := t.Truncate(size); err != nil {
			return &SinkError{Off: size, Err: err}
		}
	}
	return nil
}

// reserve leaves a hole of n bytes, for fill.
func (o *writeOut) reserve(n int64) error {
	if err := o.primed(); err != nil {
		return err
	}
	if o.sum != nil && n > 0 {
		o.sum.hole(o.off, n)
	}
	o.off += n
	return nil
}

// fill writes b to the hole at off, and must fill all of it.
func (o *writeOut) fill(b []byte, off int64) error {
	if o.sum != nil && len(b) > 0 {
		o.sum.fill(b, off)
	}
	return o.put(b, off)
}

// back takes back everything from off on. An unfilled hole begins there.
func (o *writeOut) back(off int64) {
	if o.sum != nil {
		o.sum.back(off)
	}
	o.off = off
}

// blockSums computes the SHA-1 of each block of a part as it is written, starting after the header. It keeps the bytes of
// blocks that contain a hole. There is at most one hole at a time.
type blockSums struct {
	hashes  [][20]byte
	cur     []byte           // bytes of the current block, from its start
	kept    map[int64][]byte // bytes of complete blocks with a hole; their hashes are still to be computed
	at, end int64            // the hole, if end > 0
}

func newBlockSums() *blockSums {
	return &blockSums{cur: make([]byte, 0, integrityBlock), kept: map[int64][]byte{}}
}

// place returns which block holds a byte of the part, and where in the block.
func (s *blockSums) place(off int64) (block, at int64) {
	off -= format.HeaderSize
	return off / integrityBlock, off % integrityBlock
}

// write adds bytes at the end.
func (s *blockSums) write(b []byte) {
	for len(b) > 0 {
		n := min(len(b), integrityBlock-len(s.cur))
		s.cur = append(s.cur, b[:n]...)
		b = b[n:]
		if len(s.cur) == integrityBlock {
			s.close()
		}
	}
}

// close ends the current block.
func (s *blockSums) close() {
	block := int64(len(s.hashes))
	start := format.HeaderSize + block*integrityBlock
	if s.end > start && s.at < start+int64(len(s.cur)) {
		s.kept[block] = s.cur
		s.cur = make([]byte, 0, integrityBlock)
		s.hashes = append(s.hashes, [20]byte{})
		return
	}
	s.hashes = append(s.hashes, sha1.Sum(s.cur))
	s.cur = s.cur[:0]
}

// noBytes fills a hole until its bytes are known.
var noBytes [1024]byte

// hole adds n zeros at the end for bytes that are written later.
func (s *blockSums) hole(off, n int64) {
	s.at, s.end = off, off+n
	for n > 0 {
		k := min(n, int64(len(noBytes)))
		s.write(noBytes[:k])
		off += k
		n -= k
	}
}

// fill adds the bytes of the hole.
func (s *blockSums) fill(b []byte, off int64) {
	for len(b) > 0 {
		block, at := s.place(off)
		to := s.kept[block]
		if block == int64(len(s.hashes)) {
			to = s.cur
		}
		n := copy(to[at:], b)
		b = b[n:]
		off += int64(n)
	}
	s.done()
}

// done computes the hashes of the kept blocks, all of whose bytes are known now.
func (s *blockSums) done() {
	s.at, s.end = 0, 0
	for block, b := range s.kept {
		s.hashes[block] = sha1.Sum(b)
		delete(s.kept, block)
	}
}

// back takes back everything from off on, where the hole begins.
func (s *blockSums) back(off int64) {
	block, at := s.place(off)
	if block < int64(len(s.hashes)) {
		s.cur = s.kept[block]
		s.hashes = s.hashes[:block]
	}
	s.cur = s.cur[:at]
	s.at, s.end = 0, 0
	clear(s.kept)
}

// table returns the integrity table of all bytes so far.
func (s *blockSums) table() format.IntegrityTable {
	hashes := s.hashes
	if len(s.cur) > 0 {
		hashes = append(hashes[:len(hashes):len(hashes)], sha1.Sum(s.cur))
	}
	return format.IntegrityTable{Size: uint32(12 + 20*len(hashes)), Count: uint32(len(hashes)), ChunkSize: integrityBlock, Hashes: hashes}
}
