// Package shard divides work on blobs into pieces that run anywhere: on goroutines, or in a browser's workers.
//
// A [Plan] is a job as a list of shards. Each [Shard] says by itself which bytes to read and what to do with them, so that whoever has
// the files can run it with [Do]; its form in bytes ([Shard.AppendBinary], [Parse]) goes from one worker to another. Results are
// merged in the order of the shards. [Run] does all that on goroutines.
//
// A [PackShard] is the same for writing: it compresses, hashes or copies contents, and [RunPack] runs it.
//
// [Layout] puts the blobs of an archive into shards of about equal work; verify, extract and write build their plans on it.
package shard
