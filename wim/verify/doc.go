// Package verify checks an archive: the SHA-1 of every blob and metadata resource, the integrity tables, and whether every blob that
// an image needs is there.
//
// [New] makes the plan of a verification; once its shards are merged, [Plan.Report] lists what is damaged or missing, with the paths
// in every image that it hits. [NewSum] plans a SHA-256 of each part.
package verify
