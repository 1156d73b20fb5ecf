package xmldoc

// Stats is what an archive's XML document tells of an image.
type Stats struct {
	Dirs  int // folders, the root among them
	Files int // all other names
	// Sizes of streams, a file's once for each of its names; and the share of that which is for names but the first.
	TotalBytes, HardLinkBytes int64
}
