// Package write makes archives, appends to them, compacts them and splits them.
//
// A [Builder] is an archive to be: [New] begins an empty one, [Of] one with the images of an archive. Images are added, moved, renamed
// and deleted; then a plan is made ([Builder.PlanWrite], [Builder.PlanAppend], [Builder.PlanCompact], [Builder.PlanSplit]) and run, by
// [Run] and [RunSplit] on goroutines, or shard by shard in a browser's workers.
//
// An output counts as an archive only once all of it is written: until then its header marks it as unfinished. An append leaves the
// archive as it was until its last write, which replaces the header.
package write
