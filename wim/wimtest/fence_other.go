//go:build !linux

package wimtest

import "testing"

// Fenced returns n bytes. Only Linux has fences for them.
func Fenced(tb testing.TB, n int, end bool) []byte { return make([]byte, n) }
