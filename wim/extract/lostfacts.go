package extract

import (
	"wimscope/wim"
	"wimscope/wim/format"
)

// LostFacts counts entries with facts that few outputs hold; Count can be Options.Written. Packed and the callers leave out
// what an output does hold.
type LostFacts struct {
	Streams, Security, Unix, Xattrs, ObjectIDs, ShortNames int // named streams, security descriptors, …

	ReadOnly, Hidden, System    int // attributes
	Reparse                     int // reparse points that are neither folders nor links
	Encrypted, EncryptedFolders int // files and folders that EFS encrypts
}

// Count counts the facts of an entry that is written as kind.
func (l *LostFacts) Count(im *wim.Image, n wim.Node, kind EntryKind) {
	add := func(to *int, is bool) {
		if is {
			*to++
		}
	}
	attrs, dir := im.Attributes(n), im.IsDir(n)
	items := im.Items(n)
	_, unix := items.UnixData()
	add(&l.Streams, im.NamedStreams(n) > 0)
	add(&l.Encrypted, attrs&format.AttrEncrypted != 0 && !dir)
	add(&l.EncryptedFolders, attrs&format.AttrEncrypted != 0 && dir)
	add(&l.Reparse, attrs&format.AttrReparsePoint != 0 && !dir && kind != EntrySymlink)
	add(&l.ReadOnly, attrs&format.AttrReadOnly != 0)
	add(&l.Hidden, attrs&format.AttrHidden != 0)
	add(&l.System, attrs&format.AttrSystem != 0)
	add(&l.Security, len(im.Security(n)) > 0)
	add(&l.ShortNames, im.ShortName(n) != "")
	add(&l.ObjectIDs, len(items.ObjectID()) > 0)
	add(&l.Unix, unix)
	add(&l.Xattrs, len(items.Xattrs()) > 0)
}

// Packed returns the counts of what a ZIP or TAR does not hold: a ZIP has the attributes of entries, a TAR read-only files by
// their mode.
func (l LostFacts) Packed(form Form) LostFacts {
	switch form {
	case OutputZIP:
		l.ReadOnly, l.Hidden, l.System = 0, 0, 0
	case OutputTAR:
		l.ReadOnly = 0
	}
	return l
}
