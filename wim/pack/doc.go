// Package pack runs the shards of an archive that is written: it hashes, packs or copies contents.
//
// A [Worker] is a [shard.Runner] of all shards; those without a [shard.Packing] it passes to a [shard.Worker].
package pack
