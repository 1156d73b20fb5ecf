// Package pool manages the engine's workers: it starts, feeds, cancels, retires and replaces them.
//
// It knows a worker only as a [Conn], so the same code runs over postMessage in a browser and in memory in a test.
// A worker runs one of two programs: [Reader], or [Builder], which is loaded when something is first built. There are
// four roles. A [Session] owns one worker while its archive is open, and opens the archive again in a new
// one if that worker dies. A [Build] owns one worker that composes archives and writes them. A [Job] borrows shard
// workers, any of which can run any shard, and one output worker, which alone writes the output (unless the output is
// an archive: that is written by the Build's worker).
//
// Payload (decoded bytes, shards, results) passes from worker to worker through the pool as opaque attachments; the
// pool never looks inside.
package pool
