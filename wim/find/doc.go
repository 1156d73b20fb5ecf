// Package find searches images: by names and paths ([In]), by the blob that entries use ([Uses]), by path with wildcards ([Glob]), and by
// what differs between two images ([Diff]).
package find
