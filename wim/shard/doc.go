// Package shard divides work on blobs into shards that can run anywhere: on goroutines, or in a browser's workers.
//
// A [Plan] is a job as a list of shards. Each [Shard] is self-contained: it lists the bytes to read and what to do with them,
// so that anyone who has the files can run it with [Do]. Its binary form ([Shard.AppendBinary], [Parse]) is sent between
// workers. Results are merged in the order of the shards. [Run] does all that on goroutines.
//
// A [PackShard] is the counterpart for writing: it compresses, hashes or copies contents. [RunPack] runs it.
//
// [Layout] divides the blobs of an archive into shards of about equal work; verify, extract and write build their plans on
// it.
package shard
