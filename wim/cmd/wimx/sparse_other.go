//go:build !linux

package main

import (
	"errors"
	"os"
)

// nextData is not supported here.
func nextData(*os.File, int64, int64) (from, to int64, err error) { return 0, 0, errors.ErrUnsupported }
