// Package sha256 computes SHA-256. As WebAssembly it is fast and small: crypto/sha256 would bring the FIPS module into the
// browser's program, with its self-tests, random generator and other ciphers. Elsewhere the package uses crypto/sha256, which has
// the processor's instructions.
package sha256

// Size is the size of a hash in bytes.
const Size = 32

// Digest computes a SHA-256. It is not safe for concurrent use.
type Digest struct{ impl }

// New returns an empty Digest.
func New() *Digest {
	d := new(Digest)
	d.reset()
	return d
}

// Write adds p. It never fails.
func (d *Digest) Write(p []byte) (int, error) {
	d.write(p)
	return len(p), nil
}

// Sum returns the hash of the bytes written so far. More may be written afterwards.
func (d *Digest) Sum() [Size]byte { return d.sum() }
