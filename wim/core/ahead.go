package core

// ReadAhead starts to read what RunShard will ask for first, for a shard that has to wait while another one runs.
func (s *Shard) ReadAhead(src Source) {
	if len(s.Spans) == 0 {
		return
	}
	sp := &s.Spans[0]
	if int(sp.Src) >= len(src) {
		return
	}
	n := min(windowSize, sp.End-sp.Off)
	if len(sp.Chunks) > 0 {
		n = min(max(n, sp.Chunks[0].Packed), 2*windowSize)
	}
	lookAhead(src[sp.Src], sp.Off, n)
}
