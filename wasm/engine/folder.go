package engine

import (
	"errors"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wim/apply"
	"wimscope/worker/protocol"
)

// writesAtOnce is the number of files written to a folder at the same time. Each one takes the browser several turns of
// the event loop, in which the others proceed.
const writesAtOnce = 32

// newFolder returns an output that writes to a folder in the browser.
func newFolder(fs hackpadfs.FS) *apply.Folder {
	return apply.New(fs, &apply.Options{Parallel: writesAtOnce, Refused: func(err error) bool {
		var e *protocol.Error
		return errors.As(err, &e) && e.Code == protocol.CodeName
	}})
}
