// Package verify checks an archive: the SHA-1 of every blob and metadata resource, the integrity tables, and whether every blob that the
// images need is present.
//
// [Run] verifies an archive on goroutines. [New] plans a verification for other workers; once all its shards are merged, [Plan.Report]
// returns the report. It lists what is damaged or missing, with the affected paths in every image. [NewSum] plans a SHA-256 of each
// part.
package verify
