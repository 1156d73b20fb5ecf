package wim

// For the tests of package wim_test.

const MaxTreeLosses = maxTreeLosses

var RelativePath = relativePath

// Off returns the offset of an entry in its metadata resource.
func (im *Image) Off(n Node) int64 { return int64(im.nodes[n].off) }
