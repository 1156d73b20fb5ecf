package fsa

import (
	"crypto/sha1"
	"math/rand/v2"
	"syscall/js"
	"testing"
)

func TestSHA1(t *testing.T) {
	b := make([]byte, 5<<20+123)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	for _, part := range [][]byte{b, b[1:], b[len(b)-digestMin:]} {
		wait := SHA1(part)
		if wait == nil {
			t.Fatal("SHA1 declined")
		}
		// When memory grows meanwhile, JavaScript sees a new buffer.
		more := make([]byte, 32<<20)
		more[len(more)-1] = 1
		got, err := wait()
		if want := sha1.Sum(part); err != nil || got != want {
			t.Errorf("%d bytes: %x, %v, want %x", len(part), got, err, want)
		}
	}
	if SHA1(b[:digestMin-1]) != nil || SHA1(nil) != nil {
		t.Error("SHA1 accepted a short slice")
	}
}

// TestSHA1Declines checks that SHA1 returns nil without the loader's help or without crypto.subtle.
func TestSHA1Declines(t *testing.T) {
	memory := js.Global().Get("wasmMemory")
	js.Global().Delete("wasmMemory")
	defer js.Global().Set("wasmMemory", memory)
	if SHA1(make([]byte, digestMin)) != nil {
		t.Error("SHA1 did not decline")
	}
}
