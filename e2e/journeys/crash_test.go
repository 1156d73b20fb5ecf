package journeys

import (
	"testing"
	"time"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// How a worker dies: without an event, as when the browser ends it, or from an exception.
const (
	vanish  = `self.close()`
	explode = `setTimeout(() => { throw new Error("out of memory") })`
)

// dies ends one of the workers that have a job's shards. The job is paused meanwhile, so that it does not finish
// before. The pause may catch a worker between two shards: then nothing has to be repeated, and another worker is
// ended.
func dies(p *browser.Page, how string) {
	const again = "repeated after a worker crashed"
	p.Until("the job to be under way", `/[1-9]\d* of \d+ blobs/.test(document.querySelector(".tray").innerText)`)
	for try := 0; try < 10 && !p.Shows(again); try++ {
		p.Click("button", "Pause")
		time.Sleep(time.Second) // all of them have started by now
		p.In(p.Worker("shards"), how)
		time.Sleep(time.Second) // its end has been noticed by now
		p.Click("button", "Resume")
	}
	p.Sees(again)
}

// TestWorkerDies ends a worker in the middle of a job: the job reports it, and its result is right.
func TestWorkerDies(t *testing.T) {
	tree := large(t)
	wim := capture(t, tree, "large.wim", "--compress=LZMS")

	t.Run("verify", func(t *testing.T) {
		p := open(t, wim)
		p.Click("link", "Verify")
		p.Click("button", "Verify everything")
		dies(p, vanish)
		p.Find("heading", "OK: …")
	})
	t.Run("extract", func(t *testing.T) {
		p := open(t, wim) // a new page: in an old one, a worker named for shards may have become the output worker
		out := outFolder(t, p, "out")
		p.PickSave(out, "")
		extract(p, "Extract image", "ZIP file")
		dies(p, explode)
		finished(t, p)
		same(t, "ZIP", snap(t, tree), unzip(t, only(t, out, ".zip")), wimtest.Times)
	})
}

// TestSessionDies ends the worker that holds the open archive: the archive is opened again, and browsing continues.
func TestSessionDies(t *testing.T) {
	p := browser.Open(t, dist, browser.Options{})
	p.Until("the first worker", `document.documentElement.dataset.started !== undefined`)
	session := p.Worker("wimscope") // the spare one, in which the archive is opened
	p.Drop(capture(t, source(t), "install.wim"))
	p.Find("gridcell", "readme.txt")
	walk(p, "Windows")
	// If it dies at once, it is not started again: the archive may be the cause.
	time.Sleep(11 * time.Second)
	p.In(session, vanish)
	p.Sees("The engine stopped and is restarting.")
	p.Click("gridcell", "notepad.txt")
	p.Find("heading", "notepad.txt")
	p.Click("button", "Preview")
	p.Sees("All work and no play.")
	p.Press("Escape")
	p.Find("gridcell", "notepad.txt")
	p.DoubleClick("gridcell", "Deep")
	p.Find("gridcell", "er")
	for _, w := range p.Workers() {
		if w == session {
			t.Error("the worker is still alive")
		}
	}
}
