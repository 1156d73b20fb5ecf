package fsa

import (
	"errors"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// readError converts an exception of a read to a *protocol.Error.
func readError(file string, err error) error {
	var e *jsx.Error
	if !errors.As(err, &e) {
		return err
	}
	p := &protocol.Error{Name: file, Message: e.Error()}
	switch {
	case isGone(e.Name):
		p.Code, p.Record = protocol.CodeChanged, protocol.FileGone
	case e.Name == "NotAllowedError", e.Name == "SecurityError":
		p.Code = protocol.CodePermission
	case e.Name == "RangeError", e.Name == "EncodingError":
		p.Code = protocol.CodeTooLarge // no memory for the buffer
	case e.Name == "NotSupportedError":
		p.Code = protocol.CodeBrowser
	case e.Name == "TypeError", e.Name == "ReferenceError", e.Name == "":
		p.Code = protocol.CodeInternal
	default:
		// NotReadableError, InvalidStateError, AbortError, NS_ERROR_FAILURE, …: browsers differ in the error for a
		// file that changed since it was opened, and reading an unchanged file does not fail.
		p.Code = protocol.CodeChanged
	}
	return p
}

// isGone reports whether an exception with this name means that the file is missing.
func isGone(name string) bool {
	switch name {
	case "NotFoundError", "NS_ERROR_FILE_NOT_FOUND", "NS_ERROR_FILE_TARGET_DOES_NOT_EXIST", "NS_ERROR_DOM_FILE_NOT_FOUND_ERR":
		return true
	}
	return false
}

// writeError converts an exception of a write, or of opening a file for writing, to a *protocol.Error.
func writeError(file string, err error) error {
	return coded(file, err, func(name string) protocol.Code {
		switch name {
		case "QuotaExceededError", "UnknownError": // Firefox throws the latter when the disk is full
			return protocol.CodeNoSpace
		case "NotAllowedError", "SecurityError":
			return protocol.CodePermission
		case "AbortError": // Safe Browsing or a policy rejected the file when it was closed
			return protocol.CodeBlocked
		case "NoModificationAllowedError": // another program has it open for writing
			return protocol.CodeBlocked
		case "NotFoundError", "NotReadableError", "InvalidStateError": // the folder is gone
			return protocol.CodeChanged
		case "RangeError":
			return protocol.CodeTooLarge
		case "NotSupportedError":
			return protocol.CodeBrowser
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
