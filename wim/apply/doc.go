// Package apply writes an extraction as files and folders: to a hackpadfs file system ([New]), or to a [Target] of the
// caller's own ([To]). [Run] does it on goroutines.
package apply
