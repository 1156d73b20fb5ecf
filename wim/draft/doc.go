// Package draft holds trees that can be changed and then written as images.
//
// [Scan] makes a [Draft] of a folder and [Of] one of an image; [New] makes an empty one. Its files refer to contents in a file system, an
// archive or memory, which are read only when an archive is written. [Draft.Metadata] returns the metadata resource.
package draft
