package blobs

import (
	"errors"
	"fmt"
	"strings"

	"wimscope/wim/format"
)

// Classes of errors, for errors.Is. The types below carry the details.
var (
	ErrMissingPart = errors.New("part is missing")
	ErrMissing     = errors.New("blob not found in any open file")
)

// NumberList formats a list of numbers for people. It shows at most 20.
func NumberList(ns []int) string {
	var b strings.Builder
	for i, n := range ns {
		if i == 20 {
			fmt.Fprintf(&b, " and %d more", len(ns)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, n)
	}
	return b.String()
}

// MissingError reports that no open part or reference holds a blob.
type MissingError struct {
	Hash  format.Hash
	Parts []int // numbers of the missing parts, one of which may hold it; empty if all parts are open
	Total int   // parts in the set
}

func (e *MissingError) Error() string {
	if len(e.Parts) > 0 {
		return fmt.Sprintf("wim: blob %v not found in any open file; missing parts, of %d: %s", e.Hash, e.Total, NumberList(e.Parts))
	}
	return fmt.Sprintf("wim: blob %v not found in any open file", e.Hash)
}

// Is makes a MissingError an ErrMissing, and an ErrMissingPart if parts are missing.
func (e *MissingError) Is(target error) bool {
	return target == ErrMissing || target == ErrMissingPart && len(e.Parts) > 0
}

// MissingBlob returns the error for a blob that is not in the store.
func (a *Store) MissingBlob(h format.Hash) error {
	return &MissingError{Hash: h, Parts: a.Missing, Total: a.Total}
}

// ChecksumError reports that the SHA-1 of bytes that were read is not the recorded one.
type ChecksumError struct {
	What string // "metadata resource of image 2", "blob"
	Part string
	Off  int64 // of the resource, in the part
	Want format.Hash
	Got  format.Hash
}

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("wim: %s at 0x%x of %s: SHA-1 is %v, want %v", e.What, e.Off, e.Part, e.Got, e.Want)
}

// Is makes a ChecksumError an ErrChecksum.
func (e *ChecksumError) Is(target error) bool { return target == format.ErrChecksum }

// ErrOverlap reports a blob that shares bytes with others, beyond the limit for such blobs.
var ErrOverlap = errors.New("too many blobs overlap")

// ErrChanged reports that a file differs from what it was when it was scanned or hashed.
var ErrChanged = errors.New("changed while it was being read")

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
