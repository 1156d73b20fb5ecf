package fsa

import (
	"fmt"
	"syscall/js"
	"unsafe"

	"wimscope/worker/jsx"
)

// digestMin is the size from which the browser computes the hash: below it the program is faster by itself.
const digestMin = 1 << 20

// SHA1 makes the browser compute the SHA-1 of b in parallel with the program. It returns at once; wait returns the
// hash. b must not change before that. SHA1 returns nil if the browser cannot do it, or if b is too short to be worth
// it.
//
// It passes b where it lies in the program's memory, which the loader script provides as self.wasmMemory: an array of
// its own would cost one more copy.
func SHA1(b []byte) (wait func() ([20]byte, error)) {
	memory := js.Global().Get("wasmMemory")
	crypto := js.Global().Get("crypto")
	if len(b) < digestMin || memory.Type() != js.TypeObject || crypto.Type() != js.TypeObject {
		return nil
	}
	subtle := crypto.Get("subtle") // missing if the page is not a secure context
	if subtle.Type() != js.TypeObject {
		return nil
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	view, err := jsx.New("Uint8Array", memory.Get("buffer"), float64(at), len(b))
	if err != nil {
		return nil
	}
	promise, err := jsx.CallNow(subtle, "digest", "SHA-1", view)
	if err != nil {
		return nil
	}
	return func() (sum [20]byte, err error) {
		v, err := jsx.Await(promise)
		if err != nil {
			return sum, err
		}
		got, ok := jsx.Bytes(v)
		if !ok || len(got) != len(sum) {
			return sum, fmt.Errorf("fsa: SHA-1 has %d bytes", len(got))
		}
		return [20]byte(got), nil
	}
}
