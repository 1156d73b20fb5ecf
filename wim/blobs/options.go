package blobs

import (
	"math/bits"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
)

// Options is how an archive is read. The zero value, and nil, is right for most.
type Options struct {
	// References are other archives, whole or split, in which contents are looked up that this one lacks: the base
	// of a delta archive, the resource-only file of a metadata-only one.
	References []Part

	// LaterParts allows opening parts of a set without the first part, which holds the images. Only contents and the XML document
	// are available then.
	LaterParts bool

	// CacheSize bounds the decoded chunks that are kept for random access, in bytes. 0 means 96 MiB. The chunk used
	// last is kept whatever its size.
	CacheSize int64

	// TreeCacheSize bounds the images that are kept loaded, in bytes. 0 means 64 MiB. The image asked for last is
	// kept whatever its size.
	TreeCacheSize int64

	// MaxMemory bounds what a single chunk or metadata resource may need, in bytes, packed and unpacked together;
	// what needs more is refused with a *TooLargeError. 0 means 2.5 GiB, or 1 GiB where addresses have 32 bits.
	MaxMemory int64

	// SHA1, if there is one, computes a hash beside the program, as only the surroundings may be able to: it returns
	// at once, and wait gives the hash of b, which does not change before. It may decline by returning nil.
	SHA1 func(b []byte) (wait func() ([20]byte, error))
}

// sum computes a SHA-1 beside the caller if that can be done, else when it is asked for.
func (o *Options) sum(b []byte) (wait func() format.Hash) {
	if o.SHA1 != nil {
		if w := o.SHA1(b); w != nil {
			return func() format.Hash {
				h, err := w()
				if err != nil {
					h = sha1.Sum(b)
				}
				return h
			}
		}
	}
	return func() format.Hash { return sha1.Sum(b) }
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.CacheSize == 0 {
		out.CacheSize = 96 << 20
	}
	if out.TreeCacheSize == 0 {
		out.TreeCacheSize = 64 << 20
	}
	if out.MaxMemory <= 0 {
		out.MaxMemory = 5 << 29
	}
	if bits.UintSize == 32 {
		out.MaxMemory = min(out.MaxMemory, 1<<30)
	}
	return out
}
