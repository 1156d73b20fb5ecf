package write

import "wimscope/wim/shard"

// shardMaker groups items into shards of a stage.
type shardMaker struct {
	l     *outlines
	empty outline // initial value of each shard
	cur   outline
	left  int64 // bytes that are not yet in a shard
}

// localShardBytes is about how many bytes go into a shard that runs in this process. Handing it over costs nothing, and small
// amounts of data stay in the processor's caches.
const localShardBytes = 2 << 20

// makeShards returns a shardMaker for contents.
func (l *outlines) makeShards(empty outline, ids []int32) *shardMaker {
	m := &shardMaker{l: l, empty: empty, cur: empty}
	for _, id := range ids {
		m.left += l.inv.contents[id].size
	}
	return m
}

// target returns about how many bytes go into the next shard. Shards get smaller towards the end, so that workers finish
// together.
func (m *shardMaker) target() int64 {
	if m.l.local {
		return localShardBytes
	}
	return min(max(m.left/32, shard.MinShardBytes), shard.MaxShardBytes)
}

// full reports whether the current shard can take no more pieces.
func (m *shardMaker) full() bool { return len(m.cur.items) >= shard.MaxShardPieces }

func (m *shardMaker) add(it item) {
	m.cur.items = append(m.cur.items, it)
	m.cur.bytes += it.n
}

// addPacked adds an item that is copied. Such shards are as large as possible.
func (m *shardMaker) addPacked(it item) {
	if m.cur.bytes+it.n > shard.MaxShardBytes || m.full() {
		m.flush()
	}
	m.add(it)
}

// flush ends the current shard.
func (m *shardMaker) flush() {
	if len(m.cur.items) > 0 {
		m.l.add(m.cur)
		m.left -= m.cur.bytes
	}
	m.cur = m.empty
}

// begin ends the current shard and sets the initial value of the next ones.
func (m *shardMaker) begin(empty outline) {
	m.empty = empty
	m.flush()
}
