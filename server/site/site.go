// Package site serves the built page: static files with the right types, caching, files compressed in advance, byte
// ranges, and headers that restrict the page to its own origin.
package site

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Site serves the files of a folder. It is an http.Handler, safe for concurrent use.
//
// For a file x, x.br and x.gz are its compressed forms; they are never served under their own names. A file whose
// name starts with a dot, or that is in such a folder (.git, .env), is not served.
type Site struct {
	files fs.FS

	mu   sync.Mutex
	tags map[tagKey]string
}

// tagKey identifies the content that an ETag was computed for.
type tagKey struct {
	name string
	size int64
	time time.Time
}

// New returns a handler over files.
func New(files fs.FS) *Site {
	return &Site{files: files, tags: make(map[tagKey]string)}
}

// types are the content types of a build's files; the system's own tables differ between machines.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
	".wim":         "application/octet-stream",
}

// encodings in order of preference.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurity(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		s.fail(w, r, http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	if !fs.ValidPath(name) || isHidden(name) || isCompressed(name) || !s.isFile(name) {
		s.fail(w, r, http.StatusNotFound)
		return
	}
	if err := s.serve(w, r, name); err != nil {
		s.fail(w, r, http.StatusInternalServerError)
	}
}

// serve writes the file name. If it returns an error, nothing has been written.
func (s *Site) serve(w http.ResponseWriter, r *http.Request, name string) error {
	h := w.Header()
	kind := types[path.Ext(name)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	h.Set("Content-Type", kind)
	// Names do not change between builds, so a browser must revalidate each time, and mostly gets 304.
	h.Set("Cache-Control", "no-cache")

	stored := name
	for _, e := range encodings {
		if !s.isFile(name + e.suffix) {
			continue
		}
		h.Set("Vary", "Accept-Encoding")
		// A range counts bytes of the uncompressed file.
		if r.Header.Get("Range") == "" && accepts(r.Header.Values("Accept-Encoding"), e.name) {
			h.Set("Content-Encoding", e.name)
			stored = name + e.suffix
			break
		}
	}
	err := s.content(w, r, stored)
	if err != nil {
		h.Del("Content-Encoding")
		h.Del("ETag")
	}
	return err
}

func (s *Site) content(w http.ResponseWriter, r *http.Request, stored string) error {
	f, err := s.files.Open(stored)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	seeker, ok := f.(io.ReadSeeker)
	if !ok {
		return fmt.Errorf("site: %s is not seekable", stored)
	}
	tag, err := s.tag(stored, info, seeker)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", tag)
	if w.Header().Get("Content-Encoding") != "" {
		// http.ServeContent omits Content-Length if there is an encoding, because it cannot know which bytes to
		// count. Here these are the stored bytes, and the page needs the length to show the progress of a download.
		w = &sized{ResponseWriter: w, size: info.Size()}
	}
	http.ServeContent(w, r, "", info.ModTime(), seeker)
	return nil
}

// tag returns the ETag of a file, a hash of its bytes. It is cached while size and time stay the same.
func (s *Site) tag(stored string, info fs.FileInfo, content io.ReadSeeker) (string, error) {
	key := tagKey{stored, info.Size(), info.ModTime()}
	s.mu.Lock()
	tag := s.tags[key]
	s.mu.Unlock()
	if tag != "" {
		return tag, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, content); err != nil {
		return "", err
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	tag = `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12]) + `"`
	s.mu.Lock()
	s.tags[key] = tag
	s.mu.Unlock()
	return tag, nil
}

// sized sets the length of a complete compressed response.
type sized struct {
	http.ResponseWriter
	size int64
}

func (w *sized) WriteHeader(status int) {
	if status == http.StatusOK {
		w.Header().Set("Content-Length", strconv.FormatInt(w.size, 10))
	}
	w.ResponseWriter.WriteHeader(status)
}

// fail writes an error response. If the build has a 404.html, that is the body for 404.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, status int) {
	w.Header().Set("Cache-Control", "no-store")
	body, err := fs.ReadFile(s.files, "404.html")
	if status != http.StatusNotFound || err != nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", types[".html"])
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

func (s *Site) isFile(name string) bool {
	info, err := fs.Stat(s.files, name)
	return err == nil && info.Mode().IsRegular()
}

// isHidden reports whether an element of a path starts with a dot.
func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}

func isCompressed(name string) bool {
	return strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz")
}

// accepts reports whether Accept-Encoding headers allow the coding: they name it, and not with weight 0.
func accepts(headers []string, coding string) bool {
	for _, header := range headers {
		for item := range strings.SplitSeq(header, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			if !strings.EqualFold(strings.TrimSpace(name), coding) {
				continue
			}
			q := strings.TrimSpace(parameters)
			if value, ok := strings.CutPrefix(strings.ToLower(q), "q="); ok {
				weight, err := strconv.ParseFloat(value, 64)
				return err == nil && weight > 0
			}
			return true
		}
	}
	return false
}
