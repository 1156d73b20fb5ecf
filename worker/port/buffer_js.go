package port

import "syscall/js"

// Buffer is a buffer that came with a message and stays in JavaScript's memory: data that only goes on to a file need
// not enter the program's memory, which never shrinks.
type Buffer struct{ array js.Value }

// Len returns its size in bytes.
func (b Buffer) Len() int64 { return int64(b.array.Length()) }

// Bytes returns a copy of n bytes, starting at from.
func (b Buffer) Bytes(from, n int64) ([]byte, error) {
	p := make([]byte, n)
	js.CopyBytesToGo(p, b.array.Call("subarray", from, from+n))
	return p, nil
}

// JSValue returns the Uint8Array.
func (b Buffer) JSValue() js.Value { return b.array }
