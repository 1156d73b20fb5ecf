// Package fsa gives what browsers have for files the shape that Go has for them: a File or Blob is an io.ReaderAt
// ([File]), a directory handle of the File System Access API or of the origin's own file system a hackpadfs file
// system ([FS]), and whatever a job writes to a sink with positions ([OpenSink]).
//
// Everything here blocks its goroutine while the browser works; what reads a file runs in dedicated workers only.
package fsa
