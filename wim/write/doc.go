// Package write writes new archives, appends to them, compacts them and splits them.
//
// A [Builder] describes the archive to write. [New] returns an empty one, [Of] one with the images of an archive. Images are
// added, moved, renamed and deleted. A plan is then made ([Builder.PlanWrite], [Builder.PlanAppend], [Builder.PlanCompact],
// [Builder.PlanSplit]) and run, by [Run] and [RunSplit] on goroutines, or shard by shard in a browser's workers.
//
// An output is a valid archive only once it is complete: until then its header marks it as unfinished. An append leaves the
// archive unchanged until its last write, which replaces the header.
//
// Inside the package, a [Plan] is a request (what to write), an inventory (the contents, where they come from and where they
// are written), the outlines of the current stage's shards, an output (the file), and the list of stages still to run. Each
// stage adds its shards to the outlines and merges their results.
package write
