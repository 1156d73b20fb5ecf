package blobs

import "testing"

// TestCacheLimit checks that the cache keeps the most recently used values within its limit.
func TestCacheLimit(t *testing.T) {
	c := NewLRU[int, string](10, 1)
	c.Put(1, "a", 4)
	c.Put(2, "b", 4)
	c.Get(1)
	c.Put(3, "c", 4)
	if _, ok := c.Get(2); ok || c.used != 8 {
		t.Errorf("2 is still there; %d bytes", c.used)
	}
	c.Put(4, "d", 50)
	if _, ok := c.Get(4); !ok || len(c.items) != 1 || c.used != 50 {
		t.Errorf("%d values, %d bytes", len(c.items), c.used)
	}
	c.Put(4, "e", 5)
	if v, _ := c.Get(4); v != "e" || c.used != 5 {
		t.Errorf("%q, %d bytes", v, c.used)
	}
}
