package ui

import (
	"testing"

	"wimscope/web/state"
	"wimscope/web/state/statetest"
	"wimscope/web/words"
)

// BenchmarkBuild builds the Files tab with a list of 1000 entries and a full inspector: the cost of each rendering before
// it is compared with the document.
func BenchmarkBuild(b *testing.B) {
	e := &statetest.Engine{Made: statetest.NewSession()}
	app := state.NewApp(&statetest.Browser{}, e, words.English(), func() {})
	env, root := New(app)
	app.Opener.Open([]state.File{{Name: "install.wim", Size: 1, Value: "f"}})
	for ready := false; !ready; {
		app.Read(func() { ready = app.Archive != nil && app.Archive.Files.Path != nil })
	}
	app.Archive.Files.Reveal(1, "/many/file000003.dat")
	for ready := false; !ready; {
		app.Read(func() {
			ready = app.Archive.Files.List.View.Total == 1000 && app.Archive.Files.Inspector.Details != nil
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		app.Read(func() { env.RunBuild(root) })
	}
}
