package build

import (
	"bytes"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
	"wimscope/worker/protocol"
)

// TestSessionWindows checks that a session reads the registry in an image on request.
func TestSessionWindows(t *testing.T) {
	b := newBuilder(t)
	b.folder(windowsFS(wimtest.Windows10().Files()))
	b.folder(windowsFS(map[string][]byte{"a": []byte("a")}))
	one := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/", All: true}}})
	two := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 2, Target: "/", All: true}}})
	if _, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{
		{Draft: one.Draft, Properties: []protocol.Pair{{Name: "WINDOWS/ARCH", Value: "0"}, {Name: "WINDOWS/HAL"}}}, {Draft: two.Draft},
	}}); err != nil {
		t.Fatal(err)
	}
	e := New(Options{})
	well[protocol.Archive](t, e, protocol.Open, protocol.OpenRequest{Parts: []string{"a.wim"}}, bytes.NewReader(b.sink.data))
	rep := well[protocol.WindowsReply](t, e, protocol.Windows, protocol.VersionRequest{Image: 1})
	if rep.Root != "/Windows" || rep.Build != "10.0.19045.3803" || rep.Branch != "vb_release" || !strings.HasPrefix(rep.Lab, "19041.1.") || len(rep.Problems) != 0 {
		t.Errorf("%+v", rep)
	}
	if len(rep.Differences) != 2 || rep.Differences[0] != (protocol.Difference{Property: "WINDOWS/ARCH", XML: "0", Image: "9"}) || rep.Differences[1] != (protocol.Difference{Property: "WINDOWS/HAL", Image: "acpiapic"}) {
		t.Errorf("%+v", rep.Differences)
	}
	if _, _, err := say[protocol.WindowsReply](e, protocol.Windows, protocol.VersionRequest{Image: 2}); protocol.AsError(err).Code != protocol.CodeNotFound {
		t.Error(err)
	}
}
