// Package extract takes files out of an image: as a ZIP or TAR archive, as one stream, as files in a folder, or one by one.
//
// [New] plans the extraction of a [Selection]. The result of each shard becomes a [Segment], entries laid out for the output, and an
// [Output] puts the segments in order: [NewZIP], [NewTAR]. [Run] does all that on goroutines; in a browser, workers make the segments.
// A [Folder] takes the segments too, and makes files in a [Target]: [RunFolder].
//
// Entries that the output cannot hold, and blobs that are missing or damaged, are listed, never dropped in silence.
package extract
