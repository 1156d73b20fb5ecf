package state_test

import (
	"sync/atomic"
	"testing"
	"time"

	"wimscope/web/state"
	"wimscope/web/state/statetest"
	"wimscope/web/words"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// fileNames returns the names of files that the engine was asked to open.
func fileNames(list []pool.File) (out string) {
	for i, f := range list {
		if i > 0 {
			out += " "
		}
		out += f.Name
	}
	return out
}

func TestFilesThatCameTogether(t *testing.T) {
	notWIM := protocol.Error{Code: protocol.CodeNotWIM, Guess: "text"}
	for _, test := range []struct {
		name    string
		files   []string
		reply   protocol.SortReply
		parts   string // of the archive that is opened
		refs    string
		options int // offered to the user
		left    int // notes about files that were left out
	}{
		{"parts", []string{"b2", "b1"}, protocol.SortReply{Archives: []protocol.Dropped{{Files: []int{1, 0}}}}, "b1 b2", "", 0, 0},
		{"a delta and its base", []string{"base", "delta"}, protocol.SortReply{Archives: []protocol.Dropped{
			{Files: []int{0}, Images: 1}, {Files: []int{1}, Images: 1, Lacks: 3, Needs: []int{0}}}}, "delta", "base", 0, 0},
		{"a delta of a delta, and a stranger", []string{"base", "d2", "d1", "other"}, protocol.SortReply{Archives: []protocol.Dropped{
			{Files: []int{0}, Images: 1}, {Files: []int{1}, Images: 1, Needs: []int{2}}, {Files: []int{2}, Images: 1, Needs: []int{0}},
			{Files: []int{3}}}}, "d2", "d1 base", 0, 1},
		{"an image and the contents", []string{"Res.rwm", "image.wim"}, protocol.SortReply{Archives: []protocol.Dropped{
			{Files: []int{0}}, {Files: []int{1}, Images: 1, Needs: []int{0}}}}, "image.wim", "Res.rwm", 0, 0},
		{"strangers", []string{"a", "b"}, protocol.SortReply{Archives: []protocol.Dropped{{Files: []int{0}, Images: 1}, {Files: []int{1}, Images: 2}}}, "", "", 2, 0},
		{"each needs the other", []string{"a", "b"}, protocol.SortReply{Archives: []protocol.Dropped{
			{Files: []int{0}, Images: 1, Needs: []int{1}}, {Files: []int{1}, Images: 2, Needs: []int{0}}}}, "", "", 2, 0},
		{"an archive and a letter", []string{"letter", "a"}, protocol.SortReply{Archives: []protocol.Dropped{{Files: []int{1}}},
			Refused: []protocol.RefusedFile{{File: 0, Error: notWIM}}}, "a", "", 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPage(t)
			p.engine.Sorts = &test.reply
			p.Start("")
			var files []state.File
			for _, name := range test.files {
				files = append(files, state.File{Name: name, Size: 1, Value: name, Handle: name})
			}
			p.Opener.Open(files)
			if test.options > 0 {
				p.until("a choice", func() bool { return p.Opener.Choice != nil && len(p.Opener.Choice.Options) == test.options })
				if len(p.engine.Opens) != 0 {
					t.Error("something was opened without being chosen")
				}
				p.Opener.ChooseOption(1)
				test.parts = test.files[1]
				if len(test.reply.Archives[1].Needs) > 0 {
					test.refs = test.files[0]
				}
			}
			p.until("it is open", func() bool { return p.Archive != nil && p.Opener.Opening == "" && p.Opener.Choice == nil })
			if got := p.engine.Opens[0]; fileNames(got.Parts) != test.parts || fileNames(got.References) != test.refs {
				t.Errorf("opened %s with %s, want %s with %s", fileNames(got.Parts), fileNames(got.References), test.parts, test.refs)
			}
			n := 0
			p.Read(func() { n = len(p.Notes) })
			if n != test.left {
				t.Errorf("%d notes, want %d", n, test.left)
			}
			want := 1
			if test.refs != "" {
				want = len(p.engine.Opens[0].References) + 1
			} else if test.name == "parts" {
				want = 2
			}
			p.until("it can be opened again with what it needs", func() bool { return len(p.Opener.Recents) == 1 && len(p.Opener.Recents[0].Handles) == want })
		})
	}
}

func TestNothingToOpenAmongSeveral(t *testing.T) {
	p := newPage(t)
	p.engine.Sorts = &protocol.SortReply{Refused: []protocol.RefusedFile{
		{File: 0, Error: protocol.Error{Code: protocol.CodeNotWIM, Name: "a.txt", Guess: "text"}}, {File: 1, Error: protocol.Error{Code: protocol.CodeNotWIM, Name: "b.zip", Guess: "zip"}}}}
	p.Start("")
	p.Opener.Open([]state.File{{Name: "a.txt"}, {Name: "b.zip"}})
	p.until("the card says why", func() bool {
		return p.Opener.Problem != nil && p.Opener.Problem.Name == "a.txt" && p.Opener.Opening == ""
	})
}

// slowList is a browser whose first list of recent archives is read before the first archive is remembered, and arrives
// after that.
type slowList struct {
	*statetest.Browser
	read  chan struct{} // closed when the first list was read
	put   chan struct{} // closed when an archive is remembered
	later atomic.Bool
}

func (b *slowList) PutRecent(r state.Recent) error {
	err := b.Browser.PutRecent(r)
	close(b.put)
	return err
}

func (b *slowList) Recents() ([]state.Recent, error) {
	list, err := b.Browser.Recents()
	if !b.later.Swap(true) {
		close(b.read)
		<-b.put
		time.Sleep(50 * time.Millisecond)
	}
	return list, err
}

// TestOldListOfRecents checks that the list read at the start does not replace a newer one.
func TestOldListOfRecents(t *testing.T) {
	p := newPage(t)
	b := &slowList{Browser: p.browser, read: make(chan struct{}), put: make(chan struct{})}
	p.App = state.NewApp(b, p.engine, words.English(), func() {})
	p.Start("")
	<-b.read
	p.Opener.Open([]state.File{{Name: "a.wim", Size: 1, Value: "a", Handle: "a"}})
	<-b.put
	time.Sleep(100 * time.Millisecond) // both lists have arrived
	p.until("the archive is among the recent ones", func() bool { return len(p.Opener.Recents) == 1 })
}
