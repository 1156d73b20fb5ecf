package archivetest

import "bytes"

// MemFile is an archive in memory that is being written.
type MemFile struct{ B []byte }

func (m *MemFile) WriteAt(p []byte, off int64) (int, error) {
	if need := int(off) + len(p); need > len(m.B) {
		m.B = append(m.B, make([]byte, need-len(m.B))...)
	}
	return copy(m.B[off:], p), nil
}

func (m *MemFile) Truncate(size int64) error {
	m.B = m.B[:size]
	return nil
}

type MemContent struct{ *bytes.Reader }

func (MemContent) Close() error { return nil }

func (m *MemFile) ReadAt(b []byte, off int64) (int, error) {
	return bytes.NewReader(m.B).ReadAt(b, off)
}
