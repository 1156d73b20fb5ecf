package engine

import (
	"errors"
	"io"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/worker/protocol"
)

const maxRead = 4 << 20 // bytes in one reply

// stream opens a stream of an entry: the unnamed one if name is "". It returns nil for an empty stream.
func (s *session) stream(im *wim.Image, n wim.Node, name string) (*blobs.Reader, error) {
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
	return s.a.Store().OpenBlob(st.Hash)
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
	v, err := s.preview(r)
	if err != nil {
		return nil, nil, err
	}
	rep := protocol.ReadReply{Off: min(req.Off, v.size), Size: v.size, Check: v.check}
	b, err := v.bytes(rep.Off, min(int64(req.Len), maxRead, rep.Size-rep.Off))
	if err != nil {
		return nil, nil, err
	}
	rep.Len = len(b)
	head, err := v.bytes(0, min(detectSize, rep.Size))
	if err != nil {
		return nil, nil, err
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

// preview reads bytes of a stream. A stream of at most maxRead bytes is read whole and compared with its SHA-1,
// whatever part is requested; of a longer one only the requested part is read.
type preview struct {
	r     *blobs.Reader
	whole []byte // nil: read from r
	size  int64
	check protocol.Check
}

func (s *session) preview(r *blobs.Reader) (*preview, error) {
	if r == nil {
		return &preview{check: protocol.CheckGood}, nil
	}
	v := &preview{r: r, size: r.Size()}
	if v.size > maxRead {
		return v, nil
	}
	var err error
	v.whole, err = s.a.Store().ReadBlob(r.Hash(), maxRead)
	switch {
	case err == nil:
		v.check = protocol.CheckGood
	case errors.Is(err, format.ErrChecksum):
		v.check = protocol.CheckBad
	default:
		return nil, err
	}
	return v, nil
}

// bytes returns n bytes at off, which must exist. The caller owns them.
func (v *preview) bytes(off, n int64) ([]byte, error) {
	b := make([]byte, n)
	if v.whole != nil {
		copy(b, v.whole[off:])
		return b, nil
	}
	return b, readFull(v.r, b, off)
}

// readFull fills b, or returns an error. r may be nil, for an empty stream, if b is empty too.
func readFull(r *blobs.Reader, b []byte, off int64) error {
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
