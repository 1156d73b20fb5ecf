package core

import (
	"errors"
	"fmt"
)

// A few bytes of a file may claim to stand for gigabytes, and so may many records for the same few bytes. What can be
// right must be read all the same: a chunk of zeros packs to a few bytes. So the rules are these.
//
//   - What no packer can have made is refused by its sizes: leastPacked.
//   - A chunk that claims to have shrunk beyond all custom is gone through before there is memory for it: judge.
//   - What was found wrong with a chunk is remembered.
//   - Where records share bytes, which no tool writes, the work for all of them is bounded by that for the bytes.
//   - Tables and metadata may be larger than the file that holds them by a factor that is far above any real one's.

const (
	// Packed metadata may rightly be hundreds of times larger when unpacked. The factor is wimlib's.
	metadataTimes = 512

	// Most of a blob table is hashes, which do not shrink, and no tool packs table or XML document.
	tableTimes = 16

	// leastBudget is the size that smaller files are taken to have when it is multiplied.
	leastBudget = 128 << 10

	// freeOverlap is how many bytes resources that share bytes may have unpacked, beyond as many as all others have; each
	// costs perOverlap more.
	freeOverlap = 64 << 20
	perOverlap  = 4 << 10

	// A chunk is gone through beforehand if it has more bytes than firstLook, and lookTimes as many as packed.
	firstLook = 1 << 20
	lookTimes = 256

	// judgedChunks is how many judgements are remembered.
	judgedChunks = 1 << 14
)

// budget is the largest size that something in a file of so many bytes may have.
func budget(fileSize, times int64) int64 { return max(fileSize, leastBudget) * times }

// leastPacked is the least number of bytes to which a codec packs size bytes: fixed, and size>>shift for what any match can stand
// for. A chunk that is stored as it is has as many as before.
func leastPacked(codec Codec) (fixed int64, shift uint) {
	switch codec {
	case XPRESS:
		return 256 + 2, 63 // the code lengths, and a unit of bits; a match may be as long as a chunk
	case LZX:
		return 30, 11 // 244 bits for header and code lengths; a match has at most 257 bytes and at least two bits
	case LZMS:
		return 6, 63 // two units for the range coder, one of bits; a match may be as long as a chunk
	}
	return 0, 0
}

// leastChunk is leastPacked for one chunk.
func leastChunk(codec Codec, size int64) int64 {
	fixed, shift := leastPacked(codec)
	return min(fixed+size>>shift, size)
}

var errTooSmall = errors.New("no packer makes it so small")

// judgement names a chunk with all that its bytes depend on.
type judgement struct {
	src    int32
	codec  Codec
	window int64 // chunk size of its resource
	chunkRef
}

func (r *resource) judgement(c chunkRef) judgement { return judgement{r.src, r.codec, r.chunk, c} }

// judge tells, before there is memory for a chunk, whether it can be unpacked, as far as that is known or can be told
// from fewer bytes. The error is a *FormatError if it cannot, else one of reading the part.
func (a *Archive) judge(res *resource, c chunkRef) error {
	key := res.judgement(c)
	if err, known := a.judged.get(key); known {
		return err
	}
	if c.packed == c.size || c.packed == 0 {
		return nil // stored as it is; not there, which is told elsewhere
	}
	if c.packed < leastChunk(res.codec, c.size) {
		return a.chunkError(res, c, errTooSmall)
	}
	if res.codec != LZMS || c.size <= firstLook || c.packed > c.size/lookTimes {
		return nil
	}
	packed, err := a.parts[res.src].read("chunk", c.off, c.packed)
	if err != nil {
		return err
	}
	dec := a.borrow()
	err = dec.check(res.codec, c.size, packed)
	a.giveBack(dec)
	if err != nil {
		return a.remember(res, c, err)
	}
	a.judged.put(key, nil, 1)
	return nil
}

// remember keeps what is wrong with a chunk, and gives the error for it.
func (a *Archive) remember(res *resource, c chunkRef, err error) error {
	err = a.chunkError(res, c, err)
	a.judged.put(res.judgement(c), err, 1)
	return err
}

func (a *Archive) chunkError(res *resource, c chunkRef, err error) error {
	return &FormatError{Record: fmt.Sprintf("chunk of the resource at 0x%x", res.off), Part: a.parts[res.src].Name, Off: c.off, Err: err}
}

// judgeSolid judges the chunks of a solid run in which the bytes [off, off+n) of it lie.
func (a *Archive) judgeSolid(chunks []solidChunk, off, n int64) error {
	for i := max(chunkAt(chunks, off), 0); i < len(chunks) && chunks[i].start < off+n; i++ {
		c := &chunks[i]
		if err := a.judge(&a.solids[c.solid].resource, c.chunkRef); err != nil {
			return err
		}
	}
	return nil
}

// judgeResource judges the chunks in which the bytes [off, off+n) of a resource lie. Only the chunks of one codec may be
// large enough to matter.
func (a *Archive) judgeResource(res *resource, off, n int64) error {
	if res.form == formStored || res.codec != LZMS || min(res.chunk, res.size) <= firstLook || n == 0 {
		return nil
	}
	for i, end := off/res.chunk, (off+n-1)/res.chunk+1; i < end; i += tableGroup {
		refs, err := a.chunkRefs(res, i, min(tableGroup, end-i))
		if err != nil {
			return err
		}
		for _, c := range refs {
			if err := a.judge(res, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// overlaps bounds the work for resources that share bytes.
type overlaps struct{ left int64 }

// more says whether there may be one more, whose chunks or bytes are so many bytes unpacked.
func (o *overlaps) more(size int64) bool {
	o.left -= size + perOverlap
	return o.left >= 0
}
