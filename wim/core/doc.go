// Package core reads and writes Windows Imaging archives: WIM, ESD and SWM files, whole, split, pipable or differential.
//
// [Open] takes the parts of an archive as [Part]s, each an [io.ReaderAt] with a size, and reads what describes it.
// [Archive.Images] tells what the XML document says of the images, [Archive.Image] loads the tree of one,
// [Archive.OpenBlob] reads any content at any place. [Image.FS] shows a tree as a file system.
//
// Work that goes through many contents is a [Plan]: a list of shards that workers anywhere can run by themselves
// with [RunShard], given the same files, and whose results are merged. [Archive.PlanVerify], [Archive.PlanExtract],
// [Archive.PlanContents] and [Archive.PlanSum] make plans; [RunPlan] and [RunExtract] run them on goroutines.
//
// A [Draft] is a tree that can be changed: of a folder that [Scan] went through, of an image, or made entry by entry. An
// [Edit] is an archive to be, of drafts and of images as they are. Its plans are [WritePlan]s: [Edit.PlanWrite] of a new
// file, [Edit.PlanAppend] of a change in place, [Edit.PlanCompact], [Edit.PlanSplit]. [RunWrite] and [RunSplit] run them on
// goroutines; [RunPack] is the worker for all others.
//
// Words: an archive is made of parts and holds images; an image is a tree of entries; an entry's data are streams;
// the bytes of streams are blobs, stored once each and named by their SHA-1; a blob lies in a resource, alone or, if
// that is solid, with others; a packed resource is made of chunks.
//
// Whatever a file says is checked before it is believed. What cannot be read is a [FormatError] with record and
// offset or another of the typed errors; what can be passed over is a warning.
package core
