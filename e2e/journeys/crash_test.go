package journeys

import (
	"testing"
	"time"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// How a worker dies: without a word, as when the browser takes it away, or of an exception.
const (
	vanish  = `self.close()`
	explode = `setTimeout(() => { throw new Error("out of memory") })`
)

// dies ends one of the workers that have a job's shards. The job is held meanwhile, so that it is not over before. The
// pause may find a worker between two shards: then nothing is to be done again, and another one is ended.
func dies(p *browser.Page, how string) {
	const again = "repeated after a worker crashed"
	p.Until("the job to be under way", `/[1-9]\d* of \d+ blobs/.test(document.querySelector(".tray").innerText)`)
	for try := 0; try < 10 && !p.Shows(again); try++ {
		p.Click("button", "Pause")
		time.Sleep(time.Second) // each of them has started by now
		p.In(p.Worker("shards"), how)
		time.Sleep(time.Second) // and its end has been noticed
		p.Click("button", "Resume")
	}
	p.Sees(again)
}

// TestWorkerDies ends a worker in the middle of a job: the job notices, says so, and ends with the right result.
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
		p := open(t, wim) // a new page: in an old one, a worker that is named for shards may have the output now
		out := outFolder(t, p, "out")
		p.PickSave(out, "")
		extract(p, "Extract image", "ZIP file")
		dies(p, explode)
		finished(t, p)
		same(t, "ZIP", snap(t, tree), unzip(t, only(t, out, ".zip")), wimtest.Times)
	})
}

// TestSessionDies takes away the worker that holds the open archive: it is opened again, and browsing goes on.
func TestSessionDies(t *testing.T) {
	p := browser.Open(t, dist, browser.Options{})
	p.Until("the first worker", `document.documentElement.dataset.started !== undefined`)
	session := p.Worker("wimscope") // the spare one, which the archive is opened in
	p.Drop(capture(t, source(t), "install.wim"))
	p.Find("gridcell", "readme.txt")
	walk(p, "Windows")
	// One that dies at once is not started again: what is open may be what kills it.
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
			t.Error("the worker that was to die lives")
		}
	}
}
