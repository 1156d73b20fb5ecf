// Command cloudflare serves a built Wimscope as a Cloudflare Worker: the handler of server/site over the platform's
// static assets, bound as ASSETS. README.md describes how to build and deploy it.
package main

import (
	"net/http"
	"strings"

	"github.com/syumai/workers"
	"github.com/syumai/workers/cloudflare"
	"github.com/syumai/workers/cloudflare/fetch"

	"wimscope/server/site"
)

func main() {
	// The program starts anew for each request, so the binding always exists here.
	assets := assetFS{fetch.NewClient(fetch.WithBinding(cloudflare.GetBinding("ASSETS"))).HTTPClient(fetch.RedirectModeManual)}
	workers.Serve(adapt(site.New(assets)))
}

// adapt compensates for differences to a server on a socket: request headers arrive split at commas, and a HEAD
// response with a length is rejected as one without its body.
func adapt(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			if len(values) > 1 {
				r.Header[name] = []string{strings.Join(values, ",")}
			}
		}
		if r.Method == http.MethodHead {
			w = headWriter{w}
		}
		h.ServeHTTP(w, r)
	})
}

// headWriter drops Content-Length and the body.
type headWriter struct{ http.ResponseWriter }

func (w headWriter) WriteHeader(status int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}

func (w headWriter) Write(b []byte) (int, error) { return len(b), nil }
