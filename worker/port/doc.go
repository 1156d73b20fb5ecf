// Package port carries the protocol between a page and its workers as plain objects that survive the structured
// clone.
//
// A worker starts as the loader script that [Starter] names, a module. The loader waits for one message, {kind:
// "boot", module: a compiled WebAssembly.Module}, instantiates the module and runs it; the program receives all later
// messages. If the program ends or cannot start, the loader throws, so that the Worker object gets an error event. A
// message of kind "exit" with an Error as its body reports the same.
package port
