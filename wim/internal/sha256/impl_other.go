//go:build !wasm

package sha256

import (
	"crypto/sha256"
	"hash"
)

// impl is crypto/sha256.
type impl struct{ h hash.Hash }

func (i *impl) reset()         { i.h = sha256.New() }
func (i *impl) write(p []byte) { i.h.Write(p) }

func (i *impl) sum() (sum [Size]byte) {
	i.h.Sum(sum[:0])
	return sum
}
