package engine

import (
	"github.com/hack-pad/hackpadfs"

	"wimscope/wim"
	"wimscope/wim/apply"
	"wimscope/worker/protocol"
)

// This file has what package build needs from the engine, besides Do and Dispatch. The methods require the turn.

// OpenArchive opens the files of a request as an archive. The engine does not keep it.
func (e *Engine) OpenArchive(names, references []string, attach []any) (*wim.Archive, error) {
	parts, refs, err := attached(names, references, attach)
	if err != nil {
		return nil, err
	}
	return e.openArchive(parts, refs)
}

// CloseArchive closes the session.
func (e *Engine) CloseArchive() { e.session = nil }

// SetFiles provides files for shards, as a Parts request does.
func (e *Engine) SetFiles(req protocol.PartsRequest, attach []any) error { return e.parts(req, attach) }

// Writing reports whether an output is open.
func (e *Engine) Writing() bool { return e.out != nil }

// NewFolder returns an output that writes to a folder in the browser.
func NewFolder(fs hackpadfs.FS) *apply.Folder { return newFolder(fs) }

// SafeName replaces the characters of a file name that a target may reject.
func SafeName(name string) string { return safeName(name) }
