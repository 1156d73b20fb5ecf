//go:build !js

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	if err := run(t.Context(), dir, "127.0.0.1", 0); err == nil {
		t.Error("a folder without a build was served")
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("hello"), 0o666); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(outside, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"file.txt": outside, "folder": filepath.Dir(outside), "inside.txt": "index.html"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err) // Windows lets few users create links
		}
	}
	// A port that is free now is most likely still free a moment later.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, dir, "127.0.0.1", port) }()
	url := "http://127.0.0.1:" + strconv.Itoa(port) + "/"
	var body []byte
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		r, err := http.Get(url)
		if err != nil {
			continue
		}
		body, err = io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if string(body) != "hello" {
		t.Errorf("%s: %q", url, body)
	}
	// A link within the folder works; one that leaves it, at the end of the path or on the way, does not.
	for path, want := range map[string]int{"inside.txt": 200, "file.txt": 404, "folder/secret.txt": 404} {
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, r.StatusCode, want)
		}
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		t.Error("the server did not stop")
	}
}

// TestListen checks that a taken port does not keep the server from starting, unless that port was requested.
func TestListen(t *testing.T) {
	a, err := listen("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := listen("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if a.Addr().String() == b.Addr().String() {
		t.Error("both listen on", a.Addr())
	}
	if c, err := listen("127.0.0.1", a.Addr().(*net.TCPAddr).Port); err == nil {
		c.Close()
		t.Error("listened on a taken port")
	}
}
