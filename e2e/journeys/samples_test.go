package journeys

import (
	"testing"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// messages are the page's messages for samples that cannot be opened.
var messages = map[wimtest.Outcome]string{
	wimtest.NotWIM:     "is not a Windows image",
	wimtest.OldVersion: "is in an older WIM format",
	wimtest.Encrypted:  "is encrypted",
	wimtest.Truncated:  "is incomplete",
	wimtest.Malformed:  "is damaged",
}

// TestSamples opens every hand-made archive, also the hostile ones, in one page, which must survive: it lists what
// can be listed and reports what is wrong with the others.
func TestSamples(t *testing.T) {
	p := browser.Open(t, dist, browser.Options{})
	for _, s := range wimtest.Samples() {
		ok := t.Run(s.Name, func(t *testing.T) {
			parts, refs := sample(t, s.Name)
			p.For(t)
			p.Drop(parts...)
			want := messages[s.Outcome]
			if s.Name == "version-unknown" {
				want = "uses an unsupported feature"
			}
			switch {
			case s.Name == "split-wrong-set": // the part of another set is recognised
				p.Sees("Part 2 of 2 is missing")
				p.Sees("1 file was ignored")
				p.Click("button", "Dismiss")
			case want != "":
				p.Find("alert", s.Name+"… "+want+"…") // not the previous message
				p.Click("button", "Dismiss")
				return
			}
			p.Find("button", "Close this archive")
			p.Find("grid", "Contents of …")
			if len(refs) > 0 {
				p.Drop(refs...)
			}
			p.Until("the folder to be read", `document.querySelector('[role=grid]').getAttribute('aria-busy') !== "true"`)
			p.Click("button", "Close this archive")
			p.Find("button", "Try the sample")
		})
		p.For(t)
		if !ok {
			p.Go("/")
		}
	}
}
