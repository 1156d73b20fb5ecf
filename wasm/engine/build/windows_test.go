package build

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"wimscope/wim/wimtest"
	"wimscope/worker/protocol"
)

func windowsFS(files map[string][]byte) fs.FS {
	f := fstest.MapFS{}
	for name, b := range files {
		f[name] = &fstest.MapFile{Data: b, Mode: 0o644, ModTime: time.Unix(1e9, 0)}
	}
	return f
}

// TestBuildWindows checks that capturing a folder with Windows fills in WINDOWS in the XML document, and so does adding
// one to the root of an image. Properties that the page sets take precedence. Other changes to an image do not affect
// WINDOWS.
func TestBuildWindows(t *testing.T) {
	b := newBuilder(t)
	b.folder(windowsFS(wimtest.Windows10().Files()))
	add := protocol.DraftStep{Op: "add", Folder: 1, Target: "/", All: true}
	d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{add}})
	if _, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: d.Draft, Properties: []protocol.Pair{{Name: "NAME", Value: "One"}, {Name: "FLAGS", Value: "Mine"}}}}}); err != nil {
		t.Fatal(err)
	}
	a := well[protocol.Archive](t, New(Options{}), protocol.Open, protocol.OpenRequest{Parts: []string{"a.wim"}}, bytes.NewReader(b.sink.data))
	im := a.Images[0]
	if im.Edition != "Professional" || im.Arch != "x64" || im.Version != "10.0.19045.1130" || im.DisplayName != "Windows 10 Pro" || im.Flags != "Mine" || im.SystemRoot != "WINDOWS" {
		t.Errorf("%+v", im)
	}

	other := wimtest.Windows10()
	other.Software.Keys[1].Keys[1].Keys[0].Values = []wimtest.HiveValue{wimtest.HiveText("EditionID", "Core")}
	for name, to := range map[string]string{"Core": "/", "Professional": "/elsewhere"} {
		c := newBuilder(t)
		c.archive("a.wim", b.sink.data)
		c.folder(windowsFS(other.Files()))
		add.Target = to
		d := c.draft(protocol.DraftRequest{Archive: 1, Image: 1, Steps: []protocol.DraftStep{add}})
		if _, err := c.write(protocol.BuildRequest{Images: []protocol.BuildImage{{Archive: 1, Image: 1, Draft: d.Draft}}}); err != nil {
			t.Fatal(err)
		}
		a := well[protocol.Archive](t, New(Options{}), protocol.Open, protocol.OpenRequest{Parts: []string{"a.wim"}}, bytes.NewReader(c.sink.data))
		if got := a.Images[0].Edition; got != name {
			t.Errorf("added to %s: edition %q, want %q", to, got, name)
		}
	}
}

// TestBuildBrokenHive checks that every plan warns about a broken registry hive.
func TestBuildBrokenHive(t *testing.T) {
	b := newBuilder(t)
	files := wimtest.Windows10().Files()
	files["Windows/System32/config/SOFTWARE"][0] = 'x'
	b.folder(windowsFS(files))
	d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/", All: true}}})
	for range 2 {
		rep := well[protocol.BuildReply](t, b.lead, protocol.Build, protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: d.Draft}}})
		if len(rep.Warnings) != 1 || rep.Warnings[0].Name != "windows" || !strings.Contains(rep.Warnings[0].Value, "SOFTWARE") {
			t.Errorf("%+v", rep.Warnings)
		}
	}
}
