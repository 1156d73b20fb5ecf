package fsa

import (
	"errors"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// reading gives an exception that a read threw its protocol code.
func reading(file string, err error) error {
	return coded(file, err, func(name string) protocol.Code {
		switch name {
		case "NotReadableError", "NotFoundError", "InvalidStateError":
			return protocol.CodeChanged // changed, moved or removed since it was opened
		case "NotAllowedError", "SecurityError":
			return protocol.CodePermission
		case "RangeError", "EncodingError":
			return protocol.CodeTooLarge // no memory for the buffer
		case "NotSupportedError":
			return protocol.CodeUnsupportedB
		}
		return protocol.CodeInternal
	})
}

// writing gives an exception that a write, or opening a file for it, threw its protocol code.
func writing(file string, err error) error {
	return coded(file, err, func(name string) protocol.Code {
		switch name {
		case "QuotaExceededError", "UnknownError": // Firefox says the latter when the disk is full
			return protocol.CodeNoSpace
		case "NotAllowedError", "SecurityError":
			return protocol.CodePermission
		case "AbortError": // Safe Browsing or a policy refused the file when it was closed
			return protocol.CodeBlocked
		case "NoModificationAllowedError": // someone else writes it
			return protocol.CodeBlocked
		case "NotFoundError", "NotReadableError", "InvalidStateError": // the folder went away
			return protocol.CodeChanged
		case "RangeError":
			return protocol.CodeTooLarge
		case "NotSupportedError":
			return protocol.CodeUnsupportedB
		}
		return protocol.CodeInternal
	})
}

func coded(file string, err error, code func(name string) protocol.Code) error {
	var e *jsx.Error
	if !errors.As(err, &e) {
		return err
	}
	return &protocol.Error{Code: code(e.Name), Name: file, Message: e.Error()}
}

var errNegative = errors.New("negative offset")
