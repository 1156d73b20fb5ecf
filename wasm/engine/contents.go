package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"

	"wimscope/wim/core"
	"wimscope/worker/protocol"
)

// contents are the files that a shard packs. Opening one costs the browser two turns and reading it a third, so many are
// opened at a time, ahead of use, and small ones read.
type contents struct {
	w       *work
	ctx     context.Context
	stop    context.CancelFunc
	folders []fs.FS
	list    []contentPlace // in the order in which they are packed
	at      map[int32]int  // by number
	next    int            // in list: the first that was not looked for
	ahead   int            // files that were and are not in use yet
	bytes   int64          // of them that were read
}

// contentPlace is where a content is.
type contentPlace struct {
	folder int
	path   string
	size   int64
	read   bool // before it is asked for
	file   *contentFile
}

const (
	filesAhead = 32
	bytesAhead = 8 << 20
	smallFile  = 1 << 20
)

// newContents takes the files of a shard apart: places is what buildPlan.shard made.
func newContents(w *work, shard *core.PackShard, places []byte, folders []fs.FS) (*contents, error) {
	c := &contents{w: w, folders: folders, at: make(map[int32]int)}
	c.ctx, c.stop = context.WithCancel(w.ctx)
	number := func() int {
		v, n := binary.Uvarint(places)
		if n <= 0 || v > 1<<30 {
			places = nil
			return -1
		}
		places = places[n:]
		return int(v)
	}
	for i := range shard.Pieces {
		p := &shard.Pieces[i]
		if p.Source != core.PieceFile {
			continue
		}
		folder, n := number(), number()
		if folder < 0 || folder >= len(folders) || n < 0 || n > len(places) {
			return nil, badRequest("a shard and the places of its files do not fit")
		}
		if _, ok := c.at[p.ID]; !ok {
			c.at[p.ID] = len(c.list)
			c.list = append(c.list, contentPlace{folder: folder, path: string(places[:n]), size: p.Size, read: p.Len == p.Size && p.Size <= smallFile})
		}
		places = places[n:]
	}
	c.fill()
	return c, nil
}

// fill looks for the next files.
func (c *contents) fill() {
	for ; c.next < len(c.list); c.next++ {
		p := &c.list[c.next]
		n := int64(0)
		if p.read {
			n = p.size
		}
		if c.ahead >= filesAhead || c.ahead > 0 && c.bytes+n > bytesAhead {
			return
		}
		c.ahead++
		c.bytes += n
		p.start(c.ctx, c.folders[p.folder])
	}
}

// start opens the file in a goroutine of its own.
func (p *contentPlace) start(ctx context.Context, from fs.FS) {
	f := &contentFile{done: make(chan struct{})}
	p.file = f
	path, size, read := p.path, p.size, p.read
	go func() {
		defer close(f.done)
		if f.err = f.open(from, path); f.err != nil || ctx.Err() != nil || !read || f.size != size {
			return
		}
		f.data = make([]byte, f.size)
		n, err := f.ReaderAt.ReadAt(f.data, 0)
		if err != nil && (err != io.EOF || n < len(f.data)) {
			f.data, f.err = nil, err
		}
	}()
}

// OpenContent implements core.ContentFiles.
func (c *contents) OpenContent(id int32) (core.ContentFile, error) {
	at, ok := c.at[id]
	if !ok {
		return nil, notFound("the shard does not say where a file is")
	}
	p := &c.list[at]
	if at < c.next && p.file != nil {
		c.ahead--
		if p.read {
			c.bytes -= p.size
		}
	} else {
		p.start(c.ctx, c.folders[p.folder])
		c.next = max(c.next, at+1)
	}
	f := p.file
	p.file = nil
	c.fill()
	if err := c.w.wait(f.done); err != nil {
		go f.drop()
		return nil, err
	}
	if f.err != nil {
		f.drop()
		return nil, f.err
	}
	return f, nil
}

// close gives up what was opened and not used.
func (c *contents) close() {
	c.stop()
	for i := range c.list {
		if f := c.list[i].file; f != nil {
			go f.drop()
		}
	}
}

// name gives the path of a content.
func (c *contents) name(id int32) string {
	if at, ok := c.at[id]; ok {
		return c.list[at].path
	}
	return ""
}

// contentFile is a file that was opened, or is being.
type contentFile struct {
	io.ReaderAt
	done chan struct{}
	file fs.File
	size int64
	data []byte // all of it, if that was read
	err  error
}

func (f *contentFile) open(from fs.FS, path string) error {
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
	f.ReaderAt, f.size = r, info.Size()
	return nil
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

// Size implements core.ContentFile.
func (f *contentFile) Size() int64 { return f.size }

// runPack runs a shard of an archive that is written.
func (e *Engine) runPack(w *work, c *protocol.Call, packed []byte, src sources) (any, []any, error) {
	shard, err := core.ParsePackShard(packed)
	if err != nil {
		return nil, nil, err
	}
	var places []byte
	if len(c.Attach) > 1 && c.Attach[1] != nil {
		var ok bool
		if places, ok = c.Attach[1].([]byte); !ok {
			return nil, nil, badRequest("the places of files are one buffer")
		}
	}
	files, err := newContents(w, shard, places, src.folders)
	if err != nil {
		return nil, nil, err
	}
	defer files.close()
	if err := e.oneAtATime(w.ctx, e.running); err != nil {
		return nil, nil, err
	}
	defer func() { <-e.running }()
	if e.packer == nil {
		e.packer = core.NewPackWorker()
	}
	result, err := core.RunPack(shard, core.PackSource{Parts: src.parts, Files: files}, e.packer, w.tell())
	if err != nil {
		var ce *core.ContentError
		if !errors.As(err, &ce) || w.ctx.Err() != nil {
			return nil, nil, err
		}
		told := *protocol.AsError(protocolError(ce.Err))
		if told.Code == protocol.CodeInternal && errors.Is(err, fs.ErrNotExist) {
			told.Code = protocol.CodeChanged // it was there when the folder was scanned
		}
		told.Name, told.Content = files.name(ce.ID), int(ce.ID)+1
		return nil, nil, &told
	}
	rep := protocol.RunReply{Bytes: result.Bytes, Items: len(result.Items), Sum: result.AppendBinary(nil), Memory: linearMemory()}
	if len(result.Data) == 0 {
		return rep, nil, nil
	}
	data := e.o.Export(result.Data)
	e.packer.Reuse(result.Data)
	return rep, []any{data}, nil
}
