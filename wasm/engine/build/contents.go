package build

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"

	"wimscope/wasm/engine"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/worker/protocol"
)

// contents holds the files that a shard packs. Joined files are read from a single attachment. The others are opened
// ahead of use, many at a time, and small ones are also read ahead: opening a file takes the browser two turns of the
// event loop, and reading it a third.
type contents struct {
	w       *engine.Work
	ctx     context.Context
	stop    context.CancelFunc
	folders []fs.FS
	joined  *joined        // nil: none
	list    []contentPlace // in the order in which they are packed
	at      map[int32]int  // index in list, by number
	next    int            // index in list of the first file that has not been started
	ahead   int            // files that have been started and are not in use yet
	bytes   int64          // bytes of those that are also read
}

// contentPlace is where a content is.
type contentPlace struct {
	folder int
	path   string
	when   format.Filetime // time of its last change, as of the scan; 0 if unknown
	joined bool            // the range is also in contents.joined
	size   int64
	from   int64 // start of the range
	base   int64 // start of the range in contents.joined
	read   bool  // read it all when it is opened
	begun  bool
	file   *contentFile
}

// append appends the form that newContents parses.
func (p *contentPlace) append(b []byte) []byte {
	joined := uint64(0)
	if p.joined {
		joined = 1
	}
	b = binary.AppendUvarint(b, uint64(p.folder)<<1|joined)
	b = binary.AppendUvarint(b, uint64(p.when))
	b = binary.AppendUvarint(b, uint64(len(p.path)))
	return append(b, p.path...)
}

const (
	filesAhead = 32
	bytesAhead = 8 << 20
	smallFile  = 1 << 20
)

// newContents returns the files of a shard. places and files are the attachments that build.attach makes.
func newContents(w *engine.Work, s *shard.Shard, places []byte, files engine.Source, folders []fs.FS) (*contents, error) {
	c := &contents{w: w, folders: folders, at: make(map[int32]int)}
	c.ctx, c.stop = context.WithCancel(w.Context())
	number := func() uint64 {
		v, n := binary.Uvarint(places)
		if n <= 0 {
			places = nil
			return math.MaxUint64
		}
		places = places[n:]
		return v
	}
	end := int64(0)
	for i := range s.Pack.Pieces {
		p := &s.Pack.Pieces[i]
		if p.Source != shard.PieceFile {
			continue
		}
		folder, when, n := number(), number(), number()
		if folder>>1 >= uint64(len(folders)) || n > uint64(len(places)) {
			return nil, badRequest("the places do not match the shard's files")
		}
		at := contentPlace{
			folder: int(folder >> 1), path: string(places[:n]), when: format.Filetime(when), joined: folder&1 != 0,
			size: p.Size, from: p.From - p.Lead, base: end, read: p.Len == p.Size && p.Size <= smallFile,
		}
		places = places[n:]
		if at.joined {
			end += p.Lead + p.Len + p.Trail
		}
		if _, ok := c.at[p.ID]; !ok {
			c.at[p.ID] = len(c.list)
			c.list = append(c.list, at)
		}
	}
	if end > 0 {
		if files == nil || files.Size() != end {
			return nil, badRequest("the joined files do not match the shard")
		}
		c.joined = newJoined(w, files)
	}
	c.fill()
	return c, nil
}

// fill starts opening the next files.
func (c *contents) fill() {
	for ; c.next < len(c.list); c.next++ {
		p := &c.list[c.next]
		if p.joined || p.begun {
			continue
		}
		n := int64(0)
		if p.read {
			n = p.size
		}
		if c.ahead >= filesAhead || c.ahead > 0 && c.bytes+n > bytesAhead {
			return
		}
		c.ahead++
		c.bytes += n
		c.start(p)
	}
}

// start opens a file in a goroutine of its own.
func (c *contents) start(p *contentPlace) {
	f := &contentFile{done: make(chan struct{})}
	p.file, p.begun = f, true
	ctx, from, path, when, size, read := c.ctx, c.folders[p.folder], p.path, p.when, p.size, p.read
	go func() {
		defer close(f.done)
		if f.err = f.open(from, path, when); f.err != nil || ctx.Err() != nil || !read || f.size != size {
			return
		}
		f.data = make([]byte, f.size)
		n, err := f.ReaderAt.ReadAt(f.data, 0)
		if err != nil && (err != io.EOF || n < len(f.data)) {
			f.data, f.err = nil, err
		}
	}()
}

// OpenContent implements shard.ContentFiles.
func (c *contents) OpenContent(id int32) (shard.ContentFile, error) {
	at, ok := c.at[id]
	if !ok {
		return nil, notFound("the shard does not say where the file is")
	}
	p := &c.list[at]
	if p.joined && !c.joined.broken {
		c.joined.lookAhead(p.base)
		return &joinedFile{c: c, place: p}, nil
	}
	return c.open(p)
}

// open waits until a file is open. It starts opening the file if that has not been done.
func (c *contents) open(p *contentPlace) (*contentFile, error) {
	if p.file == nil {
		c.start(p)
	} else {
		c.ahead--
		if p.read {
			c.bytes -= p.size
		}
	}
	f := p.file
	p.file = nil
	c.fill()
	if err := c.w.Wait(f.done); err != nil {
		go f.drop()
		return nil, err
	}
	if f.err != nil {
		f.drop()
		return nil, f.err
	}
	return f, nil
}

// close closes the files that were opened ahead and not used.
func (c *contents) close() {
	c.stop()
	for i := range c.list {
		if f := c.list[i].file; f != nil {
			go f.drop()
		}
	}
}

// name returns the path of a content.
func (c *contents) name(id int32) string {
	if at, ok := c.at[id]; ok {
		return c.list[at].path
	}
	return ""
}

// contentFile is a file that is open, or will be once done is closed.
type contentFile struct {
	io.ReaderAt
	done chan struct{}
	file fs.File
	size int64
	data []byte // the whole file, if it was read ahead
	err  error
}

func (f *contentFile) open(from fs.FS, path string, when format.Filetime) error {
	file, err := from.Open(path)
	if err != nil {
		return err
	}
	f.file = file
	info, err := file.Stat()
	if err != nil {
		return err
	}
	r, ok := file.(io.ReaderAt)
	if !ok || !info.Mode().IsRegular() {
		return errors.ErrUnsupported
	}
	if !unchanged(info, when) {
		return fmt.Errorf("was written to after the scan: %w", blobs.ErrChanged)
	}
	f.ReaderAt, f.size = r, info.Size()
	return nil
}

// unchanged reports whether a file may be unchanged since the scan: its time of the last change is still when, or one
// of the two is unknown. Browsers report only this time, in milliseconds, and some sources not even that.
func unchanged(known fs.FileInfo, when format.Filetime) bool {
	t := known.ModTime()
	return when == 0 || t.IsZero() || format.FiletimeOf(t) == when
}

// drop closes the file once it is open.
func (f *contentFile) drop() {
	<-f.done
	_ = f.Close() // it was only read
}

// ReadAt implements io.ReaderAt.
func (f *contentFile) ReadAt(b []byte, off int64) (int, error) {
	if f.data == nil {
		return f.ReaderAt.ReadAt(b, off)
	}
	if off < 0 || off > f.size {
		return 0, io.EOF
	}
	n := copy(b, f.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Close implements io.Closer.
func (f *contentFile) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// Size implements shard.ContentFile.
func (f *contentFile) Size() int64 { return f.size }

// run answers protocol.Run. With a shard that packs come the places of its files, and the bytes of the joined ones.
func (e *Engine) run(w *engine.Work, c *protocol.Call) (any, []any, error) {
	req, s, err := engine.ShardOf(c)
	if err != nil {
		return nil, nil, err
	}
	parts, err := e.Files(req.Key)
	if err != nil {
		return nil, nil, err
	}
	if s.Pack == nil {
		return e.RunShard(w, req, s, shard.Sources{Parts: parts}, c.Attach[1:])
	}
	attach := append(slices.Clone(c.Attach), nil, nil)
	places, ok := attach[1].([]byte)
	joined, ok2 := attach[2].(engine.Source)
	if !ok && attach[1] != nil || !ok2 && attach[2] != nil {
		return nil, nil, badRequest("a shard to pack comes with a buffer of the places of its files, and joined files")
	}
	files, err := newContents(w, s, places, joined, e.folders[req.Key])
	if err != nil {
		return nil, nil, err
	}
	defer files.close()
	rep, attach, err := e.RunShard(w, req, s, shard.Sources{Parts: parts, Files: files}, nil)
	var ce *shard.ContentError
	if errors.As(err, &ce) && w.Context().Err() == nil {
		err = contentError(ce, files.name)
	}
	return rep, attach, err
}

// contentError converts the error of a content that cannot be read.
func contentError(ce *shard.ContentError, name func(id int32) string) *protocol.Error {
	e := *protocol.AsError(engine.Error(protocolError(ce.Err)))
	if e.Code == protocol.CodeInternal && errors.Is(ce.Err, fs.ErrNotExist) {
		e.Code = protocol.CodeChanged // it was there at the scan
	}
	e.Name, e.Content = name(ce.ID), int(ce.ID)+1
	return &e
}
