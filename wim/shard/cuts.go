package shard

import (
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
)

// CutHalves holds, by ID, blobs that two shards share, of which only one has been merged so far.
type CutHalves map[int32]*cutState

// cutState is a blob whose pieces are in two shards.
type cutState struct {
	state []byte
	tail  []byte
	have  bool // tail is set
}

// Join adds a piece of a blob. When both halves are there, it returns the SHA-1 of the blob.
func (m CutHalves) Join(c *Cut) (got format.Hash, ok bool) {
	if c.From == 0 && c.State == nil && c.Len < c.Size {
		return format.Hash{}, false // the first half is bad and was already reported
	}
	st := m[c.ID]
	if st == nil {
		st = &cutState{}
		m[c.ID] = st
	}
	switch {
	case c.State != nil:
		st.state = c.State
	case c.Tail != nil:
		st.tail, st.have = c.Tail, true
	default:
		return format.Hash{}, false // all of it was in one shard, but in two resources
	}
	if st.state == nil || !st.have {
		return format.Hash{}, false
	}
	delete(m, c.ID)
	d := sha1.New()
	if d.LoadState(st.state) == nil {
		d.Write(st.tail)
	}
	return d.Sum(), true
}
