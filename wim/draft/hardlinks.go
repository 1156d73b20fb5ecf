package draft

import (
	"io/fs"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// The names of one file share an inode: a scan groups hard links by the device and inode number that the file system reports.

// hardLinked reports whether a file may have other names in the tree.
func (s *scanner) hardLinked(e *scanEntry) bool {
	f, mode := &e.facts, e.info.Mode()
	// If links are followed or there are several scans, a file may be found by several paths, whatever its number of names.
	several := f.Links > 1 || (s.o.Dereference || s.o.Several) && f.Links > 0
	return several && !mode.IsDir() && mode&fs.ModeSymlink == 0 && f.Attributes&format.AttrReparsePoint == 0
}

// addHardLink adds another name of a file that the tree has already.
func (s *scanner) addHardLink(dir *scanDir, e *scanEntry, inode int32) error {
	short := ntname.Stored(e.facts.ShortName)
	if short != "" {
		if err := ntname.Check(short); err != nil {
			return err
		}
	}
	s.d.newNode(dir.node, e.name, short, inode)
	return nil
}
