//go:build !js

package engine

import (
	"fmt"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
	"wimscope/worker/protocol"
)

// TestNamesShards checks that a long list is split into shards, limited in entries and in bytes, and that no entry is
// lost between them.
func TestNamesShards(t *testing.T) {
	root := wimtest.Folder("")
	for i := range 40_000 {
		root.Children = append(root.Children, wimtest.TextFile(fmt.Sprintf("a, \"quoted\" %05d", i), "x"))
	}
	long := wimtest.Folder(strings.Repeat("long", 60))
	for i := range 30_000 {
		long.Children = append(long.Children, wimtest.TextFile(fmt.Sprintf("%s%05d", strings.Repeat("n", 200), i), "x"))
	}
	root.Children = append(root.Children, long)
	e, sink := outputs()
	openSample(t, e, wimtest.Sample{Parts: []wimtest.SamplePart{{Name: "a.wim", Bytes: wimtest.One(root).Bytes()}}})
	plan := must[protocol.PlanReply](t, e, protocol.Plan, protocol.PlanRequest{Op: protocol.Names, Format: protocol.CSV})
	stage := must[protocol.StageReply](t, e, protocol.Stage, protocol.FinishRequest{Plan: plan.Plan})
	if stage.Shards < 5 {
		t.Errorf("%d shards", stage.Shards)
	}
	for i := range stage.Shards {
		sh := must[protocol.ShardReply](t, e, protocol.Shard, protocol.ShardRequest{Plan: plan.Plan, Index: i})
		if sh.Bytes > namesBytes+1<<16 || sh.Items > namesStep {
			t.Errorf("shard %d: %+v", i, sh)
		}
	}
	runJob(t, e, protocol.PlanRequest{Op: protocol.Names, Format: protocol.CSV}, &protocol.OutOpenRequest{Target: protocol.ToMemory})
	rows := readCSV(t, sink.data)
	if len(rows) != 1+1+40_000+1+30_000 {
		t.Fatalf("%d rows", len(rows))
	}
	seen := make(map[string]bool)
	for _, r := range rows[1:] {
		seen[r[1]] = true
	}
	if len(seen) != len(rows)-1 || !seen[`/a, "quoted" 00000`] || !seen[`/a, "quoted" 39999`] {
		t.Errorf("%d different paths in %d rows", len(seen), len(rows)-1)
	}
}

// TestNamesAreNoFormulas checks that a cell that a spreadsheet would run as a formula becomes text, in every column
// with untrusted text.
func TestNamesAreNoFormulas(t *testing.T) {
	for _, x := range []struct{ cell, want string }{
		{"=1+1", "'=1+1"}, {"+1", "'+1"}, {"-1", "'-1"}, {"@SUM(A1)", "'@SUM(A1)"}, {"\t=1", "'\t=1"}, {"\r=1", "\"'\r=1\""},
		{"\n=1", "\"'\n=1\""}, {"=HYPERLINK(\"http://a\",\"b\")", "\"'=HYPERLINK(\"\"http://a\"\",\"\"b\"\")\""}, {"＝1", "'＝1"},
		{"", ""}, {"a=1", "a=1"}, {"a-b", "a-b"}, {"/=1", "/=1"}, {"\xff", "\xff"},
	} {
		if got := string(appendCell(nil, x.cell)); got != x.want {
			t.Errorf("appendCell(%q) = %q, want %q", x.cell, got, x.want)
		}
	}
	root := wimtest.Folder("")
	file := wimtest.TextFile("report.xls", "x")
	file.Short = "=CMD|'~1"
	link := &wimtest.HandEntry{Name: "link", Attrs: 0x400, Tag: wimtest.TagSymlink, Data: wimtest.SymlinkData("@SUM(1)", "@SUM(1)", true)}
	root.Children = append(root.Children, file, link)
	e, sink := outputs()
	openSample(t, e, wimtest.Sample{Parts: []wimtest.SamplePart{{Name: "a.wim", Bytes: wimtest.One(root).Bytes()}}})
	runJob(t, e, protocol.PlanRequest{Op: protocol.Names, Format: protocol.CSV}, &protocol.OutOpenRequest{Target: protocol.ToMemory})
	guarded := 0
	for _, row := range readCSV(t, sink.data)[1:] {
		for _, cell := range row {
			if strings.HasPrefix(cell, "'") {
				guarded++
			}
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				t.Errorf("the cell %q is a formula", cell)
			}
		}
	}
	if guarded != 2 {
		t.Errorf("%d cells are guarded, want the short name and the target: %s", guarded, sink.data)
	}
}
