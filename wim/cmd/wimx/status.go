package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"wimscope/wim/blobs"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/write"
	"wimscope/wim/xmldoc"
)

// Exit statuses. 0 is success. The others are those of wimlib-imagex 1.13 for the same error, found by running it. Most
// scripts only compare with 0.
const (
	exitOther          = 1 // also: another program has the archive locked
	exitCommand        = 2 // no command, or an unknown one
	exitDecompression  = 2
	exitLeftOut        = 3 // wimx only: done, except for what --skip-errors left out
	exitImageCount     = 10
	exitNameTaken      = 11
	exitIntegrity      = 13
	exitConfig         = 14
	exitChunkSize      = 15
	exitCompression    = 16
	exitHeader         = 17
	exitImage          = 18
	exitIntegrityTable = 19
	exitTable          = 20
	exitMetadata       = 21
	exitOverlay        = 23
	exitParameter      = 24
	exitReparseData    = 27
	exitHash           = 28
	exitName           = 31
	exitIsDirectory    = 32
	exitNotFirstPart   = 36
	exitLink           = 35
	exitMakeDirectory  = 37
	exitMemory         = 39
	exitNotDirectory   = 40
	exitNotEmpty       = 41
	exitNotRegular     = 42
	exitNotWIM         = 43
	exitOpen           = 47
	exitNoPath         = 49
	exitRead           = 50
	exitReparse        = 51
	exitMissingContent = 55
	exitSplit          = 62
	exitStat           = 63
	exitTruncated      = 65
	exitOldVersion     = 67
	exitUnsupported    = 68
	exitReadOnly       = 71
	exitWrite          = 72
	exitXML            = 73
	exitEncrypted      = 74
	exitNoConfig       = 83
	exitIncomplete     = 84
	exitCompaction     = 85
	exitChanged        = 88
	exitInterrupted    = 130 // as shells report Ctrl-C
	exitUsage          = 255
)

// usageError reports an invalid command line.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// codedError is an error with an exit status. A quiet one was already reported.
type codedError struct {
	code  int
	quiet bool
	err   error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// coded adds a status to an error that has none.
func coded(code int, err error) error {
	var ce *codedError
	if err == nil || errors.As(err, &ce) {
		return err
	}
	return &codedError{code: code, err: err}
}

// codef returns an error with a status.
func codef(code int, format string, args ...any) error {
	return &codedError{code: code, err: fmt.Errorf(format, args...)}
}

// reported returns an error that was already reported.
func reported(code int, text string) error {
	return &codedError{code: code, quiet: true, err: errors.New(text)}
}

// status returns the exit status of an error.
func status(err error) int {
	var (
		ue   usageError
		ce   *codedError
		not  *blobs.NotWIMError
		old  *blobs.OldVersionError
		cut  *blobs.TruncatedError
		miss *blobs.MissingPartError
		enc  *blobs.EncryptedError
		left *blobs.UnfinishedError
		sink *write.SinkError
		part *write.TooLargePartError
		scan *draft.ScanProblem
		no   *write.RefusedError
		text *xmldoc.TextError
		sums *blobs.IntegrityError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ce):
		return ce.code
	case errors.As(err, &ue):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &not):
		return exitNotWIM
	case errors.As(err, &old):
		return exitOldVersion
	case errors.As(err, &enc):
		return exitEncrypted
	case errors.As(err, &cut), errors.As(err, &left):
		return exitTruncated
	case errors.As(err, &miss):
		return exitNotFirstPart
	case errors.As(err, &sums):
		return exitIntegrity
	case errors.As(err, &sink):
		return exitWrite
	case errors.As(err, &part), errors.As(err, &text):
		return exitParameter
	case errors.As(err, &no):
		return refusedStatus(no.Key)
	case errors.Is(err, blobs.ErrChanged):
		return exitChanged
	case errors.Is(err, ntname.ErrInvalid):
		return exitName
	case errors.As(err, &scan):
		return exitStat
	case errors.Is(err, blobs.ErrMissing):
		return exitMissingContent
	case errors.Is(err, format.ErrChecksum):
		return exitHash
	case errors.Is(err, format.ErrTooLarge):
		return exitMemory
	case errors.Is(err, format.ErrUnsupported):
		return exitUnsupported
	case errors.Is(err, format.ErrFormat):
		return exitHeader
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return exitOpen
	}
	return draftStatus(err)
}

// refusedStatus returns the exit status for a write.RefusedError.
func refusedStatus(key string) int {
	switch key {
	case write.RefusedSplit, write.RefusedReadOnly, write.RefusedWriteInProgress:
		return exitReadOnly
	case write.RefusedIncomplete:
		return exitMetadata
	case write.RefusedImages:
		return exitImageCount
	case write.RefusedOverlap:
		return exitCompaction
	case write.RefusedChunkSize:
		return exitChunkSize
	}
	return exitParameter
}

// draftStatus returns the exit status for a draft.Error.
func draftStatus(err error) int {
	var de *draft.Error
	switch {
	case !errors.As(err, &de):
		return exitOther
	case errors.Is(err, format.ErrNotFound):
		return exitNoPath
	case errors.Is(err, draft.ErrIsDir):
		return exitIsDirectory
	case errors.Is(err, draft.ErrNotDir):
		return exitNotDirectory
	case errors.Is(err, draft.ErrExists):
		return exitOverlay
	case errors.Is(err, draft.ErrNotEmpty):
		return exitNotEmpty
	}
	return exitParameter
}

// report prints how the run ended and returns the exit status.
func (t *tool) report(err error) int {
	code := status(err)
	var ce *codedError
	quiet := errors.As(err, &ce) && ce.quiet
	if code == 0 {
		if t.asJSON && !t.result {
			t.event(event{Event: "done", Status: &code})
		}
		return 0
	}
	text, hint := explain(err)
	if !quiet {
		if hint != "" {
			t.complain("ERROR: " + text + "\n       " + hint)
		} else {
			t.complain("ERROR: " + text)
		}
	}
	if t.asJSON && (!t.result || !quiet) {
		t.event(event{Event: "error", Status: &code, Message: text, Hint: hint})
	}
	return code
}
