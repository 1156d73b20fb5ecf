// Package sha1 is SHA-1 as archives need it: fast as WebAssembly, and able to stop in one worker and go on in another.
//
// As WebAssembly crypto/sha1 reaches a third of what unrolled rounds do, and brings the FIPS module with it; the browser's own
// digest takes everything at once. Elsewhere crypto/sha1 uses the processor's instructions, so there it does the work. States are
// the same bytes everywhere.
package sha1

import (
	"encoding/binary"
	"errors"
)

// Size is the size of a hash in bytes.
const Size = 20

// ErrState says that bytes given to LoadState are no state.
var ErrState = errors.New("sha1: not a saved state")

// Digest computes a SHA-1. It is for one goroutine at a time.
type Digest struct{ impl }

// New makes a Digest of nothing yet.
func New() *Digest {
	d := new(Digest)
	d.reset()
	return d
}

// Reset goes back to nothing.
func (d *Digest) Reset() { d.reset() }

// Write adds p. It never fails.
func (d *Digest) Write(p []byte) (int, error) {
	d.write(p)
	return len(p), nil
}

// Sum gives the hash of what was written. More may be written afterwards.
func (d *Digest) Sum() [Size]byte { return d.sum() }

// Sum gives the hash of b.
func Sum(b []byte) [Size]byte { return sum(b) }

// A saved state is the five words of the hash, the number of bytes written (8 bytes), and of those the last ones that
// fill no block of 64; all big-endian.
const stateHead = Size + 8

// AppendState appends the state, 28 to 91 bytes, which LoadState takes back on any platform.
func (d *Digest) AppendState(b []byte) []byte { return d.appendState(b) }

// LoadState goes on from a state that AppendState gave. After an error, which is ErrState, d is as before.
func (d *Digest) LoadState(state []byte) error {
	if len(state) < stateHead || uint64(len(state)-stateHead) != binary.BigEndian.Uint64(state[Size:])%64 {
		return ErrState
	}
	return d.loadState(state)
}
