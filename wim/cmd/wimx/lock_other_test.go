//go:build !(darwin || dragonfly || freebsd || js || linux || netbsd || openbsd)

package main

// locksFiles reports whether lockFile does something.
const locksFiles = false
