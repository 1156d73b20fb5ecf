package journeys

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"wimscope/e2e/browser"
	"wimscope/server/site"
	"wimscope/wim/wimtest"
)

// TestVariants makes the engine write, in Chromium, a ZIP of random trees in every form of archive that the available
// tools can make, and compares each with the tree: 20 trees for each form, in a campaign 200 for each codec.
func TestVariants(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib, wimtest.SevenZip)
	d := startDriver(t)
	dir := t.TempDir()
	variants := wimtest.Variants()
	for _, v := range variants {
		t.Run(v.Name, func(t *testing.T) {
			for seed := range treesFor(v, variants) {
				// Large chunks need large files: the native tests cover sizes around a chunk.
				o := wimtest.TreeOptions{Plain: v.Plain}
				if v.Chunk <= 256<<10 {
					o.Chunk = v.Chunk
				}
				tree, base, err := twoTrees(dir, uint64(seed), o)
				if err == nil {
					err = d.compare(t, filepath.Join(dir, "archive"), v, tree, base)
				}
				if err != nil {
					t.Errorf("tree %d: %v", seed, err)
				}
				if d.tab.Err() != nil {
					t.Fatal("the browser ended")
				}
			}
		})
	}
}

func treesFor(v wimtest.Variant, all []wimtest.Variant) int {
	if os.Getenv("WIMSCOPE_CAMPAIGN") == "" {
		return 20
	}
	family := 0
	for _, other := range all {
		if other.Family == v.Family {
			family++
		}
	}
	return max(20, (200+family-1)/family)
}

// twoTrees writes a random tree, and half of it for archives based on another one, unless they exist.
func twoTrees(dir string, seed uint64, o wimtest.TreeOptions) (tree, base string, err error) {
	name := fmt.Sprintf("%d-%d-%v", seed, o.Chunk, o.Plain)
	tree, base = filepath.Join(dir, name), filepath.Join(dir, name+"-half")
	if _, err := os.Stat(tree); err == nil {
		return tree, base, nil
	}
	random := wimtest.Random(seed, &o)
	if o.Plain { // 7-Zip stores links in its own way
		random.Entries = slices.DeleteFunc(random.Entries, func(e wimtest.Entry) bool { return e.Kind == wimtest.Hard || e.Kind == wimtest.Symlink })
	}
	if err := random.Write(tree); err != nil {
		return "", "", err
	}
	return tree, base, random.Half().Write(base)
}

// driver is a page that runs the engine on archives in the folder dir.
type driver struct {
	tab    context.Context
	dir    string // what /archives/ serves
	result chan []byte
}

func startDriver(t *testing.T) *driver {
	t.Helper()
	d := &driver{dir: t.TempDir(), result: make(chan []byte, 1)}
	mux := http.NewServeMux()
	mux.Handle("/", site.New(os.DirFS(dist)))
	mux.Handle("/driver/", http.StripPrefix("/driver/", http.FileServerFS(os.DirFS("testdata"))))
	mux.HandleFunc("/archives/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		http.ServeFile(w, r, filepath.Join(d.dir, filepath.Base(r.URL.Path)))
	})
	mux.HandleFunc("POST /result", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		d.result <- body
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		mux.ServeHTTP(w, r)
	})}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	tab, cancel, err := browser.Launch(context.Background(), browser.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cancel)
	d.tab = tab
	if err := chromedp.Do(tab, chromedp.Navigate("http://"+listener.Addr().String()+"/driver/driver.html")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(tab, chromedp.Poll[bool]("window.ready === true", chromedp.WithPollingTimeout(time.Minute))); err != nil {
		t.Fatal(err)
	}
	return d
}

// compare makes one archive, writes it as a ZIP in the page, and compares that with the tree.
func (d *driver) compare(t *testing.T, dir string, v wimtest.Variant, tree, base string) error {
	d.dir = dir
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	made, err := v.Make(dir, tree, base)
	if err != nil {
		return err
	}
	parts, refs := []string{filepath.Base(made.First)}, []string{}
	if made.Ref != "" {
		others, err := filepath.Glob(made.Ref)
		if err != nil {
			return err
		}
		for _, o := range others {
			switch name := filepath.Base(o); {
			case o == made.First:
			case strings.HasSuffix(name, ".swm"):
				parts = append(parts, name)
			default:
				refs = append(refs, name)
			}
		}
	}
	list, err := json.Marshal([][]string{parts, refs})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(d.tab, 2*time.Minute)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
		Size, Planned int64
		First         []struct{ Path, Reason string }
	}]("window.zip(..."+string(list)+")", chromedp.EvalAwaitPromise))
	if err != nil {
		return err
	}
	zip := filepath.Join(dir, "result.zip")
	if err := os.WriteFile(zip, <-d.result, 0o644); err != nil {
		return err
	}
	if result.Size != result.Planned {
		return fmt.Errorf("the ZIP is %d bytes, the plan has %d", result.Size, result.Planned)
	}
	// Links to targets outside of the tree are written, and reported.
	other := slices.DeleteFunc(result.First, func(p struct{ Path, Reason string }) bool { return p.Reason == "link" })
	if len(other) > 0 {
		return fmt.Errorf("problems: %v", other)
	}
	look := wimtest.Times | wimtest.NoRoot
	if v.Clock {
		look = wimtest.NoRoot
	}
	want, got := snap(t, tree), unzip(t, zip)
	if diff := wimtest.Diff(want, got, look); diff != nil {
		return fmt.Errorf("%d differences:\n%s", len(diff), strings.Join(diff[:min(5, len(diff))], "\n"))
	}
	return nil
}
