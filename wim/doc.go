// Package wim reads and writes Windows Imaging archives: WIM, ESD and SWM files, whole, split, pipable or differential.
//
// [Open] takes the parts of an archive, each an io.ReaderAt with a size. [Verify] says what is damaged and which files that
// is, [Zip] takes an image out. A [Builder] makes archives and changes them.
//
// This is the short way to all that, on goroutines. Package core has the whole of it: trees and their attributes, search,
// comparison, damaged archives, other forms of output, and every long operation as a list of shards that workers
// anywhere can run.
//
// Words: an archive is made of parts and holds images; an image is a tree of entries; an entry's data are streams;
// the bytes of streams are blobs, stored once each and named by their SHA-1; a blob lies in a resource, alone or, if
// that is solid, with others; a packed resource is made of chunks.
package wim
