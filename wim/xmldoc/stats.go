package xmldoc

// Stats holds the counts that an XML document states for an image.
type Stats struct {
	Dirs  int // folders, including the root
	Files int // all other names
	// TotalBytes is the size of all streams, those of a file counted for each of its names; HardLinkBytes is the part of it
	// that is due to all names but the first.
	TotalBytes, HardLinkBytes int64
}
