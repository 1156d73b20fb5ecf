package blobs

import (
	"container/list"
	"sync"
)

// LRU is a cache with a size limit in bytes that drops the least recently used values. It is safe for concurrent use.
type LRU[K comparable, V any] struct {
	mu    sync.Mutex
	limit int64
	used  int64
	order *list.List // of *lruItem, the most recently used first
	items map[K]*list.Element
	least int // number of values that are kept whatever their size
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
	size  int64
}

// NewLRU returns a cache of at most limit bytes that keeps at least that many values whatever their size.
func NewLRU[K comparable, V any](limit int64, least int) *LRU[K, V] {
	return &LRU[K, V]{limit: limit, least: least, order: list.New(), items: map[K]*list.Element{}}
}

// Get returns the value of a key, and marks it as used.
func (c *LRU[K, V]) Get(k K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[k]
	if !ok {
		var none V
		return none, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*lruItem[K, V]).value, true
}

// Put adds a value of the given size in bytes, and drops the least recently used values beyond the limit.
func (c *LRU[K, V]) Put(k K, v V, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size > c.limit && c.least == 0 {
		return
	}
	if e, ok := c.items[k]; ok {
		c.drop(e)
	}
	c.items[k] = c.order.PushFront(&lruItem[K, V]{k, v, size})
	c.used += size
	for c.used > c.limit && c.order.Len() > c.least {
		c.drop(c.order.Back())
	}
}

func (c *LRU[K, V]) drop(e *list.Element) {
	it := e.Value.(*lruItem[K, V])
	c.order.Remove(e)
	delete(c.items, it.key)
	c.used -= it.size
}

// chunkKey identifies an unpacked chunk by its file and the offset of the packed chunk in it.
type chunkKey struct {
	src int32
	off int64
}
