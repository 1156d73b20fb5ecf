package engine

import (
	"testing"

	"wimscope/wim/blobs"
	"wimscope/worker/protocol"
)

// TestFileKinds checks that package blobs and the protocol have the same kinds of files.
func TestFileKinds(t *testing.T) {
	known := map[string]bool{}
	for _, k := range protocol.FileKinds() {
		known[string(k)] = true
	}
	for _, k := range blobs.FileKinds() {
		if !known[k] {
			t.Errorf("the protocol does not know %q", k)
		}
		delete(known, k)
	}
	for k := range known {
		t.Errorf("the engine never tells %q", k)
	}
}
