// Package xmldoc reads and writes the XML document of an archive, which describes its images.
//
// A document is kept whole, known elements and others, in its order, so that writing it back loses nothing. What other
// programs would refuse to read is never written: Doc.Check finds it.
package xmldoc
