// Command wasm is the workers' program that reads: it opens, browses, searches, verifies and extracts archives. Every
// visitor loads it, so it holds nothing that only building needs.
package main

import (
	"wimscope/wasm/engine"
	"wimscope/wasm/program"
)

func main() {
	program.Serve(engine.New(program.Options()))
}
