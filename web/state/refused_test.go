package state_test

import (
	"slices"
	"strings"
	"testing"

	"wimscope/web/state"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// planned makes every plan predict an output of size bytes.
func (p *page) planned(size int64) *page {
	p.session.OnPlan(func(q protocol.PlanRequest) (protocol.PlanReply, error) {
		return protocol.PlanReply{Plan: 1, Files: 1, OutSize: size, Name: "image." + string(q.Format)}, nil
	})
	return p
}

// extracting opens the dialog for the first image and starts the extraction.
func (p *page) extracting() {
	p.t.Helper()
	p.Archive.Extract.Image(1)
	p.until("a plan", func() bool { return p.Archive.Extract.Dialog != nil && p.Archive.Extract.Dialog.Plan != nil })
	p.Archive.Extract.Start()
}

// TestRoom checks that the page compares the size of an output with the free space of the browser's store before it reads
// anything: without space a small output is assembled in memory, a large one is refused with both sizes and advice.
func TestRoom(t *testing.T) {
	p := newPageIn(t, state.Caps{OPFS: true, Room: 10_000_000_000}).planned(11_000_000_000).opened("")
	p.extracting()
	p.until("a refusal", func() bool { return p.Archive.Extract.Dialog != nil && p.Archive.Extract.Dialog.Problem != nil })
	if len(p.Jobs.List) != 0 || !slices.Contains(p.browser.Logged(), "room for 11000000000") {
		t.Errorf("%d jobs; the browser was asked %q", len(p.Jobs.List), p.browser.Logged())
	}
	pr := p.Archive.Extract.Dialog.Problem
	text := p.T(pr.TitleKey(), pr.Args()...) + " " + p.T(pr.CauseKey(), pr.Args()...) + " " + p.T(pr.TodoKey(), pr.Args()...)
	for _, want := range []string{"Not enough space for image.zip", "It needs 11.0 GB", "has 10.0 GB free there", "Extract less at a time", "Chrome or Edge"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}

	for _, x := range []struct {
		name   string
		can    state.Caps
		size   int64
		target protocol.Target
	}{
		{"enough room", state.Caps{OPFS: true, Room: 11_000_000_000}, 11_000_000_000, protocol.ToOPFS},
		{"unknown room", state.Caps{OPFS: true, Room: -1}, 11_000_000_000, protocol.ToOPFS},
		{"a small one without room", state.Caps{OPFS: true, Room: 1000}, 2000, protocol.ToMemory},
		{"no store", state.Caps{}, 2000, protocol.ToMemory},
	} {
		p := newPageIn(t, x.can).planned(x.size).opened("")
		p.extracting()
		p.until(x.name, func() bool { return len(p.Jobs.List) == 1 })
		if got := p.engine.LastJob().Spec.Out.Target; got != x.target {
			t.Errorf("%s: to %s, want %s", x.name, got, x.target)
		}
	}
}

// TestPickerRefused checks that when the browser has a picker but refuses it, the page tries the next way and does not try
// the picker again.
func TestPickerRefused(t *testing.T) {
	p := newPageIn(t, state.Caps{SavePicker: true, OPFS: true, Room: 1 << 40}).planned(2000).opened("")
	p.browser.SaveFails = &protocol.Error{Code: protocol.CodePermission, Message: "SecurityError"}
	p.extracting()
	p.until("a job", func() bool { return len(p.Jobs.List) == 1 })
	if got := p.engine.LastJob().Spec.Out.Target; got != protocol.ToOPFS {
		t.Errorf("to %s", got)
	}
	if p.Caps.SavePicker {
		t.Error("the page still offers to save in place")
	}
	p.engine.LastJob().End(pool.Result{File: "file"}, nil)
	p.until("handed over", func() bool { return slices.Contains(p.browser.Logged(), "download image.zip") })
	p.Read(func() {
		if p.Jobs.List[0].Result.File != nil {
			t.Error("the page still holds a file that was downloaded")
		}
	})
}

// TestTried checks that the page relies on trials, not on which interfaces the browser has.
func TestTried(t *testing.T) {
	p := newPage(t)
	p.browser.Can = state.Caps{Settings: true, Room: 5}
	p.Start("")
	p.until("what was tried", func() bool { return p.Caps.Settings && p.Caps.Room == 5 && !p.Caps.SavePicker })
}

// TestFullStore checks that a full store of the browser is not reported as a full disk.
func TestFullStore(t *testing.T) {
	p := newPageIn(t, state.Caps{OPFS: true, Room: 1 << 40}).planned(2000).opened("")
	p.extracting()
	p.until("a job", func() bool { return len(p.Jobs.List) == 1 })
	p.engine.LastJob().End(pool.Result{}, &protocol.Error{Code: protocol.CodeNoSpace, Name: "image.zip", Record: protocol.InStore, Message: "QuotaExceededError"})
	p.until("the end", func() bool { return p.Jobs.List[0].Problem != nil })
	p.Read(func() {
		pr := p.Jobs.List[0].Problem
		text := p.T(pr.TitleKey(), pr.Args()...) + ". " + p.T(pr.CauseKey(), pr.Args()...) + " " + p.T(pr.TodoKey(), pr.Args()...)
		for _, want := range []string{"Not enough space for image.zip", "its own storage", "that storage is full", "Extract less at a time"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q lacks %q", text, want)
			}
		}
	})
}
