package state_test

import (
	"slices"
	"testing"

	"wimscope/web/state"
	"wimscope/worker/protocol"
)

// TestLateEvents checks that events have no effect that elements of a closed or replaced archive raise before the next
// rendering.
func TestLateEvents(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		p := newPage(t).opened("")
		p.within("/Windows/System32/notepad.exe")
		p.until("inspected", func() bool { return p.Archive.Files.Inspector.Details != nil })
		old := p.Archive
		if replaced {
			p.Opener.OpenInstead([]state.File{{Name: "other.wim", Size: 2, Value: "o"}})
			p.until("another archive", func() bool { return p.Archive != old && p.Archive.Files.Path != nil && !p.Archive.Files.Loading })
		} else {
			p.Close()
		}
		f := &old.Files
		p.until("nothing under way", func() bool { return !f.Inspector.Asking })
		before, route := p.browser.Logged(), p.Route
		f.List.Click(1, false, false)
		f.List.SortBy("size")
		f.List.SetFilter("x")
		f.List.Pick(0)
		f.List.PickAll()
		f.List.Focus()
		f.ListKey("ArrowDown", state.Keys{})
		f.ListKey("Enter", state.Keys{})
		f.TreeKey("ArrowDown", state.Keys{})
		f.TreeKey("Enter", state.Keys{})
		f.Enter(0)
		f.Up()
		f.OpenFolder(0)
		f.OpenImage(2)
		f.PickImage(2)
		f.Reveal(2, "/Windows")
		f.OpenPreview("", "")
		f.Preview.Hex.Key("ArrowDown", state.Keys{})
		f.Preview.Hex.Wheel(1)
		f.Preview.Hex.GoTo()
		f.Inspector.FindUses()
		old.Search.Key("ArrowDown")
		old.Extract.Selection()
		old.Extract.Image(1)
		old.Extract.SaveFile("")
		old.Images.ReadWindows(1)
		old.Verify.Start()
		old.Verify.Sum()
		p.Scrolled("list", 100, 100)
		p.Read(func() {
			if old.Extract.Dialog != nil || f.Preview.Open || f.Image != 1 || f.List.Sort != "name" || len(p.Jobs.List) != 0 {
				t.Errorf("replaced %v: a late event changed the archive", replaced)
			}
		})
		if after := p.browser.Logged(); len(after) != len(before) || p.Route != route {
			t.Errorf("replaced %v: late events had the browser do %q", replaced, after[len(before):])
		}
	}
}

// TestDialogGoesWithItsArchive checks that the extract dialog closes when another archive is opened, which does not have
// the entries that the dialog is about.
func TestDialogGoesWithItsArchive(t *testing.T) {
	p := newPage(t).opened("")
	p.Archive.Extract.Image(1)
	p.until("planned", func() bool { return p.Archive.Extract.Dialog.Plan != nil })
	old := p.Archive
	p.Opener.OpenInstead([]state.File{{Name: "other.wim", Size: 2, Value: "o"}})
	p.until("another archive", func() bool { return p.Archive != old })
	p.Read(func() {
		if p.Archive.Extract.Dialog != nil {
			t.Error("the dialog of the archive before is shown")
		}
	})
	old.Extract.SetFormat(protocol.TAR)
	if n := len(p.session.Plans()); n != 1 {
		t.Errorf("%d plans, want 1", n)
	}
	if !p.Key("?", state.Keys{}, false) {
		t.Error("the dialog still has the keyboard")
	}
}

// TestAddressFollowsTheCursor checks that the address names the entry under the cursor after a pause, without an entry in
// the history.
func TestAddressFollowsTheCursor(t *testing.T) {
	p := newPage(t).opened("")
	p.Archive.Files.List.Focus()
	p.until("the first entry is in the address", func() bool { return p.Route.Path == "/many" })
	p.Archive.Files.ListKey("ArrowDown", state.Keys{})
	p.Archive.Files.ListKey("ArrowDown", state.Keys{})
	p.until("the third entry is in the address", func() bool { return p.Route.Path == "/readme.txt" })
	log := p.browser.Logged()
	if slices.Contains(log, "hash #/a/"+id+"/files?img=1&path=/readme.txt") || !slices.Contains(log, "replace #/a/"+id+"/files?img=1&path=/readme.txt") {
		t.Errorf("address: %q", log)
	}
}
