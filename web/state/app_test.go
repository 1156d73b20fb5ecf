package state_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wimscope/web/state"
	"wimscope/web/state/statetest"
	"wimscope/web/words"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// page is an App with a fake browser and engine.
type page struct {
	*state.App
	t       *testing.T
	browser *statetest.Browser
	engine  *statetest.Engine
	session *statetest.Session
	shows   atomic.Int32 // number of renderings requested
}

func newPage(t *testing.T) *page {
	t.Helper()
	p := &page{t: t, browser: &statetest.Browser{Can: state.Caps{SavePicker: true, OPFS: true, FolderPicker: true, Names: "windows"}}, session: statetest.NewSession()}
	p.engine = &statetest.Engine{Made: p.session}
	p.App = state.NewApp(p.browser, p.engine, words.English(), func() { p.shows.Add(1) })
	return p
}

// newPageIn returns a page in the given browser.
func newPageIn(t *testing.T, can state.Caps) *page {
	t.Helper()
	p := newPage(t)
	p.browser.Can = can
	p.App = state.NewApp(p.browser, p.engine, words.English(), func() { p.shows.Add(1) })
	return p
}

// until waits until f returns true.
func (p *page) until(what string, f func() bool) {
	p.t.Helper()
	for range 3000 { // 15 s, for a busy machine
		ok := false
		p.Read(func() { ok = f() })
		if ok {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatalf("timed out waiting for: %s", what)
}

// opened opens the archive and waits for the first folder.
func (p *page) opened(hash string) *page {
	p.t.Helper()
	p.Start(hash)
	p.Opener.Open([]state.File{{Name: "install.wim", Size: 4_942_118_733, Value: "f", Handle: "install.wim"}})
	p.until("a folder is shown", func() bool { return p.Archive != nil && p.Archive.Files.Path != nil && !p.Archive.Files.Loading })
	return p
}

func (p *page) names() string {
	var out []string
	p.Read(func() {
		l := &p.Archive.Files.List
		for i := range min(l.View.Total, 20) {
			r, ok := l.Row(i)
			if !ok {
				out = append(out, "?")
				continue
			}
			out = append(out, r.Name)
		}
	})
	return strings.Join(out, " ")
}

// within shows a path and waits for its folder.
func (p *page) within(path string) {
	p.t.Helper()
	p.Archive.Files.Reveal(1, path)
	p.until(path, func() bool { return !p.Archive.Files.Loading && strings.HasPrefix(path, p.Archive.Files.FolderPath()) })
}

const id = "001122334455"

func TestOpen(t *testing.T) {
	p := newPage(t).opened("")
	p.Read(func() {
		if p.Archive.ID != id || p.OnStart() || p.Opener.Opening != "" || p.Opener.Problem != nil {
			t.Errorf("ID %q, OnStart %v, Opening %q, Problem %v", p.Archive.ID, p.OnStart(), p.Opener.Opening, p.Opener.Problem)
		}
	})
	if got, want := p.names(), "many Windows readme.txt Recovery"; got != want {
		t.Errorf("rows: %s, want %s", got, want)
	}
	p.until("it is among the recent ones", func() bool {
		return len(p.Opener.Recents) == 1 && p.Opener.Recents[0].ID == id && len(p.Opener.Recents[0].Handles) == 1
	})
	log := p.browser.Logged()
	if !slices.Contains(log, "hash #/a/"+id+"/files") || !slices.Contains(log, "replace #/a/"+id+"/files?img=1") {
		t.Errorf("address: %q", log)
	}
}

func TestDeepLinkWaitsForTheArchive(t *testing.T) {
	p := newPage(t)
	p.Start("#/a/" + id + "/files?img=2&path=/Windows/System32/notepad.exe")
	p.until("the page asks for the archive", func() bool { return p.Opener.Waiting != nil && p.Opener.Waiting.ID == id })
	p.Opener.Open([]state.File{{Name: "install.wim", Size: 1, Value: "f"}})
	p.until("the file is selected", func() bool {
		if p.Archive == nil {
			return false
		}
		f := &p.Archive.Files
		row, ok := f.List.Row(f.List.Cursor)
		return f.Image == 2 && ok && row.Name == "notepad.exe" && f.Inspector.Has
	})
	p.until("the tree shows where it is", func() bool {
		tr := &p.Archive.Files.Tree
		row, ok := tr.Row(tr.Cursor)
		return ok && row.Name == "System32"
	})
}

func TestRecentThatAsks(t *testing.T) {
	p := newPage(t)
	p.browser.List = []state.Recent{{ID: id, Name: "install.wim", Handles: []any{"h"}, State: state.RecentAsks}}
	p.Start("#/a/" + id + "/verify")
	p.until("the page asks", func() bool { return p.Opener.Waiting != nil && p.Opener.Waiting.Name == "install.wim" })
	p.browser.Denied = true
	p.Opener.OpenRecent(id)
	p.until("the refusal is shown", func() bool { return len(p.Notes) == 1 && p.Archive == nil })
	p.browser.Denied = false
	p.Opener.OpenRecent(id)
	p.until("it is open where the link says", func() bool { return p.Archive != nil && p.Route.Tab == state.TabVerify })
}

func TestMissingFirstPart(t *testing.T) {
	p := newPage(t)
	p.engine.Fail = &protocol.Error{Code: protocol.CodeMissingPart, Name: "install3.swm", Numbers: []int{1, 2}, Total: 3, Message: "part 1 is missing"}
	p.Start("")
	p.Opener.Open([]state.File{{Name: "install3.swm", Size: 3, Value: 3}})
	p.until("the card says what to drop", func() bool {
		return p.Opener.Problem != nil && p.T(p.Opener.Problem.TitleKey(), p.Opener.Problem.Args()...) == "Part 1 of 3 is missing: drop install.swm"
	})
	p.engine.Fail = nil
	p.Opener.Open([]state.File{{Name: "install.swm", Size: 1, Value: 1}, {Name: "install2.swm", Size: 2, Value: 2}})
	p.until("it is open", func() bool { return p.Archive != nil })
	if got := p.engine.Opens[1].Parts; len(got) != 3 || got[0].Name != "install3.swm" {
		t.Errorf("opened with %v: the first part dropped is forgotten", got)
	}
}

func TestMissingLaterPart(t *testing.T) {
	p := newPage(t)
	p.session.Info.Missing, p.session.Info.TotalParts = []int{2}, 2
	p.session.Info.Parts = []protocol.Part{{Name: "set.swm", Number: 1, Size: 10}}
	p.Start("")
	p.Opener.Open([]state.File{{Name: "set.swm", Size: 10, Value: 1}})
	p.until("open", func() bool { return p.Archive != nil })
	p.Read(func() {
		if got := p.Archive.MissingName(2); got != "set2.swm" {
			t.Errorf("MissingName = %q", got)
		}
	})
	p.session.Info.Missing = nil
	p.Opener.Open([]state.File{{Name: "set2.swm", Size: 10, Value: 2}})
	p.until("whole", func() bool { return len(p.Archive.Info.Missing) == 0 })
	if got := len(p.engine.Opens[1].Parts); got != 2 {
		t.Errorf("opened with %d parts, want 2", got)
	}
}

func TestDeltaTakesAReference(t *testing.T) {
	p := newPage(t)
	p.session.Lacking = 5
	p.session.Info.Images = p.session.Info.Images[:1]
	p.session.Info.Images[0].Files = 10
	p.opened("")
	p.until("it is known that contents are elsewhere", func() bool { return p.Archive.Info.Elsewhere.Blobs == 5 })
	p.session.Lacking = 5
	p.Opener.Open([]state.File{{Name: "other.wim", Value: "o", Size: 1}})
	p.until("a note that it does not help", func() bool { return len(p.Notes) == 1 })
	p.session.Lacking = 0
	p.Opener.Open([]state.File{{Name: "base.wim", Value: "b", Size: 2}})
	p.until("nothing is lacking", func() bool {
		return len(p.Archive.Refs) == 2 && p.Archive.Info.Elsewhere == protocol.Elsewhere{Known: true}
	})
	last := p.engine.Opens[len(p.engine.Opens)-1]
	if len(last.Parts) != 1 || len(last.References) != 2 || last.References[1].Name != "base.wim" {
		t.Errorf("opened with %+v", last)
	}
}

func TestKeyboardInTheList(t *testing.T) {
	p := newPage(t).opened("")
	p.within("/many/file000000.dat")
	p.until("1000 rows", func() bool { return p.Archive.Files.List.View.Total == 1000 && p.Archive.Files.List.Cursor == 0 })
	at := func(want int) {
		t.Helper()
		p.until(fmt.Sprint("cursor at ", want), func() bool { return p.Archive.Files.List.Cursor == want })
	}
	p.Scrolled("list", 0, 260)
	for _, x := range []struct {
		key  string
		held state.Keys
		to   int
		sel  int
	}{
		{"ArrowDown", state.Keys{}, 1, 1},
		{"ArrowDown", state.Keys{Shift: true}, 2, 2},
		{"PageDown", state.Keys{}, 11, 1},
		{"ArrowDown", state.Keys{Ctrl: true}, 12, 1},
		{" ", state.Keys{}, 12, 2},
		{"End", state.Keys{Shift: true}, 999, 988},
		{"Home", state.Keys{}, 0, 1},
		{"a", state.Keys{Ctrl: true}, 0, 1000},
		{"ArrowUp", state.Keys{}, 0, 1},
	} {
		if !p.Archive.Files.ListKey(x.key, x.held) {
			t.Fatalf("%s was not used", x.key)
		}
		p.Read(func() {
			l := &p.Archive.Files.List
			if l.Cursor != x.to || l.Sel.Count() != x.sel {
				t.Errorf("%s %+v: cursor %d, selected %d, want %d, %d", x.key, x.held, l.Cursor, l.Sel.Count(), x.to, x.sel)
			}
		})
	}
	for _, c := range "file0005" {
		p.Archive.Files.ListKey(string(c), state.Keys{})
	}
	at(500)
	p.until("the rows around it arrive", func() bool { _, ok := p.Archive.Files.List.Row(500); return ok })
	p.Archive.Files.ListKey("ArrowLeft", state.Keys{})
	p.until("the folder above, with the cursor on where it came from", func() bool {
		f := &p.Archive.Files
		row, ok := f.List.Row(f.List.Cursor)
		return f.FolderPath() == "/" && ok && row.Name == "many"
	})
	if p.Archive.Files.ListKey("x", state.Keys{Ctrl: true}) || p.Archive.Files.ListKey("?", state.Keys{}) {
		t.Error("a key without a meaning was used")
	}
}

func TestSortAndFilter(t *testing.T) {
	p := newPage(t).opened("")
	p.within("/Windows/System32/notepad.exe")
	p.until("selected", func() bool { return p.Archive.Files.Inspector.Has })
	p.Archive.Files.List.SortBy("size")
	p.until("by size, largest first, the cursor where it was", func() bool {
		l := &p.Archive.Files.List
		row, ok := l.Row(l.Cursor)
		return ok && row.Name == "notepad.exe" && l.Cursor == 1 && l.Desc
	})
	p.Archive.Files.List.SortBy("size")
	p.until("smallest first", func() bool { l := &p.Archive.Files.List; return !l.Desc && l.Cursor == 3 })
	p.Archive.Files.List.SetFilter("ini")
	p.until("filtered", func() bool { l := &p.Archive.Files.List; return l.View.Total == 1 && l.All == 4 })
	if got := p.names(); got != "desktop.ini" {
		t.Errorf("rows: %s", got)
	}
}

func TestTree(t *testing.T) {
	p := newPage(t).opened("")
	p.until("two folders", func() bool { return p.Archive.Files.Tree.View.Total == 2 })
	p.Archive.Files.TreeKey("w", state.Keys{})
	p.Archive.Files.TreeKey("ArrowRight", state.Keys{})
	p.until("Windows is open", func() bool { return p.Archive.Files.Tree.View.Total == 4 })
	p.Archive.Files.TreeKey("ArrowRight", state.Keys{})
	p.Archive.Files.TreeKey("Enter", state.Keys{})
	p.until("its first folder is shown", func() bool { return p.Archive.Files.FolderPath() == "/Windows/System32" })
	p.until("the tree stays", func() bool { return p.Archive.Files.Tree.View.Total == 4 })
	p.Archive.Files.TreeKey("ArrowLeft", state.Keys{})
	p.Archive.Files.TreeKey("ArrowLeft", state.Keys{})
	p.until("Windows is closed", func() bool { return p.Archive.Files.Tree.View.Total == 2 })
}

func TestBackAndForward(t *testing.T) {
	p := newPage(t).opened("")
	p.within("/Windows/System32")
	p.Go(state.TabVerify)
	p.Navigate("#/a/" + id + "/files?img=1&path=/Windows")
	p.until("back in Windows", func() bool { return p.Route.Tab == state.TabFiles && p.Archive.Files.FolderPath() == "/Windows" })
	p.Navigate("#/a/" + id + "/files?img=1")
	p.until("back at the root", func() bool { return p.Archive.Files.FolderPath() == "/" && !p.Archive.Files.Loading })
	p.Navigate("#/")
	p.Read(func() {
		if !p.OnStart() || p.Archive == nil {
			t.Error("the start screen is not shown, or the archive was closed")
		}
	})
}

func TestSearch(t *testing.T) {
	p := newPage(t).opened("")
	p.SetQuery("note")
	p.until("hits", func() bool { s := &p.Archive.Search; return !s.Running && s.Hits == 2 && len(s.Rows()) == 3 })
	if got := p.Route.String(); got != "#/a/"+id+"/search?q=note" {
		t.Errorf("address %s", got)
	}
	p.Archive.Search.Key("ArrowDown")
	p.Archive.Search.Key("ArrowDown")
	p.Archive.Search.Key("ArrowDown")
	p.Archive.Search.Key("Enter")
	p.until("the second hit is shown", func() bool {
		f := &p.Archive.Files
		row, ok := f.List.Row(f.List.Cursor)
		return p.Route.Tab == state.TabFiles && f.Image == 2 && ok && row.Name == "notepad.exe"
	})
	p.SetQuery(">veri")
	p.Read(func() {
		if c := p.Palette.Commands(); len(c) != 2 || c[0].Key != "command.verify" {
			t.Errorf("commands: %+v", c)
		}
	})
	p.Palette.Key("Enter")
	p.until("Verify", func() bool { return p.Route.Tab == state.TabVerify && !p.Palette.Open })
	p.SetQuery("x")
	p.LeaveSearch()
	if p.Route.Tab != state.TabVerify {
		t.Errorf("left search to %s, want where it was started", p.Route.Tab)
	}
}

func TestEnterOpensNoHitOfTheQueryBefore(t *testing.T) {
	p := newPage(t).opened("")
	p.SetQuery("note")
	p.until("hits", func() bool { s := &p.Archive.Search; return !s.Running && s.Hits == 2 })
	p.SetQuery("readme")
	p.Archive.Search.Key("Enter")
	p.until("the new query's hits", func() bool {
		s := &p.Archive.Search
		return p.Route.Tab == state.TabSearch && !s.Running && len(s.Groups) == 1 && s.Groups[0].Name == "readme.txt"
	})
	p.Archive.Search.Key("Enter")
	p.until("its hit is shown", func() bool {
		f := &p.Archive.Files
		row, ok := f.List.Row(f.List.Cursor)
		return p.Route.Tab == state.TabFiles && ok && row.Name == "readme.txt"
	})
}

func TestPreview(t *testing.T) {
	p := newPage(t)
	p.session.Texts["/readme.txt"] = "<a><b>x</b></a>\n" + strings.Repeat("y", 5000)
	p.opened("")
	p.within("/readme.txt")
	p.until("selected", func() bool { return p.Archive.Files.Inspector.Has })
	p.Archive.Files.OpenPreview("", "")
	v := func() *state.Preview { return &p.Archive.Files.Preview }
	p.until("set out as XML", func() bool { return v().Mode == state.ModeXML && v().Lines[1] == "  <b>x</b>" })
	p.Archive.Files.Preview.SetMode(state.ModeText)
	p.Read(func() {
		if n := len(v().Lines); n != 2 || !strings.HasSuffix(v().Lines[1], "…") {
			t.Errorf("%d lines, the last %.20q", n, v().Lines[n-1])
		}
	})
	p.Archive.Files.Preview.SetMode(state.ModeHex)
	p.until("bytes", func() bool { return len(v().Hex.Bytes(0)) == 16 && len(v().Hex.Bytes(313)) == 8 })
	p.Archive.Files.Preview.Hex.SetGoto("0x1000")
	p.Archive.Files.Preview.Hex.GoTo()
	p.Read(func() {
		if v().Hex.Caret != 0x1000 || v().Hex.BadOff {
			t.Errorf("caret at %#x", v().Hex.Caret)
		}
	})
	p.Archive.Files.Preview.Hex.SetGoto("0xZZ")
	p.Read(func() {
		if !v().Hex.BadOff {
			t.Error("0xZZ is an offset")
		}
	})
	p.Archive.Files.Preview.Hex.Key("End", state.Keys{Ctrl: true})
	p.Read(func() {
		if v().Hex.Caret != v().Size-1 {
			t.Errorf("caret at %d of %d", v().Hex.Caret, v().Size)
		}
	})
	p.Archive.Files.Preview.Close()
	p.Read(func() {
		if v().Open {
			t.Error("still open")
		}
	})
}

func TestAProblemNamesTheRightFile(t *testing.T) {
	for code, want := range map[protocol.Code]string{protocol.CodeChanged: "install.wim has changed or is gone", protocol.CodeMissingBlob: "The data of readme.txt is in another archive"} {
		p := newPage(t).opened("")
		p.browser.Found = func(any) (state.File, error) { return state.File{}, errors.New("not allowed") }
		p.within("/readme.txt")
		p.until("selected", func() bool { return p.Archive.Files.Inspector.Has })
		p.session.ReadFails = &protocol.Error{Code: code, Message: "m"}
		p.Archive.Files.OpenPreview("", "")
		p.until("a problem", func() bool { return p.Archive.Files.Preview.Problem != nil })
		p.Read(func() {
			pr := p.Archive.Files.Preview.Problem
			if got := p.T(pr.TitleKey(), pr.Args()...); got != want {
				t.Errorf("%s: %q, want %q", code, got, want)
			}
		})
	}
}

func TestExtractToAPickedFile(t *testing.T) {
	p := newPage(t).opened("")
	p.within("/Windows/System32")
	p.Archive.Files.ListKey("a", state.Keys{Ctrl: true})
	p.Archive.Extract.Selection()
	p.until("planned", func() bool { return p.Archive.Extract.Dialog != nil && p.Archive.Extract.Dialog.Plan != nil })
	p.Archive.Extract.SetFormat(protocol.Folder)
	p.until("planned for a folder", func() bool { return p.Archive.Extract.Dialog.Plan != nil && p.Archive.Extract.Dialog.Plan.Refused == 1 })
	if q := p.session.Plans()[1]; q.Platform != "windows" || p.session.Plans()[0].Platform != "" {
		t.Errorf("asked with platform %q, and for a ZIP with %q", q.Platform, p.session.Plans()[0].Platform)
	}
	p.until("the first plan is dropped", func() bool { return slices.Contains(p.session.Dropped(), 1) })
	p.Archive.Extract.SetFormat(protocol.ZIP)
	p.until("planned again", func() bool { return p.Archive.Extract.Dialog.Plan != nil && p.Archive.Extract.Dialog.Plan.Plan == 3 })

	p.Archive.Extract.Start() // the picker is dismissed
	time.Sleep(20 * time.Millisecond)
	p.Read(func() {
		if p.Archive.Extract.Dialog == nil || len(p.Jobs.List) != 0 {
			t.Error("a dismissed picker closed the dialog")
		}
	})
	p.browser.Save = "handle"
	p.Archive.Extract.Start()
	p.until("a job", func() bool { return len(p.Jobs.List) == 1 && p.Archive.Extract.Dialog == nil && p.browser.IsBusy })
	j := p.engine.LastJob()
	if j.Spec.Out.Target != protocol.ToHandle || j.Spec.Out.Handle != "handle" || j.Spec.Plan.Plan != 3 || j.Spec.Request.Format != protocol.ZIP {
		t.Errorf("job %+v to %+v", j.Spec.Request, j.Spec.Out)
	}
	j.Spec.OnFigures(pool.Figures{Phase: pool.Decoding, Bytes: 420, OfBytes: 1000, Left: -1})
	p.until("the progress is in the title", func() bool { return strings.HasPrefix(p.browser.Title, "(42 %) install.wim") })
	if p.Announcement != "Extracting System32 to System32.zip: 42%" {
		t.Errorf("announced %q", p.Announcement)
	}
	p.Jobs.Pause(p.Jobs.List[0].ID)
	if !j.Paused {
		t.Error("not paused")
	}
	p.Jobs.Pause(p.Jobs.List[0].ID)
	j.End(pool.Result{Report: protocol.Report{Written: 3, ProblemsN: 1, Problems: []protocol.Problem{{Path: "/x", Reason: "stream"}}}}, nil)
	p.until("its report is shown", func() bool { return p.Jobs.Report == p.Jobs.List[0] && !p.browser.IsBusy })
	for _, l := range p.browser.Logged() {
		if strings.HasPrefix(l, "download") {
			t.Errorf("a file that was written in place was downloaded too: %s", l)
		}
	}
}

func TestExtractWithoutPicker(t *testing.T) {
	p := newPageIn(t, state.Caps{OPFS: true, Room: 1 << 40}).opened("")
	p.within("/Windows/System32/notepad.exe")
	p.until("selected", func() bool { return p.Archive.Files.Inspector.Has })
	p.Archive.Extract.SaveFile("")
	p.until("a job", func() bool { return len(p.Jobs.List) == 1 })
	j := p.engine.LastJob()
	if q := j.Spec.Request; q.Format != protocol.Raw || len(q.Nodes) != 1 || j.Spec.Out.Target != protocol.ToOPFS || j.Spec.Out.Name != "notepad.exe" {
		t.Errorf("request %+v to %+v", q, j.Spec.Out)
	}
	j.End(pool.Result{File: "the file"}, nil)
	p.until("downloaded", func() bool { return slices.Contains(p.browser.Logged(), "download notepad.exe") })
}

func TestCancelledJob(t *testing.T) {
	p := newPage(t).opened("")
	p.Archive.Verify.Start()
	p.until("a job", func() bool { return len(p.Jobs.List) == 1 })
	p.Jobs.Cancel(p.Jobs.List[0].ID)
	p.until("cancelled", func() bool {
		return p.Jobs.List[0].Ended && p.Jobs.List[0].Cancelled() && p.Archive.Verify.Report == nil
	})
}

func TestOldArchiveStaysUntilItsJobsEnd(t *testing.T) {
	p := newPage(t).opened("")
	p.Archive.Verify.Start()
	p.until("a job", func() bool { return len(p.Jobs.List) == 1 })
	first := p.session
	p.engine.Made = statetest.NewSession()
	p.engine.Made.Info.GUID = "ffffffffffffffff"
	p.Opener.Open([]state.File{{Name: "other.wim", Size: 2, Value: "o"}})
	p.until("another archive", func() bool { return p.Archive.ID == "ffffffffffff" })
	if first.Closed {
		t.Fatal("the archive was closed under its job")
	}
	p.engine.LastJob().End(pool.Result{}, nil)
	p.until("closed", func() bool { return first.Closed })
}

func TestVerifyMap(t *testing.T) {
	p := newPage(t)
	p.session.Info.Size = 12000
	p.session.Info.Parts = []protocol.Part{{Name: "a.swm", Number: 1, Size: 8000}, {Name: "a2.swm", Number: 2, Size: 4000}}
	p.opened("")
	p.Archive.Verify.Start()
	p.until("a job", func() bool { return len(p.Jobs.List) == 1 })
	j := p.engine.LastJob()
	j.Spec.OnBlocks([]protocol.BlockMark{
		{Part: 0, Off: 0, Len: 100},
		{Part: 1, Off: 0, Len: 1000, Bad: true}, // a block of the integrity table, squares 800 to 899
		{Part: 1, Off: 0, Len: 1000},
		{Part: 1, Off: 500, Len: 10, Bad: true},
		{Part: 1, Off: 3999, Len: 100}, {Part: -3, Off: -1, Len: 5}, {Part: 0, Off: 1 << 62, Len: 1 << 62}, // not of this archive
	})
	count := func(kind byte) (n int) {
		p.Read(func() { n = p.Archive.Verify.Count(kind) })
		return n
	}
	if g, b := count(state.CellGood), count(state.CellBad); g != 10 || b != 100 {
		t.Errorf("%d good, %d bad, want 10, 100", g, b)
	}
	j.End(pool.Result{Report: protocol.Report{DamagedN: 1, BadRanges: []protocol.Damage{
		{Kind: "block", Part: 1, Off: 0, Len: 1000}, {Kind: "blob", Part: 1, Off: 500, Len: 10},
	}}}, nil)
	p.until("a report", func() bool { return p.Archive.Verify.Report != nil })
	if g, b := count(state.CellGood), count(state.CellBad); g != 109 || b != 1 {
		t.Errorf("at the end %d good, %d bad, want 109, 1: only the blob in the block", g, b)
	}
}

func TestCompareSums(t *testing.T) {
	sum := strings.Repeat("0123456789abcdef", 4)
	v := &state.Verify{Sums: []protocol.Pair{{Name: "install.wim", Value: sum}}}
	for pasted, want := range map[string]state.Comparison{
		"":                         state.CompareNothing,
		"  ":                       state.CompareNothing,
		"nonsense":                 state.CompareNoSum,
		sum[:63]:                   state.CompareNoSum,
		strings.ToUpper(sum):       state.CompareEqual,
		sum + "  install.wim":      state.CompareEqual,
		"SHA256 (x) = " + sum:      state.CompareEqual,
		strings.Repeat("0", 64):    state.CompareDiffers,
		sum[:32] + "\n" + sum[32:]: state.CompareEqual,
	} {
		v.Pasted = pasted
		if got, _ := v.Compare(); got != want {
			t.Errorf("%q: %d, want %d", pasted, got, want)
		}
	}
}

func TestGlobalKeys(t *testing.T) {
	p := newPage(t).opened("")
	if !p.Key("?", state.Keys{Shift: true}, false) || !p.Shortcuts {
		t.Error("? does not show the shortcuts")
	}
	if p.Key("o", state.Keys{Ctrl: true}, false) {
		t.Error("a key was used while a dialog was open")
	}
	p.ShowShortcuts(false)
	if p.Key("?", state.Keys{}, true) {
		t.Error("? in a text field was used")
	}
	if !p.Key("3", state.Keys{Alt: true}, false) || p.Route.Tab != state.TabVerify {
		t.Error("Alt+3 does not lead to Verify")
	}
	p.Key("1", state.Keys{Alt: true}, false)
	for key, box := range map[string]string{"k": "search", "f": "filter"} {
		shows := p.shows.Load()
		if !p.Key(key, state.Keys{Ctrl: true}, false) || !slices.Contains(p.browser.Logged(), "focus "+box) || p.shows.Load() == shows {
			t.Errorf("Ctrl+%s does not lead to the %s box, or only when something else is shown", key, box)
		}
	}
}

func TestPanesKeepTheirSizes(t *testing.T) {
	p := newPage(t)
	p.Look.SizePane(true, 9999, true)
	p.Look.SizePane(false, 10, true)
	again := state.NewApp(p.browser, p.engine, words.English(), func() {})
	if again.Look.Sizes.Tree != state.MaxTree || again.Look.Sizes.Inspector != state.MinInspector {
		t.Errorf("sizes %+v", again.Look.Sizes)
	}
	p.browser.Values["tree"] = "-5"
	if s := state.NewApp(p.browser, p.engine, words.English(), func() {}).Look.Sizes.Tree; s < state.MinTree {
		t.Errorf("a stored size of -5 gives %d", s)
	}
}

func TestTheme(t *testing.T) {
	p := newPage(t)
	for _, x := range []struct {
		dark bool
		want [3]string
	}{{false, [3]string{"dark", "", "dark"}}, {true, [3]string{"light", "", "light"}}} {
		p.Look.SystemDark(x.dark)
		for i, want := range x.want {
			p.Look.ToggleTheme()
			if p.Look.Theme != want {
				t.Errorf("system dark %v, press %d: %q, want %q", x.dark, i+1, p.Look.Theme, want)
			}
		}
	}
	if p.browser.Values["theme"] != "light" {
		t.Error("the theme is not remembered")
	}
}
