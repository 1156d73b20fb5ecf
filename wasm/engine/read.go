package engine

import (
	"errors"
	"io"

	"wimscope/wim/core"
	"wimscope/worker/protocol"
)

const maxRead = 4 << 20 // bytes of one reply

// stream opens a stream of an entry: its content, or a named one. A stream without bytes gives nil.
func (s *session) stream(im *core.Image, n core.Node, name string) (*core.BlobReader, error) {
	st, ok := im.Stream(n, name)
	if !ok {
		if name == "" {
			return nil, notFound(im.Path(n) + " is a folder")
		}
		return nil, notFound(im.Path(n) + " has no stream " + name)
	}
	if st.Hash.IsZero() {
		return nil, nil
	}
	return s.a.OpenBlob(st.Hash)
}

// read answers protocol.Read.
func (s *session) read(c *protocol.Call) (any, []any, error) {
	req, err := protocol.Decode[protocol.ReadRequest](c.Body)
	if err != nil {
		return nil, nil, err
	}
	im, n, err := s.node(req.Image, req.Node)
	if err != nil {
		return nil, nil, err
	}
	r, err := s.stream(im, n, req.Stream)
	if err != nil {
		return nil, nil, err
	}
	if req.Off < 0 || req.Len < 0 {
		return nil, nil, badRequest("a negative range")
	}
	rep := protocol.ReadReply{Off: req.Off}
	if r != nil {
		rep.Size = r.Size()
	}
	rep.Off = min(rep.Off, rep.Size)
	b := make([]byte, min(int64(req.Len), maxRead, rep.Size-rep.Off))
	if err := readFull(r, b, rep.Off); err != nil {
		return nil, nil, err
	}
	rep.Len = len(b)
	head := b
	if rep.Off > 0 || len(b) < detectSize {
		head = make([]byte, min(detectSize, rep.Size))
		if err := readFull(r, head, 0); err != nil {
			return nil, nil, err
		}
	} else {
		head = head[:detectSize]
	}
	rep.Picture = pictureType(head)
	if rep.Picture == "" {
		whole := int64(len(head)) == rep.Size
		rep.Encoding = detect(head, whole)
		if text, _ := decodeText(head, 0, rep.Encoding, whole); rep.Encoding != "" {
			rep.Markup = isMarkup(text)
		}
	}
	if req.Want != "text" {
		return rep, []any{b}, nil
	}
	if rep.Encoding == "" {
		rep.Len = 0
		return rep, nil, nil
	}
	rep.Text, rep.Len = decodeText(b, rep.Off, rep.Encoding, rep.Off+int64(len(b)) == rep.Size)
	return rep, nil, nil
}

// readFull reads all of b, which must be there. A nil reader has nothing, and nothing is asked of it.
func readFull(r *core.BlobReader, b []byte, off int64) error {
	if len(b) == 0 {
		return nil
	}
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
