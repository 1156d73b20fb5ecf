// Package find searches images by names and paths ([In]), by the blob that entries use ([Uses]) and by path with wildcards ([Glob]), and
// compares two images ([Diff]).
package find
