//go:build !linux

package main

import (
	"io/fs"
	"os"
)

// farFolder does nothing here: paths are limited by the system.
type farFolder struct{}

func (*farFolder) readDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }
func (*farFolder) stat(path string) (fs.FileInfo, error)      { return os.Stat(path) }
func (*farFolder) lstat(path string) (fs.FileInfo, error)     { return os.Lstat(path) }
func (*farFolder) readLink(path string) (string, error)       { return os.Readlink(path) }
