//go:build !linux

package wimtest

import "testing"

// Fenced returns n bytes, without an inaccessible page.
func Fenced(tb testing.TB, n int, end bool) []byte { return make([]byte, n) }
