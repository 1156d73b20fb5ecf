package engine

import (
	"errors"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wim/extract"
	"wimscope/worker/protocol"
)

// writesAtOnce is how many files are written to a folder at once: each takes the browser several turns, in which others go on.
const writesAtOnce = 32

// newFolder returns an output that writes to a folder of the browser.
func newFolder(fs hackpadfs.FS, recover bool) *extract.Folder {
	return extract.NewFolder(fs, &extract.FolderOptions{Recover: recover, Parallel: writesAtOnce, Refused: func(err error) bool {
		var e *protocol.Error
		return errors.As(err, &e) && e.Code == protocol.CodeName
	}})
}
