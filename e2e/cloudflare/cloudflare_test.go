// Package cloudflare tests the Cloudflare form of the server in Miniflare, the platform's own runtime.
package cloudflare

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/e2e/browser"
)

type request struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
}

type answer struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"`
}

func TestWorker(t *testing.T) {
	if _, err := os.Stat(filepath.Join(browser.Root(), "e2e", "node_modules", "miniflare")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("npm packages are missing: run make tools")
	}
	build, assets := filepath.Join(t.TempDir(), "build"), t.TempDir()
	run(t, nil, "go", "tool", "workers-assets-gen", "-mode=go", "-o", build)
	run(t, nil, "env", "GOOS=js", "GOARCH=wasm", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(build, "app.wasm"), "wimscope/server/cloudflare")

	program := bytes.Repeat([]byte("0123456789abcdef"), 8192)
	for name, content := range map[string][]byte{
		"index.html": []byte("<!doctype html>start"), "404.html": []byte("<!doctype html>nothing"),
		"page.wasm": program, "page.wasm.br": []byte("packed"), ".env": []byte("SECRET=1"),
	} {
		if err := os.WriteFile(filepath.Join(assets, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		request
		status int
		body   string
		want   map[string]string
	}{
		{"start", request{"GET", "/", nil}, 200, "<!doctype html>start", map[string]string{"content-type": "text/html; charset=utf-8"}},
		{"program", request{"GET", "/page.wasm", map[string]string{"Accept-Encoding": "gzip, deflate, br"}}, 200, string(program), map[string]string{"content-type": "application/wasm"}},
		{"range", request{"GET", "/page.wasm", map[string]string{"Range": "bytes=16-31"}}, 206, "0123456789abcdef", map[string]string{"content-range": "bytes 16-31/131072"}},
		{"two ranges", request{"GET", "/page.wasm", map[string]string{"Range": "bytes=0-1,4-5"}}, 206, "*", nil},
		{"head", request{"HEAD", "/page.wasm", nil}, 200, "", nil},
		{"compressed form", request{"GET", "/page.wasm.br", nil}, 404, "<!doctype html>nothing", nil},
		{"missing", request{"GET", "/none", nil}, 404, "<!doctype html>nothing", nil},
		{"missing, head", request{"HEAD", "/none", nil}, 404, "", nil},
		{"dot-file", request{"GET", "/.env", nil}, 404, "<!doctype html>nothing", nil},
		{"post", request{"POST", "/", nil}, 405, "Method Not Allowed\n", map[string]string{"allow": "GET, HEAD"}},
	}
	var requests []request
	for _, test := range tests {
		requests = append(requests, test.request)
	}
	answers := ask(t, build, assets, requests)
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := answers[i]
			if got.Status != test.status || test.body != "*" && string(got.Body) != test.body {
				t.Errorf("%d with %d bytes %.60q, want %d and %.60q", got.Status, len(got.Body), got.Body, test.status, test.body)
			}
			for name, want := range test.want {
				if got.Headers[name] != want {
					t.Errorf("%s: %q, want %q", name, got.Headers[name], want)
				}
			}
			if !strings.Contains(got.Headers["content-security-policy"], "connect-src 'self'") || got.Headers["cross-origin-opener-policy"] != "same-origin" ||
				got.Headers["cross-origin-resource-policy"] != "same-origin" || !strings.Contains(got.Headers["permissions-policy"], "camera=()") {
				t.Errorf("no security headers in %v", got.Headers)
			}
		})
	}
	tag := answers[1].Headers["etag"]
	again := ask(t, build, assets, []request{{"GET", "/page.wasm", map[string]string{"If-None-Match": `"other", ` + tag}}})
	if again[0].Status != 304 || len(again[0].Body) != 0 {
		t.Errorf("revalidated with %s: %d and %d bytes", tag, again[0].Status, len(again[0].Body))
	}
}

func ask(t *testing.T, build, assets string, requests []request) []answer {
	t.Helper()
	in, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	out := run(t, in, "node", "ask.mjs", build, assets)
	var answers []answer
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(requests) {
		t.Fatalf("%d responses to %d requests: %v\n%s", len(answers), len(requests), err, out)
	}
	return answers
}

func run(t *testing.T, in []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, out, &stderr)
	}
	return out
}
