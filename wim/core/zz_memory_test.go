package core

import "bytes"

// memFile is an archive in memory that is being written.
type memFile struct{ b []byte }

func (m *memFile) WriteAt(p []byte, off int64) (int, error) {
	if need := int(off) + len(p); need > len(m.b) {
		m.b = append(m.b, make([]byte, need-len(m.b))...)
	}
	return copy(m.b[off:], p), nil
}

func (m *memFile) Truncate(size int64) error {
	m.b = m.b[:size]
	return nil
}

type memContent struct{ *bytes.Reader }

func (memContent) Close() error { return nil }
