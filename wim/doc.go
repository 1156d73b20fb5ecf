// Package wim reads Windows Imaging archives: WIM, ESD and SWM files, whole, split, pipable or differential.
//
// [Open] takes the parts of an archive, each an io.ReaderAt with a size, and reads what describes it. [Archive.Images] lists the
// images, [Archive.Image] loads the tree of one, and [Image.FS] is that tree as a file system of io/fs. [Archive.Store] is the
// level below: the blobs, and where they lie.
//
// What can be done with an archive is in packages of its own. Package verify finds damage, and the paths that it hits. Package extract
// makes a ZIP or TAR archive or files of an image. Package find searches and compares images. Package draft holds trees that can be
// changed, and scans folders. Package write makes archives, appends to them and splits them. Package windows reads facts about the
// Windows in an image. Long work is a list of shards (package shard), which goroutines or a browser's workers run.
//
// Words: an archive is made of parts and holds images; an image is a tree of entries; an entry's data are streams; the bytes of
// streams are blobs, stored once each and named by their SHA-1; a blob lies in a resource, alone or, if that is solid, with others; a
// compressed resource is made of chunks.
//
// Everything in a file is checked before it is used. What cannot be read is a [format.Error], with record and offset, or another of
// the typed errors; what can be passed over is a warning, and what is missing is a [Loss].
package wim

import "wimscope/wim/blobs"

// What package blobs defines and callers of Open need.
type (
	Part             = blobs.Part             // one file of an archive
	Options          = blobs.Options          // how an archive is read
	Identity         = blobs.Identity         // which set a part belongs to
	NotWIMError      = blobs.NotWIMError      // the file is no WIM
	OldVersionError  = blobs.OldVersionError  // its format is older than 1.13
	TruncatedError   = blobs.TruncatedError   // its end is missing
	UnfinishedError  = blobs.UnfinishedError  // it was never written to its end
	MissingPartError = blobs.MissingPartError // parts of the set are missing
	WrongPartError   = blobs.WrongPartError   // it does not belong to the set
	EncryptedError   = blobs.EncryptedError   // it is an encrypted ESD
)

// Identify reads the header of one file and nothing else. Its errors are those of Open for a single file.
func Identify(p Part) (Identity, error) { return blobs.Identify(p) }
