package core

import (
	"runtime"
	"testing"
)

// fewer says that this run repeats, with 32-bit integers or in a browser, what the native run tries in full. There a test
// that goes through many cases or much data tries some of each kind.
func fewer() bool { return testing.Short() || runtime.GOOS == "js" }
