package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"wimscope/wim"
)

// Exit status: 0 if all is well. The others have the numbers that wimlib-imagex 1.13 gives for the same, read off its
// runs; most scripts ask only whether it is 0.
const (
	exitOther          = 1
	exitDecompression  = 2
	exitIntegrity      = 13
	exitHeader         = 17
	exitImage          = 18
	exitMetadata       = 21
	exitHash           = 28
	exitNotFirstPart   = 36
	exitLink           = 35
	exitMakeDirectory  = 37
	exitMemory         = 39
	exitNotRegular     = 42
	exitNotWIM         = 43
	exitOpen           = 47
	exitNoPath         = 49
	exitRead           = 50
	exitMissingContent = 55
	exitTruncated      = 65
	exitOldVersion     = 67
	exitUnsupported    = 68
	exitWrite          = 72
	exitXML            = 73
	exitEncrypted      = 74
	exitInterrupted    = 130 // as shells tell of Ctrl-C
	exitUsage          = 255
)

// usageError is a command line that makes no sense.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// codedError is an error with its exit status. Quiet ones have been told already.
type codedError struct {
	code  int
	quiet bool
	err   error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// coded gives an error a status, unless it has one.
func coded(code int, err error) error {
	var ce *codedError
	if err == nil || errors.As(err, &ce) {
		return err
	}
	return &codedError{code: code, err: err}
}

// codef makes an error with a status.
func codef(code int, format string, args ...any) error {
	return &codedError{code: code, err: fmt.Errorf(format, args...)}
}

// told is an error of which all has been said.
func told(code int, text string) error {
	return &codedError{code: code, quiet: true, err: errors.New(text)}
}

// status tells the exit status of an error.
func status(err error) int {
	var (
		ue   usageError
		ce   *codedError
		not  *wim.NotWIMError
		old  *wim.OldVersionError
		cut  *wim.TruncatedError
		miss *wim.MissingPartError
		enc  *wim.EncryptedError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ue):
		return exitUsage
	case errors.As(err, &ce):
		return ce.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &not):
		return exitNotWIM
	case errors.As(err, &old):
		return exitOldVersion
	case errors.As(err, &enc):
		return exitEncrypted
	case errors.As(err, &cut):
		return exitTruncated
	case errors.As(err, &miss):
		return exitNotFirstPart
	case errors.Is(err, wim.ErrMissingBlob):
		return exitMissingContent
	case errors.Is(err, wim.ErrChecksum):
		return exitHash
	case errors.Is(err, wim.ErrTooLarge):
		return exitMemory
	case errors.Is(err, wim.ErrUnsupported):
		return exitUnsupported
	case errors.Is(err, wim.ErrFormat):
		return exitHeader
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return exitOpen
	}
	return exitOther
}

// report tells an error and gives its status.
func (t *tool) report(err error) int {
	code := status(err)
	var ce *codedError
	if code != 0 && !(errors.As(err, &ce) && ce.quiet) {
		fmt.Fprintf(t.stderr, "ERROR: %s\n", strings.TrimPrefix(err.Error(), "wim: "))
	}
	return code
}
