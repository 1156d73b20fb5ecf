//go:build !wasm

package sha1

import (
	"crypto/sha1"
	"encoding"
	"encoding/binary"
	"hash"
)

// impl is crypto/sha1.
type impl struct{ h hash.Hash }

func (i *impl) reset() {
	if i.h == nil {
		i.h = sha1.New()
	}
	i.h.Reset()
}

func (i *impl) write(p []byte) { i.h.Write(p) }

func (i *impl) sum() (sum [Size]byte) {
	i.h.Sum(sum[:0])
	return sum
}

func sum(b []byte) [Size]byte { return sha1.Sum(b) }

// The encoding of crypto/sha1 is four bytes of magic, the five words, a block of 64 bytes of which the first ones are used, and
// the number of bytes written.
const (
	stdMagic = "sha\x01"
	stdBlock = len(stdMagic) + Size
	stdCount = stdBlock + 64
	stdSize  = stdCount + 8
)

func (i *impl) appendState(b []byte) []byte {
	var buf [stdSize]byte
	std, err := i.h.(encoding.BinaryAppender).AppendBinary(buf[:0])
	if err != nil || len(std) != stdSize {
		panic("sha1: crypto/sha1 has changed its encoding") // TestStates notices it first
	}
	b = append(b, std[len(stdMagic):stdBlock]...)
	b = append(b, std[stdCount:]...)
	tail := binary.BigEndian.Uint64(std[stdCount:]) % 64
	return append(b, std[stdBlock:][:tail]...)
}

// loadState restores a state, whose size the caller has checked.
func (i *impl) loadState(state []byte) error {
	var std [stdSize]byte
	copy(std[:], stdMagic)
	copy(std[len(stdMagic):], state[:Size])
	copy(std[stdCount:], state[Size:stateHead])
	copy(std[stdBlock:stdCount], state[stateHead:])
	return i.h.(encoding.BinaryUnmarshaler).UnmarshalBinary(std[:])
}
