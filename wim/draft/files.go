package draft

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
)

// OpenSource opens a content in a file system, where sources[c.Source] holds it. It returns blobs.ErrChanged if the file is not what
// it was when it was scanned.
func OpenSource(sources []fs.FS, c Content) (*SourceFile, error) {
	if c.Source >= len(sources) {
		return nil, fmt.Errorf("%s: file system %d: %w", c.Path, c.Source, format.ErrNotFound)
	}
	src := sources[c.Source]
	open := func() (fs.File, error) { return src.Open(c.Path) }
	if c.Stream != "" {
		streams, ok := src.(StreamFS)
		if !ok {
			return nil, fmt.Errorf("named stream %q: %w", c.Stream, format.ErrUnsupported)
		}
		open = func() (fs.File, error) { return streams.OpenStream(c.Path, c.Stream) }
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("is no longer a regular file: %w", blobs.ErrChanged)
	}
	if err == nil && c.Stream == "" && c.ModTime != 0 && format.FiletimeOf(info.ModTime()) != c.ModTime {
		err = fmt.Errorf("was modified after it was scanned: %w", blobs.ErrChanged)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &SourceFile{File: f, open: open, info: info}, nil
}

// SourceFile is an open file. If the file has neither ReadAt nor Seek, it is read from the start, and opened again to go back.
type SourceFile struct {
	fs.File
	open func() (fs.File, error)
	info fs.FileInfo
	at   int64
}

// Size implements shard.ContentFile.
func (f *SourceFile) Size() int64 { return f.info.Size() }

// Anywhere reports whether the file can be read at any offset without reading everything before it.
func (f *SourceFile) Anywhere() bool {
	_, at := f.File.(io.ReaderAt)
	_, seek := f.File.(io.Seeker)
	return at || seek
}

// Close implements shard.ContentFile. It returns blobs.ErrChanged if the file was modified since it was opened.
func (f *SourceFile) Close() error {
	info, err := f.Stat()
	f.File.Close()
	if err == nil && (info.Size() != f.info.Size() || !info.ModTime().Equal(f.info.ModTime())) {
		return fmt.Errorf("was modified: %w", blobs.ErrChanged)
	}
	return nil
}

// NextData implements shard.HoleFile if the file does; otherwise it reports data up to the end.
func (f *SourceFile) NextData(off int64) (from, to int64, err error) {
	if h, ok := f.File.(interface {
		NextData(off int64) (from, to int64, err error)
	}); ok {
		return h.NextData(off)
	}
	return off, f.Size(), nil
}

// ReadAt implements io.ReaderAt.
func (f *SourceFile) ReadAt(b []byte, off int64) (int, error) {
	if r, ok := f.File.(io.ReaderAt); ok {
		return r.ReadAt(b, off)
	}
	if s, ok := f.File.(io.Seeker); ok {
		if _, err := s.Seek(off, io.SeekStart); err != nil {
			return 0, err
		}
		return f.read(b)
	}
	if off < f.at {
		again, err := f.open()
		if err != nil {
			return 0, err
		}
		f.File.Close()
		f.File, f.at = again, 0
	}
	n, err := io.CopyN(io.Discard, f.File, off-f.at)
	f.at += n
	if err != nil {
		return 0, err
	}
	k, err := f.read(b)
	f.at += int64(k)
	return k, err
}

func (f *SourceFile) read(b []byte) (int, error) {
	n, err := io.ReadFull(f.File, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// StreamFS is a file system that can open the named streams that FactsFS reports.
type StreamFS interface {
	fs.FS
	OpenStream(name, stream string) (fs.File, error)
}
