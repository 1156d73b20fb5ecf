package shard

import "wimscope/wim/blobs"

// ReadAhead starts to read the first bytes that running the shard will need. It is called for a shard that waits while another one runs.
func (s *Shard) ReadAhead(src blobs.Source) {
	if len(s.Spans) == 0 {
		return
	}
	sp := &s.Spans[0]
	if int(sp.Src) >= len(src) {
		return
	}
	n := min(WindowSize, sp.End-sp.Off)
	if len(sp.Chunks) > 0 {
		n = min(max(n, sp.Chunks[0].Packed), 2*WindowSize)
	}
	blobs.LookAhead(src[sp.Src], sp.Off, n)
}
