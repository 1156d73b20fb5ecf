// Package engine answers the protocol's requests for reading archives, using the packages of wim. Package build extends
// it with the requests for building. It is pure Go: [Options] provides what only a browser has (handles, sinks, turns
// of the event loop).
//
// A worker has at most one session (an open archive) and one output, and the files that shards run on. Each request
// runs in a goroutine of its own. Requests take turns: only one computes at a time, and it gives up its turn at least
// every 100 ms, so that a long request delays neither others nor a cancellation.
package engine
