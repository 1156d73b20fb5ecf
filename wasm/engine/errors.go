package engine

import (
	"context"
	"errors"
	"io/fs"

	"wimscope/wim/apply"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/worker/protocol"
)

// Error converts an error of the engine or of a file to a *protocol.Error with all its details.
func Error(err error) error {
	e := &protocol.Error{Message: err.Error()}
	var (
		known     *protocol.Error
		notWIM    *blobs.NotWIMError
		old       *blobs.OldVersionError
		truncated *blobs.TruncatedError
		missing   *blobs.MissingPartError
		wrong     *blobs.WrongPartError
		encrypted *blobs.EncryptedError
		blob      *blobs.MissingError
		checksum  *blobs.ChecksumError
		tooLarge  *format.TooLargeError
		form      *format.Error
		block     *blobs.IntegrityError
		path      *fs.PathError
	)
	switch {
	case errors.As(err, &known): // from a file: already more specific than the cases below
		return known
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e.Code = protocol.CodeCancelled
	case errors.As(err, &notWIM):
		e.Code, e.Name, e.Guess, e.First = protocol.CodeNotWIM, notWIM.Name, protocol.FileKind(notWIM.Guess), notWIM.First
	case errors.As(err, &old):
		e.Code, e.Name, e.Version = protocol.CodeOldVersion, old.Name, old.Version
	case errors.As(err, &truncated):
		e.Code, e.Name, e.Missing = protocol.CodeTruncated, truncated.Name, truncated.Missing
	case errors.As(err, &encrypted):
		e.Code, e.Name = protocol.CodeEncrypted, encrypted.Name
	case errors.As(err, &wrong):
		e.Code, e.Name = protocol.CodeWrongPart, wrong.Name
		if wrong.Number > 0 {
			e.Numbers = []int{wrong.Number}
		}
	case errors.As(err, &missing):
		e.Code, e.Numbers, e.Total = protocol.CodeMissingPart, missing.Numbers, missing.Total
	case errors.As(err, &blob):
		e.Code, e.Numbers, e.Total = protocol.CodeMissingBlob, blob.Parts, blob.Total
		if len(blob.Parts) > 0 {
			e.Code = protocol.CodeMissingPart
		}
	case errors.As(err, &checksum):
		e.Code, e.Name, e.Record, e.Off = protocol.CodeChecksum, checksum.Part, checksum.What, checksum.Off
	case errors.As(err, &block):
		e.Code, e.Name, e.Record, e.Off = protocol.CodeChecksum, block.Part, "integrity table", block.Off
	case errors.As(err, &tooLarge):
		e.Code, e.Record = protocol.CodeTooLarge, tooLarge.What
	case errors.As(err, &form):
		e.Code, e.Name, e.Record, e.Off = protocol.CodeFormat, form.Part, form.Record, form.Off
	case errors.Is(err, blobs.ErrChanged):
		e.Code = protocol.CodeChanged
	case errors.Is(err, extract.ErrSegment):
		e.Code = protocol.CodeBadRequest
	case errors.Is(err, ntname.ErrInvalid):
		e.Code = protocol.CodeName
	case errors.Is(err, apply.ErrRefused) && errors.As(err, &path):
		e.Code, e.Name = protocol.CodeName, path.Path
	case errors.Is(err, format.ErrUnsupported):
		e.Code = protocol.CodeUnsupported
	case errors.Is(err, format.ErrTooLarge):
		e.Code = protocol.CodeTooLarge
	case errors.Is(err, blobs.ErrMissingPart):
		e.Code = protocol.CodeMissingPart
	case errors.Is(err, blobs.ErrMissing):
		e.Code = protocol.CodeMissingBlob
	case errors.Is(err, format.ErrChecksum):
		e.Code = protocol.CodeChecksum
	case errors.Is(err, format.ErrFormat):
		e.Code = protocol.CodeFormat
	case errors.Is(err, format.ErrNotFound):
		e.Code = protocol.CodeNotFound
	default:
		e.Code = protocol.CodeInternal
	}
	return e
}

func badRequest(text string) error {
	return &protocol.Error{Code: protocol.CodeBadRequest, Message: text}
}

func notFound(text string) error {
	return &protocol.Error{Code: protocol.CodeNotFound, Message: text}
}
