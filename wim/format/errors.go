package format

import (
	"errors"
	"fmt"
)

// The classes of errors, for errors.Is. The types have the details.
var (
	ErrFormat      = errors.New("malformed")
	ErrChecksum    = errors.New("SHA-1 does not match")
	ErrUnsupported = errors.New("unsupported")
	ErrTooLarge    = errors.New("needs too much memory")
	ErrNotFound    = errors.New("not found")
	ErrRefused     = errors.New("refused") // the archive must not or cannot be written as requested; nothing was written
)

// Error reports a malformed record and its offset.
type Error struct {
	Record string // such as "blob table entry 17"
	Part   string // name of the part, "" if unknown
	Off    int64  // of the record: from the start of the part or metadata resource; in errors of parsers, from the start of their input
	Err    error  // what is wrong with it
}

func (e *Error) Error() string {
	if e.Part == "" { // the caller that knows the part adds its name
		return fmt.Sprintf("%s at 0x%x: %v", e.Record, e.Off, e.Err)
	}
	return fmt.Sprintf("wim: %s: %s at 0x%x: %v", e.Part, e.Record, e.Off, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes every Error an ErrFormat.
func (e *Error) Is(target error) bool { return target == ErrFormat }

// InPart completes an error of a parser: it adds the name of the part, and base, the offset of the parser's input in it.
func InPart(part string, base int64, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Record: e.Record, Part: part, Off: base + e.Off, Err: e.Err}
	}
	return err
}

// Errorf returns an Error.
func Errorf(record, part string, off int64, text string, args ...any) error {
	return &Error{Record: record, Part: part, Off: off, Err: fmt.Errorf(text, args...)}
}

// TooLargeError reports something that needs more memory than blobs.Options.MaxMemory.
type TooLargeError struct {
	What  string
	Need  int64 // bytes
	Limit int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("wim: %s needs %d bytes of memory; the limit is %d", e.What, e.Need, e.Limit)
}

// Is makes a TooLargeError an ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// described is an error with its own text that belongs to a class.
type described struct {
	text  string
	class error
}

// Describe returns an error with this text that belongs to a class such as ErrUnsupported: errors.Is(err, class) holds.
func Describe(text string, class error) error { return &described{text, class} }

func (e *described) Error() string { return e.text }

func (e *described) Unwrap() error { return e.class }
