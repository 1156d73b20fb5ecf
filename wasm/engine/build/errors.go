package build

import (
	"errors"

	"wimscope/wim/draft"
	"wimscope/wim/write"
	"wimscope/wim/xmldoc"
	"wimscope/worker/protocol"
)

// protocolError converts the errors that only building returns to *protocol.Error. The embedded engine converts the
// others.
func protocolError(err error) error {
	if err == nil {
		return nil
	}
	e := &protocol.Error{Code: protocol.CodeRefused, Message: err.Error()}
	var (
		known     *protocol.Error
		refused   *write.RefusedError
		largePart *write.TooLargePartError
		xmlText   *xmldoc.TextError
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		e.Name, e.Record = refused.Name, refused.Key
	case errors.As(err, &largePart):
		e.Name, e.Record = largePart.Name, "part"
	case errors.As(err, &xmlText):
		e.Name, e.Record = xmlText.Path, "xml"
	case errors.Is(err, draft.ErrExists), errors.Is(err, draft.ErrNotDir), errors.Is(err, draft.ErrIsDir), errors.Is(err, draft.ErrNotEmpty), errors.Is(err, draft.ErrTree):
		e.Code = protocol.CodeBadRequest
	default:
		return err
	}
	return e
}

func badRequest(text string) error {
	return &protocol.Error{Code: protocol.CodeBadRequest, Message: text}
}

func notFound(text string) error {
	return &protocol.Error{Code: protocol.CodeNotFound, Message: text}
}
