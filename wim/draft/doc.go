// Package draft holds trees that can be changed, and that become images.
//
// A [Draft] is made by [Scan] of a folder, by [Of] of an image, or by [New] entry by entry. Its files name their contents, which lie in
// a file system, an archive or memory, and are read only when an archive is written. [Draft.Metadata] returns the metadata resource.
package draft
