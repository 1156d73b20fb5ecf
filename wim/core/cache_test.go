package core

import "testing"

// TestCacheLimit: the cache keeps what was used last, within its bounds.
func TestCacheLimit(t *testing.T) {
	c := newLRU[int, string](10, 1)
	c.put(1, "a", 4)
	c.put(2, "b", 4)
	c.get(1)
	c.put(3, "c", 4)
	if _, ok := c.get(2); ok || c.used != 8 {
		t.Errorf("2 is still there; %d bytes", c.used)
	}
	c.put(4, "d", 50)
	if _, ok := c.get(4); !ok || len(c.items) != 1 || c.used != 50 {
		t.Errorf("%d values, %d bytes", len(c.items), c.used)
	}
	c.put(4, "e", 5)
	if v, _ := c.get(4); v != "e" || c.used != 5 {
		t.Errorf("%q, %d bytes", v, c.used)
	}
}
