// Package program has what the two worker programs share: it connects the engine to the browser's files, memory and
// messages.
package program
