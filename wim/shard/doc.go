// Package shard divides jobs into shards that can run anywhere: on goroutines, or in a browser's workers.
//
// A [Plan] is a job in stages, each a list of shards. Each [Shard] is self-contained: it lists the bytes to read and what to
// do with them, so that anyone who has the files can run it. A [Worker] runs the shards that only read; package pack runs
// those with a [Packing]. The binary forms of a shard and its [Result] are sent between workers. Results are merged in the
// order of the shards. [Run] does all that on goroutines.
//
// [Layout] divides the blobs of an archive into shards of about equal work; verify, extract and write build on it.
package shard
