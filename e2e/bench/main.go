// Command bench measures Wimscope beside its peers on one machine in one run: in Chromium against 7-Zip's WebAssembly
// build, natively against wimlib-imagex. It prints a Markdown table and writes bench.json.
//
//	go run ./e2e/bench -dist dist -corpus DIR
//
// DIR is the output of wim/wimtest/corpus. Each ratio is the median of the ratios of interleaved runs: on a machine
// whose speed drifts, only runs side by side can be compared.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"wimscope/server/site"
)

//go:embed web
var web embed.FS

// Row is a line of the table and an element of bench.json.
type Row struct {
	Work       string  `json:"work"`
	Archive    string  `json:"archive"`
	Ours       string  `json:"ours"`
	Peer       string  `json:"peer"`
	OursSec    float64 `json:"oursSeconds"` // median
	PeerSec    float64 `json:"peerSeconds"` // median
	Ratio      float64 `json:"ratio"`       // peer's time over ours, median of the pairs: above 1 is faster than the peer
	OursMemory int64   `json:"oursMemory"`  // peak, bytes
	PeerMemory int64   `json:"peerMemory"`
	Runs       int     `json:"runs"`

	// For captures: bytes read and bytes written.
	Input     int64 `json:"input,omitempty"`
	OursBytes int64 `json:"oursBytes,omitempty"`
	PeerBytes int64 `json:"peerBytes,omitempty"`

	Stages map[string]float64 `json:"oursStages,omitempty"` // seconds of each, in the first run
}

// sample is one run.
type sample struct {
	Seconds float64 `json:"seconds"`
	Memory  int64   `json:"memory"`
	OK      bool    `json:"ok"`
	Failed  string  `json:"failed"`
	Written int64   `json:"written"`
	Entries int     `json:"entries"`
	Input   int64   `json:"-"` // bytes that were captured

	Stages map[string]float64 `json:"stages"` // seconds of each
}

type settings struct {
	dist, corpus, peer string
	runs               int
	sample             int64 // bytes of the corpus, for slow work
	only               string
}

func main() {
	log.SetFlags(log.Ltime)
	var s settings
	flag.StringVar(&s.dist, "dist", "dist", "folder of the built site")
	flag.StringVar(&s.corpus, "corpus", ".bench", "folder that wim/wimtest/corpus made")
	flag.StringVar(&s.peer, "peer", "e2e/node_modules/7z-wasm", "folder of 7-Zip's npm package")
	flag.IntVar(&s.runs, "runs", 5, "interleaved runs of each row")
	flag.Int64Var(&s.sample, "sample", 64, "MiB of the corpus to capture in Chromium; 0: all")
	flag.StringVar(&s.only, "only", "", "run only rows whose name contains this")
	out := flag.String("o", "bench.json", "write the rows to this file")
	flag.Parse()
	s.sample <<= 20
	if s.corpus == "" {
		flag.Usage()
		os.Exit(2)
	}
	rows, err := run(context.Background(), s)
	if len(rows) > 0 {
		print(rows)
		text, _ := json.MarshalIndent(rows, "", "\t") // plain structs: cannot fail
		if err := os.WriteFile(*out, append(text, '\n'), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, s settings) ([]Row, error) {
	handler, err := pages(s)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	defer server.Close()
	b := &bench{settings: s, url: "http://" + listener.Addr().String() + "/bench/bench.html"}
	return b.all(ctx)
}

// pages serves the built site with the benchmark's own pages and the peer, under the headers that let a worker
// compile WebAssembly and little else.
func pages(s settings) (http.Handler, error) {
	own, err := fs.Sub(web, "web")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", site.New(os.DirFS(s.dist)))
	mux.Handle("/bench/", http.StripPrefix("/bench/", http.FileServerFS(own)))
	mux.Handle("/peer/", http.StripPrefix("/peer/", http.FileServerFS(os.DirFS(s.peer))))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		mux.ServeHTTP(w, r)
	}), nil
}

// contender is one side of a comparison.
type contender struct {
	name string
	run  func(ctx context.Context) (sample, error)
}

// compare runs ours and the peers alternately and returns a row for each pair.
func compare(ctx context.Context, runs int, work, archive string, ours, peers []contender) ([]Row, error) {
	all := append(slices.Clone(ours), peers...)
	got := make([][]sample, len(all))
	for round := range runs {
		for i, c := range all {
			one, err := c.run(ctx)
			if err == nil && !one.OK {
				err = fmt.Errorf("the run failed: %+v", one)
			}
			if err != nil {
				return nil, fmt.Errorf("%s of %s by %s: %w", work, archive, c.name, err)
			}
			got[i] = append(got[i], one)
			log.Printf("%s, %s, %s, run %d: %.2f s, %d MB %v", work, archive, c.name, round+1, one.Seconds, one.Memory>>20, one.Stages)
		}
	}
	var rows []Row
	for i, o := range ours {
		for j, p := range peers {
			a, b := got[i], got[len(ours)+j]
			var ratios []float64
			for k := range a {
				ratios = append(ratios, b[k].Seconds/a[k].Seconds)
			}
			row := Row{
				Work: work, Archive: archive, Ours: o.name, Peer: p.name,
				OursSec: median(seconds(a)), PeerSec: median(seconds(b)), Ratio: median(ratios),
				OursMemory: peak(a), PeerMemory: peak(b), Runs: len(a),
			}
			if row.Input = a[0].Input; row.Input > 0 {
				row.OursBytes, row.PeerBytes, row.Stages = a[0].Written, b[0].Written, a[0].Stages
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func seconds(s []sample) (out []float64) {
	for _, x := range s {
		out = append(out, x.Seconds)
	}
	return out
}

func peak(s []sample) (most int64) {
	for _, x := range s {
		most = max(most, x.Memory)
	}
	return most
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func print(rows []Row) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s, %d cores, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	b.WriteString("| work | archive | ours | peer | ours, s | peer, s | ratio | ours, MB | peer, MB | runs | ours, MB/s | ours, bytes | size |\n|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		written := "| | | |"
		if r.Input > 0 && r.PeerBytes > 0 {
			written = fmt.Sprintf("| %.1f | %d | %.4fx |", float64(r.Input)/1e6/r.OursSec, r.OursBytes, float64(r.OursBytes)/float64(r.PeerBytes))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f | %.2f | %.2fx | %d | %d | %d %s\n",
			r.Work, r.Archive, r.Ours, r.Peer, r.OursSec, r.PeerSec, r.Ratio, r.OursMemory>>20, r.PeerMemory>>20, r.Runs, written)
	}
	fmt.Print(b.String())
}

func (s settings) archive(name string) string { return filepath.Join(s.corpus, name+".wim") }
