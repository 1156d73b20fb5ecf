// Package sha1 is SHA-1 as archives need it: fast as WebAssembly, and able to stop in one worker and go on in another.
//
// As WebAssembly crypto/sha1 reaches a third of what unrolled rounds do, and the browser's own digest takes everything at once.
// Elsewhere crypto/sha1 uses the processor's instructions, so there it does the work. States are the same bytes everywhere.
package sha1

import (
	"crypto/sha1"
	"encoding"
	"encoding/binary"
	"errors"
	"hash"
	"runtime"
)

// Size is the size of a hash in bytes.
const Size = 20

// portable says whether this package's own rounds are used.
const portable = runtime.GOARCH == "wasm"

// ErrState says that bytes given to LoadState are no state.
var ErrState = errors.New("sha1: not a saved state")

// Digest computes a SHA-1. It is for one goroutine at a time.
type Digest struct {
	own rounds
	std hash.Hash // nil if portable
}

// New makes a Digest of nothing yet.
func New() *Digest {
	d := new(Digest)
	if !portable {
		d.std = sha1.New()
	}
	d.Reset()
	return d
}

// Reset goes back to nothing.
func (d *Digest) Reset() {
	if portable {
		d.own.reset()
	} else {
		d.std.Reset()
	}
}

// Write adds p. It never fails.
func (d *Digest) Write(p []byte) (int, error) {
	if portable {
		d.own.write(p)
		return len(p), nil
	}
	return d.std.Write(p)
}

// Sum gives the hash of what was written. More may be written afterwards.
func (d *Digest) Sum() (sum [Size]byte) {
	if portable {
		own := d.own
		return own.sum()
	}
	d.std.Sum(sum[:0])
	return sum
}

// Sum gives the hash of b.
func Sum(b []byte) [Size]byte {
	if portable {
		var r rounds
		r.reset()
		r.write(b)
		return r.sum()
	}
	return sha1.Sum(b)
}

// A saved state is the five words of the hash, the number of bytes written (8 bytes), and of those the last ones that
// fill no block of 64; all big-endian.
const stateHead = Size + 8

// crypto/sha1's own encoding is four bytes of magic, the five words, a block of 64 bytes of which the first are used, and the
// number of bytes written.
const (
	stdMagic = "sha\x01"
	stdBlock = len(stdMagic) + Size
	stdCount = stdBlock + 64
	stdSize  = stdCount + 8
)

// AppendState appends the state, 28 to 91 bytes, which LoadState takes back on any platform.
func (d *Digest) AppendState(b []byte) []byte {
	if portable {
		return d.own.appendState(b)
	}
	var buf [stdSize]byte
	std, err := d.std.(encoding.BinaryAppender).AppendBinary(buf[:0])
	if err != nil || len(std) != stdSize {
		panic("sha1: crypto/sha1 has another encoding now") // a test notices before anyone else does
	}
	b = append(b, std[len(stdMagic):stdBlock]...)
	b = append(b, std[stdCount:]...)
	tail := binary.BigEndian.Uint64(std[stdCount:]) % 64
	return append(b, std[stdBlock:][:tail]...)
}

// LoadState goes on from a state that AppendState gave. After an error, which is ErrState, d is as before.
func (d *Digest) LoadState(state []byte) error {
	if len(state) < stateHead || uint64(len(state)-stateHead) != binary.BigEndian.Uint64(state[Size:])%64 {
		return ErrState
	}
	if portable {
		d.own.loadState(state)
		return nil
	}
	var std [stdSize]byte
	copy(std[:], stdMagic)
	copy(std[len(stdMagic):], state[:Size])
	copy(std[stdCount:], state[Size:stateHead])
	copy(std[stdBlock:stdCount], state[stateHead:])
	return d.std.(encoding.BinaryUnmarshaler).UnmarshalBinary(std[:])
}
