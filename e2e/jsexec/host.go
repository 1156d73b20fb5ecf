package main

import (
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"wimscope/web/build/wasmflow"
)

//go:embed host.js
var hostJS []byte

//go:embed fs.js
var fsJS []byte

//go:embed run.js
var runJS []byte

// A host serves the script that runs the binary in the browser.
type host struct {
	http.ServeMux
	config config
	exit   chan int // one status, once
}

// config is the configuration of the script.
type config struct {
	Args []string          `json:"args"`
	Env  map[string]string `json:"env"`
	CWD  string            `json:"cwd"`
	Root string            `json:"root"` // of what may be read
}

func newHost(page, asLinked bool, args []string) (*host, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	loader, err := goLoader()
	if err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(args[0])
	if err != nil {
		return nil, err
	}
	if !asLinked {
		if binary, _, err = wasmflow.Transform(binary); err != nil {
			return nil, err
		}
	}
	h := &host{
		config: config{Args: args, Env: environment(os.Environ()), CWD: cwd, Root: moduleRoot(cwd)},
		exit:   make(chan int, 1),
	}
	script := slices.Concat(hostJS, fsJS, loader, runJS)
	start := `new Worker("/run.js");`
	if page {
		start = string(script)
	}
	h.HandleFunc("GET /{$}", text("text/html", []byte(`<!doctype html><title>jsexec</title><link rel="icon" href="data:,"><script src="/start.js"></script>`)))
	h.HandleFunc("GET /start.js", text("text/javascript", []byte(start)))
	h.HandleFunc("GET /run.js", text("text/javascript", script))
	h.HandleFunc("GET /wasm_exec.js", text("text/javascript", loader))
	h.HandleFunc("GET /test.wasm", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		w.Write(binary)
	})
	h.HandleFunc("GET /config", func(w http.ResponseWriter, r *http.Request) { reply(w, h.config) })
	h.HandleFunc("GET /fs/stat", h.stat)
	h.HandleFunc("GET /fs/list", h.list)
	h.HandleFunc("GET /fs/read", h.read)
	h.HandleFunc("POST /write", h.write)
	h.HandleFunc("POST /exit", func(w http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.FormValue("code"))
		if err != nil {
			code = 1
		}
		select {
		case h.exit <- code:
		default:
		}
	})
	return h, nil
}

// ServeHTTP adds the headers under which the product's own pages run.
func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
	w.Header().Set("Cache-Control", "no-store")
	h.ServeMux.ServeHTTP(w, r)
}

// local returns the path in a request, "" if it is outside of what may be read.
func (h *host) local(r *http.Request) string {
	p := path.Clean(r.FormValue("path"))
	if p == h.config.Root || strings.HasPrefix(p, strings.TrimSuffix(h.config.Root, "/")+"/") {
		return p
	}
	return ""
}

func (h *host) stat(w http.ResponseWriter, r *http.Request) {
	info, err := os.Stat(h.local(r))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	reply(w, map[string]any{"dir": info.IsDir(), "size": info.Size(), "perm": info.Mode().Perm(), "mtime": info.ModTime().UnixMilli()})
}

func (h *host) list(w http.ResponseWriter, r *http.Request) {
	entries, err := os.ReadDir(h.local(r))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	reply(w, names)
}

func (h *host) read(w http.ResponseWriter, r *http.Request) {
	p := h.local(r)
	if info, err := os.Stat(p); err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}
	f, err := os.Open(p)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	io.Copy(w, f)
}

func (h *host) write(w http.ResponseWriter, r *http.Request) {
	out := os.Stdout
	if r.FormValue("fd") == "2" {
		out = os.Stderr
	}
	io.Copy(out, r.Body)
}

// environment returns the variables that fit: Go's loader has 8 KiB for arguments and environment together, and some
// environments are larger. The variables that our tests use are always kept.
func environment(vars []string) map[string]string {
	env := make(map[string]string)
	room := 5000
	for _, wanted := range []bool{true, false} {
		for _, v := range vars {
			name, value, ok := strings.Cut(v, "=")
			if !ok || name == "" || wanted != isWanted(name) || len(v)+16 > room {
				continue
			}
			room -= len(v) + 16
			env[name] = value
		}
	}
	env["TMPDIR"] = "/tmp"
	return env
}

func isWanted(name string) bool {
	return name == "CI" || name == "TZ" || strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "WIM")
}

func text(kind string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		w.Write(body)
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}
