package blobs

import (
	"fmt"

	"wimscope/wim/format"
)

// NotWIMError says that a file is not a WIM part at all.
type NotWIMError struct {
	Name  string
	First []byte // the first bytes, at most 16
	Guess string // what the file seems to be, one of FileKinds, or ""
}

func (e *NotWIMError) Error() string {
	if len(e.First) == 0 {
		return fmt.Sprintf("wim: %s is not a WIM file: it is empty", e.Name)
	}
	if e.Guess == "" {
		return fmt.Sprintf("wim: %s is not a WIM file: it begins with % x", e.Name, e.First)
	}
	return fmt.Sprintf("wim: %s is not a WIM file but %s: it begins with % x", e.Name, e.Guess, e.First)
}

// Is makes a NotWIMError an ErrFormat.
func (e *NotWIMError) Is(target error) bool { return target == format.ErrFormat }

// OldVersionError says that a file is a WIM from before the format's version 1.13.
type OldVersionError struct {
	Name    string
	Version string // "1.09" to "1.12"
}

func (e *OldVersionError) Error() string {
	return fmt.Sprintf("wim: %s has the old format version %s; only 1.13 and 0.14 can be read", e.Name, e.Version)
}

// Is makes an OldVersionError an ErrUnsupported.
func (e *OldVersionError) Is(target error) bool { return target == format.ErrUnsupported }

// TruncatedError says that a part is shorter than its header says.
type TruncatedError struct {
	Name    string
	Size    int64
	Missing int64 // bytes from the file's end to the end of its last known resource; 0 if that cannot be told: of a
	// pipable one what was to follow stands in the header at its end
}

func (e *TruncatedError) Error() string {
	if e.Missing == 0 {
		return fmt.Sprintf("wim: %s is cut off after %d bytes; how many more belong to it cannot be told", e.Name, e.Size)
	}
	return fmt.Sprintf("wim: %s is cut off after %d bytes: %d more belong to it", e.Name, e.Size, e.Missing)
}

// Is makes a TruncatedError an ErrFormat.
func (e *TruncatedError) Is(target error) bool { return target == format.ErrFormat }

// UnfinishedError says that a file is an archive whose writing was given up, or goes on, before what describes it was
// written: its contents cannot be found.
type UnfinishedError struct {
	Name string
	Size int64 // bytes
}

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("wim: %s was not finished: %d bytes were written, and nothing says yet what they are", e.Name, e.Size)
}

// Is makes an UnfinishedError an ErrFormat.
func (e *UnfinishedError) Is(target error) bool { return target == format.ErrFormat }

// MissingPartError names the parts of a split set that were not given.
type MissingPartError struct {
	Numbers []int // from 1
	Total   int
}

func (e *MissingPartError) Error() string {
	return fmt.Sprintf("wim: of %d parts these are missing: %s", e.Total, NumberList(e.Numbers))
}

// Is makes a MissingPartError an ErrMissingPart.
func (e *MissingPartError) Is(target error) bool { return target == ErrMissingPart }

// WrongPartError says that a file does not belong to the set, or repeats a part of it.
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

// EncryptedError says that an archive is an encrypted ESD, whose key is not in it.
type EncryptedError struct{ Name string }

func (e *EncryptedError) Error() string {
	return fmt.Sprintf("wim: %s is an encrypted ESD: its images cannot be read without its key", e.Name)
}

// Is makes an EncryptedError an ErrUnsupported.
func (e *EncryptedError) Is(target error) bool { return target == format.ErrUnsupported }
