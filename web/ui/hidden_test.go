package ui

import (
	"fmt"
	"strings"
	"testing"

	"wimscope/web/state"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
	"wimscope/worker/visible"
)

// TestHiddenCharacters goes through all screens of an archive whose names all have hidden characters. They are made
// visible: none reaches the page, in text or in a label.
func TestHiddenCharacters(t *testing.T) {
	n := 0
	bad := func(what string) string { // all names differ, so that each is looked for
		n++
		return fmt.Sprintf("%s%d\u202egpj\u200b.exe", what, n)
	}
	shown := func(name string) string {
		return strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(visible.Text(name))
	}
	s := show(t)
	info := &s.session.Info
	info.Name, info.Parts[0].Name = bad("archive"), bad("part")
	info.References, info.Warnings, info.Flags = []string{bad("reference")}, []string{bad("warning")}, []string{bad("flag")}
	info.Fields[0].Value = bad("field")
	im := &info.Images[1]
	im.Name, im.DisplayName, im.Description, im.Edition, im.Flags, im.SystemRoot = bad("name"), bad("display"), bad("description"), bad("edition"), bad("flags"), bad("root")
	folder, file, link, stream := bad("folder"), bad("file"), bad("link"), bad("target")
	s.session.Put("/", folder, protocol.Row{Dir: true})
	s.session.Put("/"+folder, file, protocol.Row{Size: 1, Links: 2})
	s.session.Put("/"+folder, link, protocol.Row{Attrs: 0x410, Link: stream, Reparse: 0xa000000c})

	clean := func(where, html string, want ...string) {
		t.Helper()
		if i := strings.IndexFunc(html, func(r rune) bool { return r != '\n' && r != '\t' && visible.Hidden(r) }); i >= 0 {
			t.Errorf("%s: a hidden character is on the page: %q", where, html[max(i-80, 0):min(i+20, len(html))])
		}
		for _, w := range want {
			if !strings.Contains(html, shown(w)) {
				t.Errorf("%s: the page lacks %s", where, shown(w))
			}
		}
	}

	given := bad("given")
	s.engine.Fail = &protocol.Error{Code: protocol.CodeNotWIM, Guess: "zip", Message: bad("message")}
	s.Opener.Open([]state.File{{Name: given, Size: 1, Value: "f"}})
	clean("problem", s.has(`role="alert"`), given)
	s.engine.Fail = nil
	s.Opener.Open([]state.File{{Name: given, Size: 1, Value: "f"}})
	s.has(`role="grid"`, ">readme.txt<")
	clean("files", s.html(), info.Name, folder, im.DisplayName)
	if title := s.browser.Title; strings.ContainsRune(title, 0x202e) || !strings.Contains(title, "<U+202E>") {
		t.Errorf("the title is %q", title)
	}
	s.Archive.Files.Reveal(2, "/"+folder+"/"+file)
	clean("inspector", s.has(">Save file<", "Copy Path"), folder, file, link, stream, "/"+folder+"/"+file)
	s.Copy("/" + folder + "/" + file)
	s.has("Copied")
	if s.browser.Clip != "/"+folder+"/"+file {
		t.Errorf("copied %q", s.browser.Clip)
	}
	s.Archive.Files.OpenPreview("", state.ModeHex)
	clean("preview", s.has(`id="hex"`), file)
	s.Archive.Files.Preview.Close()
	s.Archive.Files.List.SetFilter(bad("filter"))
	clean("filter", s.has("No name here matches"))
	s.Archive.Files.List.SetFilter("")
	s.SetQuery("folder")
	clean("search", s.has("hits in 1 group"), folder)
	s.LeaveSearch()
	s.Go(state.TabImages)
	clean("images", s.has("10.0.26100.2033"), im.Name, im.DisplayName, im.Description, im.Edition, im.Flags, im.SystemRoot)
	s.Go(state.TabDetails)
	clean("details", s.has("TOTALBYTES"), info.Parts[0].Name, info.References[0], info.Warnings[0], info.Flags[0], info.Fields[0].Value)
	s.Go(state.TabVerify)
	s.Archive.Verify.Start()
	clean("verifying", s.has("Verifying, 0%"), info.Name)
	damaged, missing, warning, what := bad("damaged"), bad("missing"), bad("warning"), bad("what")
	s.engine.LastJob().End(pool.Result{Report: protocol.Report{Op: protocol.Verify, DamagedN: 1, Blobs: 2, Integrity: "bad", Text: "t", JSON: "{}", Warnings: []string{warning},
		BadRanges: []protocol.Damage{{Kind: "blob", Off: 4096, Len: 100, Count: 1, Error: what, Paths: []protocol.Hit{{Image: 1, Path: "/" + damaged}}}},
		Missing:   []protocol.Damage{{Kind: "blob", Count: 1, Paths: []protocol.Hit{{Image: 1, Path: "/" + missing}}}}, MissingN: 1,
		Unused: []protocol.Region{{Len: 1}}, RefCounts: 1, WrongRefs: []protocol.Pair{{Name: bad("lie"), Value: bad("value")}}}}, nil)
	clean("verified", s.has("does not match"), damaged, missing, warning, what)
	s.Archive.Extract.Image(2)
	s.session.OnPlan(func(protocol.PlanRequest) (protocol.PlanReply, error) {
		p := []protocol.Problem{{Path: "/" + damaged, Reason: "name-extension", Detail: what}}
		return protocol.PlanReply{Plan: 9, Files: 3, OutSize: 1, Name: given, Refused: 1, Refusals: p, Skipped: p, SkippedN: 1}, nil
	})
	s.Archive.Extract.SetFormat(protocol.TAR)
	s.has("3 files")
	s.Archive.Extract.ToggleRefused()
	clean("extract", s.has("browsers refuse this file type"), im.DisplayName, damaged, what)
	s.Archive.Extract.Start()
	clean("extracting", s.has("Extracting"), im.DisplayName, given)
	s.engine.LastJob().End(pool.Result{Report: protocol.Report{Op: protocol.Extract, ProblemsN: 1, Problems: []protocol.Problem{{Path: "/" + missing, Reason: "new", Detail: what}}}}, nil)
	clean("report", s.has(`id="report"`), missing, what)
	s.Jobs.CloseReport()
	s.engine.Sorts = &protocol.SortReply{Archives: []protocol.Dropped{{Files: []int{0}, Images: 1}, {Files: []int{1}, Images: 1}}}
	other := bad("other")
	s.Opener.OpenInstead([]state.File{{Name: given, Size: 1, Value: "f"}, {Name: other, Size: 2, Value: "g"}})
	clean("choice", s.has(`id="choose"`), given, other)
	s.Opener.CloseChoice()
	s.Close()
	clean("closed", s.has("Drop a .wim"))
}
