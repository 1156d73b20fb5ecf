package draft

import (
	"testing"
	"unsafe"
)

// TestBytesPerFile limits the sizes of the records of each scanned file, of which a million may be in memory.
func TestBytesPerFile(t *testing.T) {
	for _, r := range []struct {
		name       string
		size, most uintptr
	}{
		{"draftNode", unsafe.Sizeof(draftNode{}), 32},
		{"draftInode", unsafe.Sizeof(draftInode{}), 56},
		{"inodeStream", unsafe.Sizeof(inodeStream{}), 12},
		{"draftContent", unsafe.Sizeof(draftContent{}), 72},
	} {
		if r.size > r.most {
			t.Errorf("a %s has %d bytes, more than %d: put fields that few need into its rare ones", r.name, r.size, r.most)
		}
	}
}
