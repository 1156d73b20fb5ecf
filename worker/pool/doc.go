// Package pool keeps the engine's workers: it starts, feeds, cancels, retires and replaces them.
//
// It knows a worker only as a [Conn], so that the same code runs over a MessagePort in a browser and over memory
// in a test. Four roles are given out: a [Session] owns one worker for as long as its archive is open and is
// opened again by itself when that worker dies; a [Build] owns one that puts archives together and writes them; a
// [Job] borrows shard workers, any of which can run any shard, and one output worker, which alone owns what the job
// writes, unless that is an archive.
//
// Payload (decoded bytes, shards, results) goes from worker to worker through the pool as opaque attachments; it
// is never looked into here.
package pool
