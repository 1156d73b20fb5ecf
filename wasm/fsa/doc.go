// Package fsa gives the browser's file APIs the interfaces that Go has for files: a File or Blob is an io.ReaderAt
// ([File]); a directory handle of the File System Access API or of the origin private file system (OPFS) is a
// hackpadfs file system ([FS]) or, to read from, an io/fs one ([Source]); and the output of a job is a sink with
// positions ([OpenSink]).
//
// Everything here blocks its goroutine while the browser works. What reads files runs in dedicated workers only.
package fsa
