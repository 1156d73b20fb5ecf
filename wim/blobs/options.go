package blobs

import (
	"math/bits"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
)

// Options configures how an archive is read. The zero value, and nil, is right for most callers.
type Options struct {
	// References are other archives, whole or split, in which blobs are looked up that this one lacks: the base of a delta
	// archive, the resource-only file of a metadata-only one.
	References []Part

	// LaterParts allows opening parts of a set without the first part, which holds the images. Then only blobs and the XML document
	// are available.
	LaterParts bool

	// CacheSize limits the unpacked chunks that are cached for random access, in bytes. 0 means 96 MiB. The last chunk used is kept
	// whatever its size.
	CacheSize int64

	// TreeCacheSize limits the images that are cached, in bytes. 0 means 64 MiB. The last image loaded is kept whatever its
	// size.
	TreeCacheSize int64

	// MaxMemory limits the memory for a single chunk or metadata resource, in bytes, packed and unpacked together. Reading a larger
	// one returns a *format.TooLargeError. 0 means 2.5 GiB, or 1 GiB where addresses have 32 bits.
	MaxMemory int64

	// SHA1, if not nil, hashes b asynchronously, for hosts that can do so (a browser's crypto.subtle). It returns at once; wait
	// returns the hash. b must not change until then. SHA1 may return nil to decline.
	SHA1 func(b []byte) (wait func() ([20]byte, error))
}

// sum hashes b asynchronously if o.SHA1 can, otherwise when wait is called.
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
