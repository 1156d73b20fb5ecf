// Package wim reads Windows Imaging archives: WIM, ESD and SWM files, whole, split, pipable or delta.
//
// [Open] takes the parts of an archive, each an io.ReaderAt with a size, and reads its headers and tables. [Archive.Images] lists the
// images, [Archive.Image] loads the tree of one, and [Image.FS] returns that tree as a file system of io/fs. [Archive.Store] is the
// level below: the blobs and their places.
//
// Each operation on archives has a package of its own. Package verify finds damage and the paths that it affects. Package extract
// writes an image to a ZIP or TAR archive or to files. Package find searches and compares images. Package draft holds trees that can be
// changed, and scans folders. Package write makes archives, appends to them and splits them. Package windows reads facts about the
// Windows in an image. Long operations are lists of shards (package shard), which goroutines or a browser's workers run.
//
// Words: an archive consists of parts and holds images; an image is a tree of entries; an entry's data are streams; the bytes of
// streams are blobs, stored once each and identified by their SHA-1; a blob lies in a resource, alone or, in a solid resource, with
// others; a compressed resource consists of chunks.
//
// All data from a file are checked before they are used. What cannot be read is reported as a [format.Error], with record and offset, or
// as another typed error; what can be ignored, as a warning; what is missing, as a [Loss].
package wim

import "wimscope/wim/blobs"

// Types of package blobs that callers of Open need.
type (
	Part             = blobs.Part             // one file of an archive
	Options          = blobs.Options          // how an archive is read
	Identity         = blobs.Identity         // the set to which a part belongs
	NotWIMError      = blobs.NotWIMError      // not a WIM file
	OldVersionError  = blobs.OldVersionError  // format version before 1.13
	TruncatedError   = blobs.TruncatedError   // the end of a part is missing
	UnfinishedError  = blobs.UnfinishedError  // writing was interrupted
	MissingPartError = blobs.MissingPartError // parts of the set are missing
	WrongPartError   = blobs.WrongPartError   // a part of another set, or a repeated one
	EncryptedError   = blobs.EncryptedError   // an encrypted ESD
)

// Identify reads the header of one file and nothing else. The errors are those of Open for a single file.
func Identify(p Part) (Identity, error) { return blobs.Identify(p) }
