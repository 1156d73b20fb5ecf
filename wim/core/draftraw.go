package core

import "unsafe"

// Names of drafts are strings: they never change, and serve as keys. Most of them are parts of a metadata resource,
// which does not change either.

// rawBytes gives the bytes of a stored name without copying them. They are only to be read.
func rawBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// rawText is the inverse of rawBytes, for bytes that do not change.
func rawText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
