package blobs

import (
	"container/list"
	"sync"
)

// LRU keeps values within a limit of bytes, those used last. It is safe for concurrent use.
type LRU[K comparable, V any] struct {
	mu    sync.Mutex
	limit int64
	used  int64
	order *list.List // of *lruItem, the one used last in front
	items map[K]*list.Element
	least int // so many values are kept whatever their size
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
	size  int64
}

func NewLRU[K comparable, V any](limit int64, least int) *LRU[K, V] {
	return &LRU[K, V]{limit: limit, least: least, order: list.New(), items: map[K]*list.Element{}}
}

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

// Put keeps a value, and lets go of what was used longest ago until the limit holds again.
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

// chunkKey names a decoded chunk: a file, and where the packed chunk stands in it.
type chunkKey struct {
	src int32
	off int64
}
