package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// pageRows measures the page itself from the user's point of view. No peer has a page to compare with, so the target
// takes the peer's place, and the ratio shows how far we are below it.
func (b *bench) pageRows(_ context.Context, add func(Row)) error {
	long := "" // an archive larger than 4 GiB, made when it is first needed
	defer func() { os.Remove(long) }()
	for _, m := range []struct {
		work, archive, unit string
		limit               float64
		measure             func(p *browser.Page) (value float64, memory int64, err error)
	}{
		{"from a cold load to the sample's first listing", "sample", "at most 1.5 s", 1.5, b.coldLoad},
		{"from a cold load to the sample's first listing, at 10 Mbit/s", "sample", "at most 3 s", 3, func(p *browser.Page) (float64, int64, error) {
			if err := p.Throttle(10_000_000); err != nil {
				return 0, 0, err
			}
			return b.coldLoad(p)
		}},
		{"page's longest tasks (p95) while verifying", "lzx32k", "at most 0.1 s", 0.1, b.longTasks},
		{"open and scroll to the end", "100,000 entries, 1 GB", "at most 200 MB", 0, b.scroll},
		{"memory of page and workers: open, list, search, preview", "100,000 entries, 1 GB", "at most 200 MB", 0,
			func(p *browser.Page) (float64, int64, error) { return browse(p, b.archive("many")) }},
		{"memory of page and workers: open, list, search, preview", "100,000 entries, 5 GB", "at most 200 MB", 0,
			func(p *browser.Page) (float64, int64, error) {
				if long == "" {
					long = filepath.Join(os.TempDir(), fmt.Sprintf("wimscope-bench-%d.wim", os.Getpid()))
					if err := wimtest.Stretch(long, b.archive("many"), 4<<30); err != nil {
						return 0, 0, err
					}
				}
				return browse(p, long)
			}},
	} {
		if !strings.Contains(m.work+" "+m.archive, b.only) {
			continue
		}
		var samples []sample
		for range b.runs {
			value, memory, err := onPage(b.dist, m.measure)
			if err != nil {
				return fmt.Errorf("%s: %w", m.work, err)
			}
			samples = append(samples, sample{Seconds: value, Memory: memory})
		}
		row := Row{Work: m.work, Archive: m.archive, Ours: "page", Peer: m.unit, OursSec: median(seconds(samples)), PeerSec: m.limit,
			OursMemory: peak(samples), Runs: len(samples)}
		if m.limit > 0 {
			row.Ratio = m.limit / max(row.OursSec, 0.001)
		} else {
			row.PeerMemory = 200 << 20
		}
		add(row)
	}
	return nil
}

// listed is a script that waits for rows and returns the time since the page was requested, in seconds.
const listed = `new Promise((done) => {
	const look = () => { if (document.querySelector("[role=gridcell]")) done(performance.now() / 1000); else requestAnimationFrame(look); };
	look();
})`

// coldLoad opens the page for the first time and tries the sample as soon as possible.
func (b *bench) coldLoad(p *browser.Page) (float64, int64, error) {
	// Open has loaded the page already, so the browser itself is warm; its caches are emptied again.
	if err := p.ClearCache(); err != nil {
		return 0, 0, err
	}
	p.Go("/")
	p.Click("button", "Try the sample")
	var s float64
	err := json.Unmarshal(p.Eval(listed), &s)
	return s, 0, err
}

// longTasks verifies an archive and uses the page meanwhile. It returns the 95th percentile of all tasks of the page
// that took more than 50 ms, 0 if there are few.
func (b *bench) longTasks(p *browser.Page) (float64, int64, error) {
	p.Drop(b.archive("lzx32k"))
	p.Find("grid", "Contents of …")
	p.Eval(`void (window.tasks = [], new PerformanceObserver((l) => { for (const e of l.getEntries()) window.tasks.push(e.duration / 1000); }).observe({ type: "longtask" }))`)
	p.Click("link", "Verify")
	p.Click("button", "Verify everything")
	p.Click("link", "Files")
	for !p.Shows("OK: ") && !p.Shows("done") {
		p.Focus("grid", "Contents of …")
		for range 10 {
			p.Press("Down")
		}
	}
	var tasks []float64
	if err := json.Unmarshal(p.Eval(`window.tasks`), &tasks); err != nil {
		return 0, 0, err
	}
	memory, err := p.Held()
	if len(tasks) == 0 {
		return 0, memory, err
	}
	slices.Sort(tasks)
	return tasks[len(tasks)*95/100], memory, err
}

// scroll opens the archive of 100,000 entries and scrolls to the end of its folder; the value is the time from the
// drop.
func (b *bench) scroll(p *browser.Page) (float64, int64, error) {
	began := time.Now()
	toTheEnd(p, b.archive("many"))
	seconds := time.Since(began).Seconds()
	memory, err := p.Held()
	return seconds, memory, err
}

// toTheEnd opens the archive of 100,000 entries and goes to the last entry of its folder.
func toTheEnd(p *browser.Page, path string) {
	p.Drop(path)
	p.DoubleClick("gridcell", "many")
	p.Find("gridcell", "…component-00000…")
	p.Focus("grid", "Contents of …")
	p.Press("End")
	p.Find("gridcell", "…component-99…")
}

// browse does what users do with an archive of 100,000 entries and returns the largest amount of memory held after a
// step.
func browse(p *browser.Page, path string) (float64, int64, error) {
	var most int64
	began := time.Now()
	for _, step := range []func(){
		func() { toTheEnd(p, path) },
		func() {
			p.Type("combobox", "Search all images, or type > for commands", "component-")
			p.Press("Enter")
			p.Sees("100,000")
		},
		func() {
			p.Click("button", "Back")
			p.Click("gridcell", "…component-00003…")
			p.Find("heading", "…component-00003…")
			p.Click("button", "Preview")
			p.Find("region", "Preview of …")
		},
	} {
		step()
		held, err := p.Held()
		if err != nil {
			return 0, 0, err
		}
		most = max(most, held)
	}
	process, err := p.Memory()
	if err != nil {
		return 0, 0, err
	}
	log.Printf("held: %d MB; the whole process, with Chromium's own part and compiled code: %d MB", most>>20, process>>20)
	return time.Since(began).Seconds(), most, nil
}

// onPage opens the product's page in a browser of its own and measures there with f.
func onPage(dist string, f func(*browser.Page) (float64, int64, error)) (value float64, memory int64, err error) {
	t := &stage{}
	defer func() {
		for _, c := range slices.Backward(t.cleanups) {
			c()
		}
		if r := recover(); r != nil {
			if r != errStage {
				panic(r)
			}
			err = t.err
		} else if err == nil {
			err = t.err
		}
	}()
	return f(browser.Open(t, dist, browser.Options{Flags: []chromedp.ExecAllocatorOption{browser.MeasureAtOnce()}}))
}

var errStage = errors.New("the stage has ended")

// stage implements what browser.Open needs of a test.
type stage struct {
	testing.TB
	cleanups []func()
	err      error
}

func (s *stage) Helper()                        {}
func (s *stage) Name() string                   { return "bench" }
func (s *stage) Failed() bool                   { return s.err != nil }
func (s *stage) Cleanup(f func())               { s.cleanups = append(s.cleanups, f) }
func (s *stage) Logf(string, ...any)            {}
func (s *stage) Log(...any)                     {}
func (s *stage) Error(args ...any)              { s.err = errors.Join(s.err, errors.New(fmt.Sprint(args...))) }
func (s *stage) Errorf(format string, a ...any) { s.err = errors.Join(s.err, fmt.Errorf(format, a...)) }
func (s *stage) Fatal(args ...any)              { s.Error(args...); panic(errStage) }
func (s *stage) Fatalf(format string, a ...any) { s.Errorf(format, a...); panic(errStage) }
func (s *stage) Skip(args ...any)               { s.Fatal(args...) }
func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp("", "wimscope-bench-")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
