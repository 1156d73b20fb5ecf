package blobs

import (
	"errors"
	"fmt"
	"strings"

	"wimscope/wim/format"
)

// The classes of errors, for errors.Is. The types below carry the facts.
var (
	ErrMissingPart = errors.New("part is missing")
	ErrMissing     = errors.New("content is in no open file")
)

// NumberList writes numbers for people; a long list is cut.
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

// MissingError says that no open part or reference holds a content.
type MissingError struct {
	Hash  format.Hash
	Parts []int // numbers of the parts that were not given, in one of which it may be; none if all are there
	Total int   // parts in the set
}

func (e *MissingError) Error() string {
	if len(e.Parts) > 0 {
		return fmt.Sprintf("wim: content %v is in no open file; of %d parts these are missing: %s", e.Hash, e.Total, NumberList(e.Parts))
	}
	return fmt.Sprintf("wim: content %v is in no open file", e.Hash)
}

// Is makes a MissingError an ErrMissing, and an ErrMissingPart if parts are missing.
func (e *MissingError) Is(target error) bool {
	return target == ErrMissing || target == ErrMissingPart && len(e.Parts) > 0
}

// MissingBlob returns the error for a blob that is not in the store.
func (a *Store) MissingBlob(h format.Hash) error {
	return &MissingError{Hash: h, Parts: a.Missing, Total: a.Total}
}

// ChecksumError says that bytes were read whose SHA-1 is not the recorded one.
type ChecksumError struct {
	What string // "metadata resource of image 2", "content"
	Part string
	Off  int64 // of the resource, in the part
	Want format.Hash
	Got  format.Hash
}

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("wim: %s at 0x%x of %s: SHA-1 is %v, should be %v", e.What, e.Off, e.Part, e.Got, e.Want)
}

// Is makes a ChecksumError an ErrChecksum.
func (e *ChecksumError) Is(target error) bool { return target == format.ErrChecksum }

var ErrOverlap = errors.New("it overlaps others, and too many do")

// ErrChanged says that a content is not any more what it was when it was looked at or hashed.
var ErrChanged = errors.New("changed while it was being read")
