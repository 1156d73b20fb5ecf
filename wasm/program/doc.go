// Package program is what the workers' two programs share: how the browser's files, memory and messages reach the
// engine.
package program
