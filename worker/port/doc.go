// Package port carries the protocol between a page and its workers as plain objects that survive the structured
// clone.
//
// A worker begins as the loader script that [Starter] names, a module. The loader waits for one message, {kind:
// "boot", module: a compiled WebAssembly.Module}, instantiates it and runs it; all messages after that are the
// program's. When the program ends, or cannot begin, the loader throws, so that the Worker object has an error
// event; a message of kind "exit" with an Error as its body says the same.
package port
