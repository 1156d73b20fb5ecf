package fsa

import (
	"fmt"
	"syscall/js"
	"unsafe"

	"wimscope/worker/jsx"
)

// digestMin is from how many bytes on the browser is asked: below it takes longer to answer than the program itself.
const digestMin = 1 << 20

// SHA1 has the browser compute the SHA-1 of b beside the program. It returns at once; wait gives the hash. b must not
// change before that. It returns nil if the browser cannot, or if b is so short that it would be of no use.
//
// It reads b where it lies, in the program's memory, which the loader script gives as self.wasmMemory: into an array
// of its own b would first be copied twice.
func SHA1(b []byte) (wait func() ([20]byte, error)) {
	memory := js.Global().Get("wasmMemory")
	crypto := js.Global().Get("crypto")
	if len(b) < digestMin || memory.Type() != js.TypeObject || crypto.Type() != js.TypeObject {
		return nil
	}
	subtle := crypto.Get("subtle") // there is none where the page is not a secure context
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
			return sum, fmt.Errorf("fsa: a SHA-1 of %d bytes", len(got))
		}
		return [20]byte(got), nil
	}
}
