// Package engine answers the protocol's requests for reading with the packages of wim; package build, below it, adds
// those for building. It is pure Go: what only a browser has (handles, sinks, turns of the event loop) comes in by
// [Options].
//
// A worker holds at most one of each: a session (an open archive), the files that shards are run on, and an output.
// Requests run in goroutines of their own and take turns: one computes at a time and gives up its turn at least every
// 100 ms, so that a long one delays neither other requests nor a cancel.
package engine
