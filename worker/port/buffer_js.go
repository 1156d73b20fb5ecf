package port

import "syscall/js"

// Buffer is a buffer that came with a message and stays where it is: what goes on to a file need not come into the
// program's memory, which never shrinks.
type Buffer struct{ array js.Value }

// Len is its size in bytes.
func (b Buffer) Len() int64 { return int64(b.array.Length()) }

// Bytes copies n bytes from from on.
func (b Buffer) Bytes(from, n int64) ([]byte, error) {
	p := make([]byte, n)
	js.CopyBytesToGo(p, b.array.Call("subarray", from, from+n))
	return p, nil
}

// JSValue is the Uint8Array itself.
func (b Buffer) JSValue() js.Value { return b.array }
