// Package config reads the text files that control a capture or an update: capture configurations such as
// WimScript.ini, lists of update commands, lists of sources, and lists of paths.
//
// Files are UTF-8 or UTF-16, with or without a byte order mark. Errors are of type *Error and name the line.
package config
