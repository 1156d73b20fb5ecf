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
