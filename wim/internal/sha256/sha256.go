// Package sha256 is SHA-256, fast as WebAssembly and small: crypto/sha256 would bring the FIPS module into the
// browser's program, its self-tests, random generator and other ciphers. Elsewhere crypto/sha256, which uses the
// processor's instructions, does the work.
package sha256

// Size is the size of a hash in bytes.
const Size = 32

// Digest computes a SHA-256. It is for one goroutine at a time.
type Digest struct{ impl }

// New makes a Digest of nothing yet.
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

// Sum gives the hash of what was written. More may be written afterwards.
func (d *Digest) Sum() [Size]byte { return d.sum() }
