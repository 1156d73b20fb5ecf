// Package extract takes files out of an image: as a ZIP or TAR archive, or as one stream. Package apply writes them as files
// and folders.
//
// [New] plans the extraction of a [Selection]. The result of each shard becomes a [Segment], entries laid out for the
// output, and an [Output] ([NewZIP], [NewTAR]) writes the segments in order. [Run] does all that on goroutines; in a
// browser, workers pack the segments.
//
// Entries that the output cannot hold, and blobs that are missing or damaged, are always reported.
package extract
