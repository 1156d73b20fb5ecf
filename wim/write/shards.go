package write

import "wimscope/wim/shard"

// shardMaker gathers items into shards of a stage of writing.
type shardMaker struct {
	l     *outlines
	empty outline // what each shard begins as
	cur   outline
	left  int64 // bytes that are in no shard yet
}

// localShardBytes is about how many bytes go into a shard that a goroutine of this process does: handing it over costs
// nothing, and what is small stays in the processor's caches.
const localShardBytes = 2 << 20

// makeShards begins to make shards of contents.
func (l *outlines) makeShards(empty outline, ids []int32) *shardMaker {
	m := &shardMaker{l: l, empty: empty, cur: empty}
	for _, id := range ids {
		m.left += l.inv.contents[id].size
	}
	return m
}

// target is about how many bytes go into the next shard: less and less of what is left, for workers to end together.
func (m *shardMaker) target() int64 {
	if m.l.local {
		return localShardBytes
	}
	return min(max(m.left/32, shard.MinShardBytes), shard.MaxShardBytes)
}

// full says that no more pieces may go into the shard at hand.
func (m *shardMaker) full() bool { return len(m.cur.items) >= shard.MaxShardPieces }

func (m *shardMaker) add(it item) {
	m.cur.items = append(m.cur.items, it)
	m.cur.bytes += it.n
}

// addPacked adds an item that is copied: such shards are as large as may be.
func (m *shardMaker) addPacked(it item) {
	if m.cur.bytes+it.n > shard.MaxShardBytes || m.full() {
		m.flush()
	}
	m.add(it)
}

// flush ends the shard at hand.
func (m *shardMaker) flush() {
	if len(m.cur.items) > 0 {
		m.l.add(m.cur)
		m.left -= m.cur.bytes
	}
	m.cur = m.empty
}

// begin ends the shard at hand, and has others begin otherwise.
func (m *shardMaker) begin(empty outline) {
	m.empty = empty
	m.flush()
}
