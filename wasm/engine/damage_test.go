//go:build !js

package engine

import (
	"strings"
	"testing"

	"github.com/hack-pad/hackpadfs/mem"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/worker/protocol"
)

// damagedArchive returns an archive with an intact file and link, a damaged file, a damaged file that is longer than a
// reply, and a damaged link.
func damagedArchive() []byte {
	link := func(name string, hash [20]byte) *wimtest.HandEntry {
		return &wimtest.HandEntry{Name: name, Attrs: format.AttrReparsePoint, Tag: format.TagSymlink, Hash: hash, Data: wimtest.SymlinkData(name+" target", name+" target", true)}
	}
	bad := wimtest.TextFile("bad", "wrong text")
	bad.Hash = [20]byte{1}
	long := wimtest.TextFile("long", strings.Repeat("long text ", maxRead/10+1))
	long.Hash = [20]byte{2}
	return wimtest.One(wimtest.Folder("", bad, link("bad link", [20]byte{3}), wimtest.TextFile("good", "good text"), link("good link", [20]byte{}), long)).Bytes()
}

// TestDamageIsShown checks that a folder list, the details of an entry and a file list report that a link is damaged
// instead of showing a wrong target, and that a preview reports whether its bytes were checked and the result.
func TestDamageIsShown(t *testing.T) {
	e, _ := openBytes(t, "a.wim", damagedArchive())
	rows := map[string]protocol.Row{}
	for _, r := range must[protocol.ListReply](t, e, protocol.List, protocol.ListRequest{Image: 1, Count: 10}).Rows {
		rows[r.Name] = r
	}
	for name, want := range map[string]protocol.Row{"good link": {Link: "good link target"}, "bad link": {BadLink: true}} {
		r := rows[name]
		if r.Link != want.Link || r.BadLink != want.BadLink {
			t.Errorf("%s: %+v", name, r)
		}
		d := must[protocol.Details](t, e, protocol.Stat, protocol.StatRequest{Image: 1, Node: r.Node})
		if d.Link != want.Link || d.BadLink != want.BadLink || d.Kind != "link" || d.LinkFound {
			t.Errorf("%s: %+v", name, d)
		}
	}
	for name, want := range map[string]protocol.Check{"good": protocol.CheckGood, "bad": protocol.CheckBad, "long": protocol.CheckNone, "good link": protocol.CheckGood} {
		for _, req := range []protocol.ReadRequest{{Len: 100}, {Len: 100, Want: "text"}, {Len: maxRead}, {Off: 4, Len: 3}, {Off: 1 << 40, Len: 1}} {
			req.Image, req.Node = 1, rows[name].Node
			if r := must[protocol.ReadReply](t, e, protocol.Read, req); r.Check != want {
				t.Errorf("%s %+v: %q, want %q", name, req, r.Check, want)
			}
		}
	}
	list := namesText(t, e)
	if !strings.Contains(list, "/bad link,link,") || !strings.Contains(list, ",(damaged or missing)\r\n") || strings.Contains(list, "bad link target") || !strings.Contains(list, ",good link target\r\n") {
		t.Errorf("the file list is\n%s", list)
	}
}

func namesText(t *testing.T, e *Engine) string {
	t.Helper()
	p := must[protocol.PlanReply](t, e, protocol.Plan, protocol.PlanRequest{Op: protocol.Names, Image: 1})
	_, att, err := ask[protocol.ShardReply](e, protocol.Shard, protocol.ShardRequest{Plan: p.Plan})
	if err != nil {
		t.Fatal(err)
	}
	return string(att[0].([]byte))
}

// TestDamagedLinkIsReported checks, for every format, that an extraction leaves out a damaged link, counts and lists
// it, and does not report success.
func TestDamagedLinkIsReported(t *testing.T) {
	for _, format := range []protocol.Format{protocol.ZIP, protocol.TAR, protocol.Folder} {
		e, _ := outputs()
		openSample(t, e, wimtest.Sample{Parts: []wimtest.SamplePart{{Name: "a.wim", Bytes: damagedArchive()}}})
		node := must[protocol.Row](t, e, protocol.Find, protocol.FindRequest{Image: 1, Path: "/bad link"}).Node
		fs, err := mem.NewFS()
		if err != nil {
			t.Fatal(err)
		}
		rep, err := tryJob(e, protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: format, Nodes: []int32{node}}, &protocol.OutOpenRequest{Target: protocol.ToMemory}, fs)
		if err != nil {
			t.Fatal(err)
		}
		if rep.OK || rep.DamagedN != 1 || rep.ProblemsN != 1 || rep.Problems[0].Path != "/bad link" || rep.Problems[0].Reason != "damaged" || rep.Links != 0 || !strings.Contains(rep.Text, "/bad link\tdamaged") {
			t.Errorf("%s: %+v", format, rep)
		}
	}
}
