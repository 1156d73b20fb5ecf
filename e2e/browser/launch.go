// Package browser starts Chromium for tests and operates its pages like a user: it drops files, finds controls by
// role and accessible name, and tests look at the output on disk.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"
)

// ErrNoChromium is returned if no Chromium is found.
var ErrNoChromium = errors.New("no Chromium found: install it, or set CHROMIUM to its path")

// Find returns the path of Chromium: the value of CHROMIUM, or the first of the usual names in PATH.
func Find() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}
	if name := os.Getenv("CHROMIUM"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoChromium
}

// Options are how Chromium starts. The zero value suits a test that drops no files.
type Options struct {
	// Pages of Origin may read and write the Writable folders through handles without a permission prompt.
	Origin   string
	Writable []string
	// Downloads is the folder for files that a page saves without a picker; "" discards them.
	Downloads string
	// Hold delays requests for these paths until the channel is closed; Open then does not wait for the page's
	// program.
	Hold map[string]<-chan struct{}
	// Blocked blocks cookies and all other site data, as a user can choose.
	Blocked bool
	// Visible opens a window, to watch a test run.
	Visible bool
	// Flags are additional flags for Chromium.
	Flags []chromedp.ExecAllocatorOption
}

// Launch starts Chromium with a new profile. The context carries its first tab. cancel ends the browser and removes
// the profile.
func Launch(parent context.Context, o Options) (ctx context.Context, cancel func(), err error) {
	program, err := Find()
	if err != nil {
		return nil, nil, err
	}
	profile, err := os.MkdirTemp("", "wimscope-chromium-")
	if err != nil {
		return nil, nil, err
	}
	if err := writePreferences(profile, o); err != nil {
		os.RemoveAll(profile)
		return nil, nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program),
		chromedp.UserDataDir(profile),
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1360, 860),
		// A first start takes long on slow machines.
		chromedp.WSURLReadTimeout(time.Minute),
	}
	if !o.Visible {
		options = append(options, chromedp.Headless)
	}
	for _, flag := range []string{
		"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync",
		"disable-default-apps", "disable-extensions", "disable-breakpad", "disable-dev-shm-usage",
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
		"hide-scrollbars", "mute-audio", "metrics-recording-only",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	options = append(options,
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter"),
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("font-render-hinting", "none"),
		chromedp.Flag("password-store", "basic"),
		chromedp.Flag("lang", "en-US"))
	options = append(options, o.Flags...)

	alloc, cancelAlloc := chromedp.NewExecAllocator(parent, options...)
	ctx, cancelTab := chromedp.NewContext(alloc)
	cancel = func() {
		cancelTab()
		cancelAlloc()
		os.RemoveAll(profile)
	}
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	return ctx, cancel, nil
}
