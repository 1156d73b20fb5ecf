package wimtest

import (
	"os"
	"syscall"
	"testing"
)

// Fenced returns n bytes beside an inaccessible page, which is after their end or before their start, so that an access one byte out
// of bounds faults. Tests of code with unsafe use it; debug.SetPanicOnFault turns the fault into a panic.
func Fenced(tb testing.TB, n int, end bool) []byte {
	tb.Helper()
	page := os.Getpagesize()
	room := (n+page-1)/page*page + page // the bytes and the inaccessible page
	b, err := syscall.Mmap(-1, 0, room, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = syscall.Munmap(b) })
	fence, inside := b[:page], b[page:page+n:page+n]
	if end {
		fence, inside = b[room-page:], b[room-page-n:room-page:room-page]
	}
	if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
		tb.Fatal(err)
	}
	return inside
}
