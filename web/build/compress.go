package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/andybalholm/brotli"
)

// compressors make the compressed forms of a file, by suffix.
var compressors = map[string]func(io.Writer) (io.WriteCloser, error){
	".br": func(w io.Writer) (io.WriteCloser, error) {
		return brotli.NewWriterLevel(w, brotli.BestCompression), nil
	},
	".gz": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestCompression) },
}

// write writes content to path and, if it is to be compressed and becomes smaller, its compressed forms beside it.
// Existing forms of the same content are kept, others are removed. It returns the number of bytes that a browser
// loads.
func write(path string, content []byte, compress bool) (loaded int, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return 0, err
	}
	old, err := os.ReadFile(path)
	same := err == nil && bytes.Equal(old, content)
	if !same {
		for suffix := range compressors {
			if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return 0, err
			}
		}
		if err := replace(path, content); err != nil {
			return 0, err
		}
	}
	loaded = len(content)
	if !compress || !compressible(path) || len(content) < 512 {
		return loaded, nil
	}
	for suffix, compressor := range compressors {
		info, err := os.Stat(path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			if err := compressTo(path+suffix, content, compressor); err != nil {
				return 0, err
			}
			info, err = os.Stat(path + suffix)
		}
		if err != nil {
			return 0, err
		}
		loaded = min(loaded, int(info.Size()))
	}
	return loaded, nil
}

func compressTo(path string, content []byte, compressor func(io.Writer) (io.WriteCloser, error)) error {
	var b bytes.Buffer
	w, err := compressor(&b)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return replace(path, b.Bytes())
}

// replace writes a file atomically, so that a server never sees half of it.
func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// compressible reports whether files of this type become smaller.
func compressible(path string) bool {
	for _, suffix := range []string{".html", ".css", ".js", ".json", ".svg", ".txt", ".wasm", ".webmanifest"} {
		if strings.HasSuffix(path, suffix) {
			return true
		}
	}
	return false
}
