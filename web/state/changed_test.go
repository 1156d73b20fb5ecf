package state_test

import (
	"testing"

	"wimscope/web/state"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// TestWhatBecameOfAFile checks that the page reports what happened to a file that changed while open, by the worker's error
// or by a look at its handle. It names the archive, in a preview as well as in a job that writes another file.
func TestWhatBecameOfAFile(t *testing.T) {
	const size = 4_942_118_733 // as opened
	found := func(size, modified int64) func(any) (state.File, error) {
		return func(any) (state.File, error) { return state.File{Size: size, Modified: modified}, nil }
	}
	gone := func(any) (state.File, error) {
		return state.File{}, &protocol.Error{Code: protocol.CodeChanged, Message: "NotFoundError"}
	}
	for _, x := range []struct {
		name, told string // told is the record of the worker's error
		found      func(any) (state.File, error)
		want       string
	}{
		{"the worker knows", protocol.FileGone, found(size, 1), "install.wim is gone"},
		{"removed", "", gone, "install.wim is gone"},
		{"cut", "", found(size-1, 1), "install.wim was truncated"},
		{"longer", "", found(size+1, 1), "install.wim was replaced"},
		{"of the same size", "", found(size, 1), "install.wim was replaced"},
		{"cut, and by now as long again", protocol.FileCut, found(size, 1), "install.wim was replaced"},
		{"as it was", "", found(size, 0), "install.wim has changed or is gone"},
	} {
		p := newPage(t).planned(1000).opened("")
		p.browser.Found, p.browser.Save = x.found, "image.zip"
		failure := &protocol.Error{Code: protocol.CodeChanged, Record: x.told, Message: "AbortError"}
		p.within("/readme.txt")
		p.until("selected", func() bool { return p.Archive.Files.Inspector.Has })
		p.session.ReadFails = failure
		p.Archive.Files.OpenPreview("", "")
		p.until("a problem", func() bool { return p.Archive.Files.Preview.Problem != nil })
		title := func(pr *state.Problem) string { return p.T(pr.TitleKey(), pr.Args()...) }
		p.until(x.name+" in a preview", func() bool { return title(p.Archive.Files.Preview.Problem) == x.want })
		p.extracting()
		p.until("a job", func() bool { return len(p.Jobs.List) == 1 })
		p.engine.LastJob().End(pool.Result{}, failure)
		p.until("the end of the job", func() bool { return p.Jobs.List[0].Problem != nil })
		p.until(x.name+" in a job", func() bool { return title(p.Jobs.List[0].Problem) == x.want })
		p.Read(func() {
			pr := p.Jobs.List[0].Problem
			for _, key := range []string{pr.TitleKey(), pr.CauseKey(), pr.TodoKey()} {
				if !p.Words().Has(key) {
					t.Errorf("%s: no words for %s", x.name, key)
				}
			}
		})
	}
}

// TestJobProblemNames checks that a problem with the output names the output, and a problem with the archive the archive.
func TestJobProblemNames(t *testing.T) {
	for code, want := range map[protocol.Code]string{
		protocol.CodeNoSpace: "Not enough space for image.zip", protocol.CodeBlocked: "The browser did not save image.zip",
		protocol.CodeFormat: "install.wim is damaged", protocol.CodePermission: "The browser denied access to image.zip",
	} {
		p := newPage(t).planned(1000).opened("")
		p.browser.Save = "image.zip"
		p.extracting()
		p.until("a job", func() bool { return len(p.Jobs.List) == 1 })
		p.engine.LastJob().End(pool.Result{}, &protocol.Error{Code: code, Message: "m"})
		p.until("the end", func() bool { return p.Jobs.List[0].Problem != nil })
		p.Read(func() {
			if got := p.T(p.Jobs.List[0].Problem.TitleKey(), p.Jobs.List[0].Problem.Args()...); got != want {
				t.Errorf("%s: %q, want %q", code, got, want)
			}
		})
	}
}
