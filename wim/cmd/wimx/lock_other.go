//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

// lockFile does nothing here.
func lockFile(uintptr) (taken bool, err error) { return false, nil }

// locksFiles says that lockFile does something.
const locksFiles = false
