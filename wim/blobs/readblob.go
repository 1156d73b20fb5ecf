package blobs

import (
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
)

// ReadBlob reads a whole blob of at most limit bytes and checks its SHA-1. The zero hash is that of an empty blob.
//
// Errors: *format.TooLargeError if the blob is longer than limit (nothing is read); *ChecksumError if the SHA-1 does not match; and
// those of OpenBlob and Reader.ReadAt. With a *ChecksumError the bytes are returned too, for data recovery only.
func (a *Store) ReadBlob(h format.Hash, limit int64) ([]byte, error) {
	r, err := a.OpenBlob(h)
	if err != nil {
		return nil, err
	}
	if r.size > limit {
		return nil, &format.TooLargeError{What: "blob " + h.String(), Need: r.size, Limit: limit}
	}
	b := make([]byte, r.size)
	if _, err := ReadFull(r, b, 0); err != nil {
		return nil, err
	}
	if h.IsZero() {
		return nil, nil
	}
	return b, r.compare(sha1.Sum(b))
}

// compare returns a *ChecksumError if got is not the blob's SHA-1.
func (r *Reader) compare(got format.Hash) error {
	if got == r.hash {
		return nil
	}
	info := Stored{}
	if b, ok := r.a.Blob(r.hash); ok {
		info = r.a.Stored(b)
	}
	return &ChecksumError{What: "blob", Part: info.PartName, Off: info.Off, Want: r.hash, Got: got}
}

// OrderSum hashes a blob that is read in order from start to end.
type OrderSum struct {
	d  *sha1.Digest
	at int64 // bytes hashed; -1 if some were skipped
}

// Add hashes the bytes read at off. At the end of the blob it returns a *ChecksumError if the SHA-1 does not match. It does not check a
// blob of which bytes were skipped.
func (s *OrderSum) Add(r *Reader, b []byte, off int64) error {
	switch {
	case off == 0 && s.d == nil:
		s.d, s.at = sha1.New(), 0
	case off == 0:
		s.d.Reset()
		s.at = 0
	case off != s.at || s.d == nil:
		s.at = -1
		return nil
	}
	s.d.Write(b)
	if s.at += int64(len(b)); s.at < r.size {
		return nil
	}
	s.at = -1
	return r.compare(s.d.Sum())
}
