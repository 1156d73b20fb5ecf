package site

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

var when = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func testSite() *Site {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), ModTime: when, Mode: 0o644} }
	return New(fstest.MapFS{
		"index.html":      file("<!doctype html>start"),
		"404.html":        file("<!doctype html>nothing here"),
		"page.wasm":       file("0123456789"),
		"page.wasm.br":    file("brotli"),
		"page.wasm.gz":    file("gzipped"),
		"docs/index.html": file("docs"),
		"plain":           file("plain"),
		".env":            file("SECRET=1"),
		".git/config":     file("[core]"),
		"docs/.htaccess":  file("deny"),
		".git/index.html": file("git"),
		"a.css":           file("a{}"),
	})
}

func ask(t *testing.T, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	testSite().ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestServe(t *testing.T) {
	for _, test := range []struct {
		name, method, url string
		headers           []string
		status            int
		body              string
		want              map[string]string
	}{
		{"start", "GET", "/", nil, 200, "<!doctype html>start", map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"}},
		{"folder", "GET", "/docs/", nil, 200, "docs", nil},
		{"folder without a slash", "GET", "/docs", nil, 404, "<!doctype html>nothing here", nil},
		{"wasm", "GET", "/page.wasm", nil, 200, "0123456789", map[string]string{"Content-Type": "application/wasm", "Content-Encoding": "", "Vary": "Accept-Encoding", "Content-Length": "10"}},
		{"brotli", "GET", "/page.wasm", []string{"Accept-Encoding", "gzip, deflate, br"}, 200, "brotli", map[string]string{"Content-Encoding": "br", "Content-Length": "6", "Content-Type": "application/wasm"}},
		{"gzip", "GET", "/page.wasm", []string{"Accept-Encoding", "gzip"}, 200, "gzipped", map[string]string{"Content-Encoding": "gzip"}},
		{"brotli refused", "GET", "/page.wasm", []string{"Accept-Encoding", "br;q=0, gzip;q=0.5"}, 200, "gzipped", map[string]string{"Content-Encoding": "gzip"}},
		{"a range of the uncompressed file", "GET", "/page.wasm", []string{"Accept-Encoding", "br", "Range", "bytes=2-4"}, 206, "234", map[string]string{"Content-Range": "bytes 2-4/10", "Content-Encoding": ""}},
		{"a range past the end", "GET", "/page.wasm", []string{"Range", "bytes=20-"}, 416, "invalid range: failed to overlap\n", nil},
		{"head", "HEAD", "/page.wasm", []string{"Accept-Encoding", "br"}, 200, "", map[string]string{"Content-Length": "6", "Content-Encoding": "br"}},
		{"compressed by its own name", "GET", "/page.wasm.br", nil, 404, "<!doctype html>nothing here", nil},
		{"missing", "GET", "/nowhere", nil, 404, "<!doctype html>nothing here", map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}},
		{"missing, head", "HEAD", "/nowhere", nil, 404, "", nil},
		{"out of the folder", "GET", "/../secret", nil, 404, "<!doctype html>nothing here", nil},
		{"double slash", "GET", "//page.wasm", nil, 404, "<!doctype html>nothing here", nil},
		{"dot-file", "GET", "/.env", nil, 404, "<!doctype html>nothing here", nil},
		{"dot-file, head", "HEAD", "/.env", nil, 404, "", nil},
		{"in a dot-folder", "GET", "/.git/config", nil, 404, "<!doctype html>nothing here", nil},
		{"a dot-folder's page", "GET", "/.git/", nil, 404, "<!doctype html>nothing here", nil},
		{"dot-file below", "GET", "/docs/.htaccess", nil, 404, "<!doctype html>nothing here", nil},
		{"dot-file, encoded", "GET", "/%2eenv", nil, 404, "<!doctype html>nothing here", nil},
		{"post", "POST", "/", nil, 405, "Method Not Allowed\n", map[string]string{"Allow": "GET, HEAD"}},
		{"unknown type", "GET", "/plain", nil, 200, "plain", map[string]string{"Content-Type": "application/octet-stream"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, body := ask(t, test.method, test.url, test.headers...)
			if got.StatusCode != test.status || body != test.body {
				t.Errorf("%s %s: %d %q, want %d %q", test.method, test.url, got.StatusCode, body, test.status, test.body)
			}
			for name, want := range test.want {
				if v := got.Header.Get(name); v != want {
					t.Errorf("%s: %q, want %q", name, v, want)
				}
			}
			for _, name := range []string{"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy", "Referrer-Policy", "X-Content-Type-Options"} {
				if got.Header.Get(name) == "" {
					t.Errorf("no %s", name)
				}
			}
		})
	}
}

func TestETag(t *testing.T) {
	plain, _ := ask(t, "GET", "/page.wasm")
	packed, _ := ask(t, "GET", "/page.wasm", "Accept-Encoding", "br")
	if a, b := plain.Header.Get("ETag"), packed.Header.Get("ETag"); a == "" || a == b {
		t.Errorf("tags of the file and its compressed form: %q, %q", a, b)
	}
	again, body := ask(t, "GET", "/page.wasm", "Accept-Encoding", "br", "If-None-Match", packed.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("revalidated: %d %q", again.StatusCode, body)
	}
	if length := again.Header.Get("Content-Length"); length != "" {
		t.Errorf("304 with Content-Length %s", length)
	}
}

// TestETagFollowsContent checks that a rebuilt file of the same size gets a new ETag.
func TestETagFollowsContent(t *testing.T) {
	files := fstest.MapFS{"a.js": {Data: []byte("one"), ModTime: when, Mode: 0o644}}
	site := New(files)
	tag := func() string {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest("GET", "/a.js", nil))
		return w.Header().Get("ETag")
	}
	first := tag()
	files["a.js"] = &fstest.MapFile{Data: []byte("two"), ModTime: when.Add(time.Second), Mode: 0o644}
	if second := tag(); first == second {
		t.Errorf("both are %s", first)
	}
}

// TestPolicy checks the parts of the policy on which the users' privacy depends.
func TestPolicy(t *testing.T) {
	for _, want := range []string{"default-src 'none'", "connect-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "require-trusted-types-for 'script'", "form-action 'none'", "frame-src 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("no %s in %s", want, policy)
		}
	}
	if strings.Contains(policy, "'unsafe-eval'") || strings.Contains(policy, "unsafe-inline") {
		t.Error(policy)
	}
	for _, want := range []string{"clipboard-write=(self)", "screen-wake-lock=(self)", "camera=()", "microphone=()", "geolocation=()", "usb=()"} {
		if !strings.Contains(permissions, want) {
			t.Errorf("no %s in %s", want, permissions)
		}
	}
}
