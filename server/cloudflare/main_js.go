// Command cloudflare serves a built Wimscope as a Cloudflare Worker: the handler of server/site over the files that
// the platform keeps as static assets, bound as ASSETS. How it is built and deployed stands in README.md.
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
	// Every request starts this program anew, so there is no time before a request in which the binding is not there.
	assets := assetFS{fetch.NewClient(fetch.WithBinding(cloudflare.GetBinding("ASSETS"))).HTTPClient(fetch.RedirectModeManual)}
	workers.Serve(adapt(site.New(assets)))
}

// adapt makes up for what differs here from a server on a socket: request headers come split at their commas, and
// an answer to HEAD that names a length is taken for one that lacks its body.
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

// headWriter leaves the length out.
type headWriter struct{ http.ResponseWriter }

func (w headWriter) WriteHeader(status int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}

func (w headWriter) Write(b []byte) (int, error) { return len(b), nil }
