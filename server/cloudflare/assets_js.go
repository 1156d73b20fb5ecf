package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// assetFS presents the static assets as a file system. The binding has no folders, times or ranges: a file is fetched
// whole, and its ETag, a hash, shows whether it has changed.
type assetFS struct{ client *http.Client }

// Open implements fs.FS. Compressed forms of files are hidden: the platform compresses responses itself, and would
// compress them again.
func (a assetFS) Open(name string) (fs.File, error) {
	fail := func(err error) (fs.File, error) { return nil, &fs.PathError{Op: "open", Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	if name == "." || strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") {
		return fail(fs.ErrNotExist)
	}
	// The binding ignores the host.
	address := url.URL{Scheme: "https", Host: "assets.invalid", Path: "/" + name}
	r, err := a.client.Get(address.String())
	if err != nil {
		return fail(err)
	}
	defer r.Body.Close()
	if r.StatusCode == http.StatusNotFound {
		return fail(fs.ErrNotExist)
	}
	if r.StatusCode != http.StatusOK {
		return fail(fmt.Errorf("the assets binding returned status %d", r.StatusCode))
	}
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return fail(err)
	}
	return &asset{Reader: bytes.NewReader(content), name: path.Base(name)}, nil
}

// asset is an open file and its own fs.FileInfo.
type asset struct {
	*bytes.Reader
	name string
}

func (f *asset) Stat() (fs.FileInfo, error) { return f, nil }
func (f *asset) Close() error               { return nil }
func (f *asset) Name() string               { return f.name }
func (f *asset) Size() int64                { return f.Reader.Size() }
func (f *asset) Mode() fs.FileMode          { return 0o444 }
func (f *asset) ModTime() time.Time         { return time.Time{} }
func (f *asset) IsDir() bool                { return false }
func (f *asset) Sys() any                   { return nil }
