// Package sha1 computes SHA-1 as archives need it: fast as WebAssembly, and resumable, so that one worker can continue what another
// has begun.
//
// As WebAssembly, crypto/sha1 reaches a third of the speed of unrolled rounds and brings the FIPS module with it; the browser's own
// digest needs all bytes at once. Elsewhere the package uses crypto/sha1, which has the processor's instructions. A saved state is
// the same bytes everywhere.
package sha1

import (
	"encoding/binary"
	"errors"
)

// Size is the size of a hash in bytes.
const Size = 20

// ErrState is returned by LoadState for bytes that are not a saved state.
var ErrState = errors.New("sha1: not a saved state")

// Digest computes a SHA-1. It is not safe for concurrent use.
type Digest struct{ impl }

// New returns an empty Digest.
func New() *Digest {
	d := new(Digest)
	d.reset()
	return d
}

// Reset makes d empty.
func (d *Digest) Reset() { d.reset() }

// Write adds p. It never fails.
func (d *Digest) Write(p []byte) (int, error) {
	d.write(p)
	return len(p), nil
}

// Sum returns the hash of the bytes written so far. More may be written afterwards.
func (d *Digest) Sum() [Size]byte { return d.sum() }

// Sum returns the hash of b.
func Sum(b []byte) [Size]byte { return sum(b) }

// A saved state is the five words of the hash, the number of bytes written (8 bytes), both big-endian, and the written bytes after the
// last whole block of 64.
const stateHead = Size + 8

// AppendState appends the state, 28 to 91 bytes. LoadState restores it on any platform.
func (d *Digest) AppendState(b []byte) []byte { return d.appendState(b) }

// LoadState restores a state from AppendState. It returns ErrState, and leaves d unchanged, if state is not one.
func (d *Digest) LoadState(state []byte) error {
	if len(state) < stateHead || uint64(len(state)-stateHead) != binary.BigEndian.Uint64(state[Size:])%64 {
		return ErrState
	}
	return d.loadState(state)
}
