// Package engine answers the protocol's requests with the packages of wim. It is pure Go: what only a browser has
// (handles, sinks, turns of the event loop) comes in by [Options].
//
// A worker holds at most one of each role: a session (an open archive) or a build (an archive to be), the files that
// shards are run against, and an output. Requests run in goroutines of their own and take turns: one computes at a time, and lets go of its
// turn at every rest, at most 100 ms apart, so that a long one hides neither other requests nor a cancel.
package engine
