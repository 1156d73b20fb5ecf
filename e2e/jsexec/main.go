// Command jsexec runs a js/wasm test binary in headless Chromium, for go test -exec:
//
//	GOOS=js GOARCH=wasm go test -exec "$(go tool -n jsexec)" ./wasm/fsa
//
// The binary runs in a dedicated worker, where FileReaderSync and the origin private file system are available, or
// with -page (-exec "$(go tool -n jsexec) -page") in a page. It sees the module's folder, read only, and a writable
// /tmp in memory. Its output, exit status and arguments are those of a native run. Nested workers find the binary as
// /test.wasm and Go's loader as /wasm_exec.js.
//
// Like the site's programs the binary is rewritten by package wasmflow first, so that tests run what ships. -aslinked
// skips that, to distinguish a bug in that package from one in the tested code.
//
// Without Chromium nothing runs and the status is 0, unless CI is set: then it is 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/chromedp"

	"wimscope/e2e/browser"
)

func main() {
	page := flag.Bool("page", false, "run in a page instead of a worker")
	asLinked := flag.Bool("aslinked", false, "do not rewrite the binary with wasmflow")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: jsexec [-page] [-aslinked] test.wasm [arguments]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	code, err := run(ctx, *page, *asLinked, flag.Args())
	stop()
	if errors.Is(err, browser.ErrNoChromium) && os.Getenv("CI") == "" {
		fmt.Fprintln(os.Stderr, "jsexec: tests not run:", err)
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "jsexec:", err)
		code = 1
	}
	os.Exit(code)
}

// run runs the binary args[0] with the arguments that follow and returns its exit status.
func run(ctx context.Context, page, asLinked bool, args []string) (int, error) {
	host, err := newHost(page, asLinked, args)
	if err != nil {
		return 0, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := &http.Server{Handler: host, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	defer server.Close()

	tab, cancel, err := browser.Launch(ctx, browser.Options{})
	if err != nil {
		return 0, err
	}
	defer cancel()
	crashed := make(chan struct{})
	go func() {
		for _, err := range chromedp.Events(tab, inspector.TargetCrashed) {
			if err == nil {
				close(crashed)
			}
			return
		}
	}()
	if err := chromedp.Do(tab, chromedp.Navigate("http://"+listener.Addr().String()+"/")); err != nil {
		return 0, err
	}
	select {
	case code := <-host.exit:
		return code, nil
	case <-crashed:
		return 0, errors.New("the page crashed, probably out of memory")
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// moduleRoot returns the nearest folder at or above dir with a go.mod, or dir itself.
func moduleRoot(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// goLoader returns the wasm_exec.js of the go command in PATH, which under go test is the one that built the binary.
func goLoader() ([]byte, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
}
