package blobs

import (
	"fmt"

	"wimscope/wim/format"
)

// NotWIMError reports that a file is not a WIM part.
type NotWIMError struct {
	Name  string
	First []byte // the first bytes, at most 16
	Guess string // the probable file type, one of FileKinds, or ""
}

func (e *NotWIMError) Error() string {
	if len(e.First) == 0 {
		return fmt.Sprintf("wim: %s is not a WIM file: it is empty", e.Name)
	}
	if e.Guess == "" {
		return fmt.Sprintf("wim: %s is not a WIM file: it begins with % x", e.Name, e.First)
	}
	return fmt.Sprintf("wim: %s is not a WIM file (probably %s): it begins with % x", e.Name, e.Guess, e.First)
}

// Is makes a NotWIMError an ErrFormat.
func (e *NotWIMError) Is(target error) bool { return target == format.ErrFormat }

// OldVersionError reports that a file is a WIM of a format version before 1.13.
type OldVersionError struct {
	Name    string
	Version string // "1.09" to "1.12"
}

func (e *OldVersionError) Error() string {
	return fmt.Sprintf("wim: %s has the old format version %s; only 1.13 and 0.14 are supported", e.Name, e.Version)
}

// Is makes an OldVersionError an ErrUnsupported.
func (e *OldVersionError) Is(target error) bool { return target == format.ErrUnsupported }

// TruncatedError reports that the end of a part is missing.
type TruncatedError struct {
	Name    string
	Size    int64
	Missing int64 // bytes up to the end of the last resource; 0 if unknown, as in a pipable archive, whose header is at its end
}

func (e *TruncatedError) Error() string {
	if e.Missing == 0 {
		return fmt.Sprintf("wim: %s is truncated after %d bytes; an unknown number is missing", e.Name, e.Size)
	}
	return fmt.Sprintf("wim: %s is truncated after %d bytes: %d are missing", e.Name, e.Size, e.Missing)
}

// Is makes a TruncatedError an ErrFormat.
func (e *TruncatedError) Is(target error) bool { return target == format.ErrFormat }

// UnfinishedError reports that an archive has no tables yet: writing it was interrupted or is still going on. Its blobs cannot be
// found.
type UnfinishedError struct {
	Name string
	Size int64 // bytes
}

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("wim: %s is incomplete: %d bytes were written, but no tables yet", e.Name, e.Size)
}

// Is makes an UnfinishedError an ErrFormat.
func (e *UnfinishedError) Is(target error) bool { return target == format.ErrFormat }

// MissingPartError names the parts of a split set that were not given.
type MissingPartError struct {
	Numbers []int // from 1
	Total   int
}

func (e *MissingPartError) Error() string {
	return fmt.Sprintf("wim: missing parts, of %d: %s", e.Total, NumberList(e.Numbers))
}

// Is makes a MissingPartError an ErrMissingPart.
func (e *MissingPartError) Is(target error) bool { return target == ErrMissingPart }

// WrongPartError reports that a file does not belong to the set, or repeats a part of it.
type WrongPartError struct {
	Name   string
	Number int
	Reason string
}

func (e *WrongPartError) Error() string {
	return fmt.Sprintf("wim: %s (part %d): %s", e.Name, e.Number, e.Reason)
}

// Is makes a WrongPartError an ErrFormat.
func (e *WrongPartError) Is(target error) bool { return target == format.ErrFormat }

// EncryptedError reports that an archive is an encrypted ESD. Its key is not in the file.
type EncryptedError struct{ Name string }

func (e *EncryptedError) Error() string {
	return fmt.Sprintf("wim: %s is an encrypted ESD: its images cannot be read without its key", e.Name)
}

// Is makes an EncryptedError an ErrUnsupported.
func (e *EncryptedError) Is(target error) bool { return target == format.ErrUnsupported }
