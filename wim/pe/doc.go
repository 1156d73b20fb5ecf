// Package pe reads the machine type and the version resource of a Windows program or library.
//
// It reads a few kilobytes of a file, however large the file is. The format is that of Microsoft's "PE Format".
package pe
