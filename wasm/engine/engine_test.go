//go:build !js

// The tests in the files with this build tag run natively, because making some samples recurses deeper than a browser's
// stack allows. The tests of package wasm run the same engine in a browser.

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
	"wimscope/worker/protocol"
)

// ask sends a request to the engine. The bodies pass through JSON, as between page and worker.
func ask[Rep any](e *Engine, m protocol.Method, req any, attach ...any) (Rep, []any, error) {
	var rep Rep
	body, err := json.Marshal(req)
	if err != nil {
		return rep, nil, err
	}
	got, att, err := e.Handle(context.Background(), protocol.NewCall(m, body, attach, nil))
	if err != nil {
		return rep, nil, err
	}
	if body, err = json.Marshal(got); err != nil {
		return rep, nil, err
	}
	rep, err = protocol.Decode[Rep](body)
	return rep, att, err
}

func must[Rep any](t *testing.T, e *Engine, m protocol.Method, req any, attach ...any) Rep {
	t.Helper()
	rep, _, err := ask[Rep](e, m, req, attach...)
	if err != nil {
		t.Fatalf("%s %+v: %v", m, req, err)
	}
	return rep
}

func sampleFiles(s wimtest.Sample) (req protocol.OpenRequest, attach []any) {
	for _, p := range s.Parts {
		req.Parts = append(req.Parts, p.Name)
		attach = append(attach, bytes.NewReader(p.Bytes))
	}
	for _, p := range s.Refs {
		req.References = append(req.References, p.Name)
		attach = append(attach, bytes.NewReader(p.Bytes))
	}
	return req, attach
}

// openBytes opens an archive in a single file.
func openBytes(t *testing.T, name string, b []byte) (*Engine, protocol.Archive) {
	t.Helper()
	e := New(Options{})
	a := must[protocol.Archive](t, e, protocol.Open, protocol.OpenRequest{Parts: []string{name}}, bytes.NewReader(b))
	return e, a
}

func sample(t *testing.T, name string) wimtest.Sample {
	t.Helper()
	for _, s := range wimtest.Samples() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no sample %s", name)
	return wimtest.Sample{}
}

// TestOpenSamples checks that every hand-made archive opens, or fails with the expected code.
func TestOpenSamples(t *testing.T) {
	codes := map[wimtest.Outcome][]protocol.Code{
		wimtest.NotWIM: {protocol.CodeNotWIM}, wimtest.OldVersion: {protocol.CodeOldVersion},
		wimtest.Encrypted: {protocol.CodeEncrypted}, wimtest.Truncated: {protocol.CodeTruncated},
		wimtest.Malformed: {protocol.CodeFormat, protocol.CodeUnsupported, protocol.CodeTooLarge, protocol.CodeWrongPart},
	}
	for _, s := range wimtest.Samples() {
		t.Run(s.Name, func(t *testing.T) {
			e := New(Options{})
			req, attach := sampleFiles(s)
			a, _, err := ask[protocol.Archive](e, protocol.Open, req, attach...)
			if want := codes[s.Outcome]; want != nil {
				pe := protocol.AsError(err)
				if err == nil || !slices.Contains(want, pe.Code) {
					t.Fatalf("%v, want %v", err, want)
				}
				switch {
				case s.Outcome == wimtest.OldVersion && pe.Version == "", pe.Code == protocol.CodeNotWIM && len(pe.First) == 0 && len(s.Parts[0].Bytes) > 0:
					t.Errorf("facts are missing: %+v", pe)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Parts) != len(s.Parts) || a.Name == "" || len(a.Fields) == 0 || a.Size == 0 {
				t.Errorf("told too little: %+v", a)
			}
			for i, r := range a.Regions[1:] {
				if last := a.Regions[i]; last.Part == r.Part && (last.Off+last.Len > r.Off || last.Kind == r.Kind && last.Off+last.Len == r.Off) {
					t.Errorf("regions %+v and %+v", last, r)
				}
			}
			if s.Outcome == wimtest.BadImage {
				if _, _, err := ask[protocol.ListReply](e, protocol.List, protocol.ListRequest{Image: 1, Count: 10}); err == nil {
					t.Error("a bad image was listed")
				}
				return
			}
			if s.Outcome == wimtest.Warns && len(a.Warnings) == 0 && len(a.Images) > 0 {
				// The warning concerns the tree, so verification reports it.
				if r := runJob(t, e, protocol.PlanRequest{Op: protocol.Verify}, nil); len(r.Warnings)+r.LossesN == 0 {
					t.Error("no warning")
				}
			}
			for path, want := range s.Files {
				checkFile(t, e, path, want)
			}
		})
	}
}

// checkFile finds a path in image 1 and compares the file's content with want.
func checkFile(t *testing.T, e *Engine, path, want string) {
	t.Helper()
	dir := strings.HasSuffix(path, "/")
	r, _, err := ask[protocol.Row](e, protocol.Find, protocol.FindRequest{Image: 1, Path: strings.TrimSuffix(path, "/")})
	if err != nil || r.Dir != dir {
		t.Errorf("%s: %+v, %v", path, r, err)
		return
	}
	if dir {
		return
	}
	rep, att, err := ask[protocol.ReadReply](e, protocol.Read, protocol.ReadRequest{Image: 1, Node: r.Node, Len: 1 << 20})
	if err != nil || len(att) != 1 || string(att[0].([]byte)) != want || rep.Size != int64(len(want)) {
		t.Errorf("%s: %+v, %v, %q; want %q", path, rep, err, att, want)
	}
}

// distant is a buffer outside the engine's memory, like those in the browser.
type distant []byte

func (d distant) Len() int64                          { return int64(len(d)) }
func (d distant) Bytes(from, n int64) ([]byte, error) { return bytes.Clone(d[from : from+n]), nil }

// runJob runs a job as the pool does, but in this goroutine: e is the session, the shard worker and the output.
func runJob(t *testing.T, e *Engine, req protocol.PlanRequest, out *protocol.OutOpenRequest, handle ...any) protocol.Report {
	t.Helper()
	plan := must[protocol.PlanReply](t, e, protocol.Plan, req)
	if out != nil {
		out.Format, out.Size, out.Platform, out.Recover = req.Format, plan.OutSize, req.Platform, req.Recover
		must[struct{}](t, e, protocol.OutOpen, out, handle...)
	}
	if e.session != nil {
		var parts protocol.PartsRequest
		var files []any
		parts.Key = "key"
		for i, p := range e.session.parts {
			if i < len(e.session.info.Parts) {
				parts.Parts = append(parts.Parts, p.Name)
			} else {
				parts.References = append(parts.References, p.Name)
			}
			files = append(files, p.R)
		}
		must[struct{}](t, e, protocol.Parts, parts, files...)
	}
	stage := must[protocol.StageReply](t, e, protocol.Stage, protocol.FinishRequest{Plan: plan.Plan})
	for i := range stage.Shards {
		sh, att, err := ask[protocol.ShardReply](e, protocol.Shard, protocol.ShardRequest{Plan: plan.Plan, Index: i})
		if err != nil {
			t.Fatal(err)
		}
		merge := protocol.MergeRequest{Plan: plan.Plan, Index: i}
		var result, data any
		if sh.Op == "" {
			data = att[0]
			merge.Result = protocol.RunReply{Bytes: sh.Bytes, Items: sh.Items}
		} else {
			rep, run, err := ask[protocol.RunReply](e, protocol.Run, protocol.RunRequest{Key: "key", Format: req.Format, Recover: req.Recover}, att...)
			if err != nil {
				t.Fatal(err)
			}
			if ready := req.Format == protocol.ZIP || req.Format == protocol.TAR; ready != (rep.Packed == req.Format && req.Format != "") {
				t.Errorf("what is decoded for %q came packed for %q", req.Format, rep.Packed)
			}
			if rep.Bytes != sh.Bytes || rep.Items != sh.Items {
				t.Errorf("shard %d was to be %d bytes, %d items; it was %d, %d", i, sh.Bytes, sh.Items, rep.Bytes, rep.Items)
			}
			merge.Result, result = rep, run[0]
			if len(run) > 1 {
				data, att[1] = distant(run[1].([]byte)), run[2]
			}
		}
		if out != nil {
			p, back, err := ask[protocol.OutProgress](e, protocol.OutSegment, protocol.OutSegmentRequest{Index: i, Result: merge.Result}, result, data, att[1])
			if err != nil {
				t.Fatal(err)
			}
			result = back[0]
			merge.Refused, merge.Damaged, merge.Copies, merge.Timeless = p.Refused, p.Damaged, p.Copies, p.Timeless
		}
		must[protocol.MergeReply](t, e, protocol.Merge, merge, result)
	}
	rep := must[protocol.Report](t, e, protocol.Finish, protocol.FinishRequest{Plan: plan.Plan})
	if out != nil {
		fin := must[protocol.OutReply](t, e, protocol.OutFinish, nil)
		if plan.OutSize > 0 && req.Format != protocol.Folder && fin.Bytes != plan.OutSize {
			t.Errorf("the output has %d bytes, and was to have %d", fin.Bytes, plan.OutSize)
		}
	}
	return rep
}

func TestList(t *testing.T) {
	root := wimtest.Folder("")
	for i := range 2500 {
		root.Children = append(root.Children, wimtest.TextFile(fmt.Sprintf("file %04d.txt", (i*7)%2500), strings.Repeat("x", i%100+1)))
	}
	root.Children = append(root.Children, wimtest.Folder("zeta", wimtest.Folder("deep")), wimtest.Folder("Alpha"), wimtest.TextFile("UPPER.LOG", "u"))
	e, _ := openBytes(t, "a.wim", wimtest.One(root).Bytes())
	list := func(req protocol.ListRequest) protocol.ListReply {
		t.Helper()
		req.Image = 1
		return must[protocol.ListReply](t, e, protocol.List, req)
	}
	all := list(protocol.ListRequest{Count: 5})
	if all.Total != 2503 || all.All != 2503 || all.Dirs != 2 || all.Seek != -1 || all.Find != -1 || len(all.Rows) != 5 {
		t.Errorf("%+v", all)
	}
	if all.Rows[0].Name != "Alpha" || all.Rows[1].Name != "zeta" || all.Rows[2].Name != "file 0000.txt" {
		t.Errorf("first rows %+v", all.Rows)
	}
	if got := list(protocol.ListRequest{Start: 2400, Count: 5000}); len(got.Rows) != 103 || got.Start != 2400 {
		t.Errorf("%d rows from %d", len(got.Rows), got.Start)
	}
	if got := list(protocol.ListRequest{Start: 1e9, Count: 10}); len(got.Rows) != 0 {
		t.Errorf("%d rows beyond the end", len(got.Rows))
	}
	if got := list(protocol.ListRequest{Start: -5, Count: -5}); len(got.Rows) != 0 || got.Start != 0 {
		t.Errorf("negative window: %+v", got)
	}
	if got := list(protocol.ListRequest{Count: 1 << 30}); len(got.Rows) != maxRows {
		t.Errorf("%d rows at once", len(got.Rows))
	}
	if got := list(protocol.ListRequest{Count: 1, Filter: "*99.TXT"}); got.Total != 25 || got.All != 2503 || got.Rows[0].Name != "file 0099.txt" {
		t.Errorf("filtered: %+v", got)
	}
	if got := list(protocol.ListRequest{Count: 3, Sort: "size", Desc: true}); got.Rows[2].Size != 100 || got.Rows[0].Name != "Alpha" {
		t.Errorf("by size: %+v", got.Rows)
	}
	seek := list(protocol.ListRequest{Count: 1, Seek: "UP"})
	if got := list(protocol.ListRequest{Start: seek.Seek, Count: 1}); got.Rows[0].Name != "UPPER.LOG" {
		t.Errorf("typeahead led to %+v", got.Rows)
	}
	find := list(protocol.ListRequest{Count: 1, Find: all.Rows[4].Node})
	if find.Find != 4 {
		t.Errorf("found at %d", find.Find)
	}
	if got := list(protocol.ListRequest{Node: all.Rows[1].Node, Count: 10}); len(got.Path) != 2 || got.Path[0].Node != 0 || got.Path[1].Name != "zeta" || got.Rows[0].Name != "deep" {
		t.Errorf("a folder below: %+v", got)
	}
	for _, bad := range []protocol.ListRequest{{Image: 2}, {Image: 0}, {Image: 1, Node: 1 << 30}, {Image: 1, Node: -1}, {Image: 1, Sort: "colour"}, {Image: 1, Node: all.Rows[2].Node}} {
		if _, _, err := ask[protocol.ListReply](e, protocol.List, bad); err == nil {
			t.Errorf("%+v was answered", bad)
		}
	}
}

func TestTree(t *testing.T) {
	root := wimtest.Folder("", wimtest.Folder("b", wimtest.Folder("b2"), wimtest.Folder("b1", wimtest.Folder("x"))), wimtest.Folder("a"), wimtest.TextFile("f", "f"))
	e, _ := openBytes(t, "a.wim", wimtest.One(root).Bytes())
	node := func(path string) int32 {
		return must[protocol.Row](t, e, protocol.Find, protocol.FindRequest{Image: 1, Path: path}).Node
	}
	names := func(rep protocol.TreeReply) string {
		var s []string
		for _, r := range rep.Rows {
			n := strings.Repeat(">", r.Depth) + r.Name
			if r.Open {
				n += "-"
			} else if r.Folders {
				n += "+"
			}
			s = append(s, n)
		}
		return strings.Join(s, " ")
	}
	closed := must[protocol.TreeReply](t, e, protocol.Tree, protocol.TreeRequest{Image: 1, Count: 100})
	if got := names(closed); got != ">a >b+" {
		t.Error(got)
	}
	open := protocol.TreeRequest{Image: 1, Count: 100, Expanded: []int32{node("/b"), node("/b/b1"), node("/a"), 9999}, Find: node("/b/b1/x")}
	rep := must[protocol.TreeReply](t, e, protocol.Tree, open)
	if got := names(rep); got != ">a >b- >>b1- >>>x >>b2" || rep.Find != 3 || rep.Total != 5 {
		t.Error(got, rep.Find, rep.Total)
	}
	open.Start, open.Count = 2, 2
	if got := names(must[protocol.TreeReply](t, e, protocol.Tree, open)); got != ">>b1- >>>x" {
		t.Error(got)
	}
}

// TestStat checks the details of entries of every kind that Windows stores.
func TestStat(t *testing.T) {
	root, security := wimtest.WindowsTree()
	e, _ := openBytes(t, "a.wim", wimtest.One(root, security...).Bytes())
	stat := func(path string) protocol.Details {
		t.Helper()
		r := must[protocol.Row](t, e, protocol.Find, protocol.FindRequest{Image: 1, Path: path})
		return must[protocol.Details](t, e, protocol.Stat, protocol.StatRequest{Image: 1, Node: r.Node})
	}
	long := stat("/A Long File Name.txt")
	if long.ShortName != "ALONGF~1.TXT" || long.Kind != "file" || long.Links != 2 || !slices.Equal(long.LinkPaths, []string{"/second name.txt"}) {
		t.Errorf("links and short name: %+v", long)
	}
	if long.SDDL == "" || long.Owner == "" || len(long.Access) == 0 || long.Stored == nil || long.Stored.Size != 5 || len(long.Hash) != 40 || long.AlsoIn != 2 {
		t.Errorf("security and storage: %+v, %+v", long, long.Stored)
	}
	if !strings.HasSuffix(long.ModifiedAt, "UTC") || long.Type == "" || len(long.AttrNames) == 0 {
		t.Errorf("times, type, attributes: %+v", long)
	}
	streams := stat("/streams.bin")
	if streams.Streams != 2 || len(streams.StreamList) != 2 || streams.StreamList[0].Name != "Zone.Identifier" || streams.StreamList[0].Size != 26 {
		t.Errorf("streams: %+v", streams.StreamList)
	}
	if got := stat("/object.id"); got.ObjectID == "" {
		t.Error("no object id")
	}
	if got := stat("/attr"); len(got.Xattrs) != 1 || got.Xattrs[0] != (protocol.Pair{Name: "MYATTR", Value: "value"}) {
		t.Errorf("extended attributes: %+v", got.Xattrs)
	}
	if got := stat("/unix"); !strings.Contains(got.Unix, "0640 uid 1000 gid 100") {
		t.Errorf("Unix: %q", got.Unix)
	}
	if got := stat("/unknown item"); len(got.Items) != 1 || got.Items[0].Name != "0x12345678" {
		t.Errorf("items: %+v", got.Items)
	}
	if got := stat("/relative link"); got.Kind != "link" || got.Link != `sub\inner.txt` || !got.LinkFound || got.ReparseName == "" {
		t.Errorf("link: %+v", got)
	}
	if got := stat("/app link"); got.Kind != "link" && got.Kind != "reparse" {
		t.Errorf("kind of an unknown reparse point: %s", got.Kind)
	}
	if got := stat("/sub"); got.Kind != "folder" || got.Size != 0 || got.Stored != nil {
		t.Errorf("folder: %+v", got)
	}
	n := must[protocol.Row](t, e, protocol.Find, protocol.FindRequest{Image: 1, Path: "/streams.bin"}).Node
	_, att, err := ask[protocol.ReadReply](e, protocol.Read, protocol.ReadRequest{Image: 1, Node: n, Stream: "Zone.Identifier", Len: 100})
	if err != nil || !strings.HasPrefix(string(att[0].([]byte)), "[ZoneTransfer]") {
		t.Errorf("stream: %v", err)
	}
	text := must[protocol.ReadReply](t, e, protocol.Read, protocol.ReadRequest{Image: 1, Node: n, Stream: "Zone.Identifier", Len: 100, Want: "text"})
	if text.Encoding != "UTF-8" || text.Len != 26 || !strings.Contains(text.Text, "ZoneId=3") {
		t.Errorf("as text: %+v", text)
	}
	if _, _, err := ask[protocol.ReadReply](e, protocol.Read, protocol.ReadRequest{Image: 1, Node: n, Stream: "none", Len: 1}); protocol.AsError(err).Code != protocol.CodeNotFound {
		t.Errorf("a stream that is not there: %v", err)
	}
}

func TestSearchAndUses(t *testing.T) {
	h := wimtest.One(wimtest.Folder("",
		wimtest.TextFile("notepad.exe", "same"), wimtest.TextFile("mynotepad.exe", "other"), wimtest.TextFile("Notepad.exe.mui", "third"),
		wimtest.Folder("sys", wimtest.TextFile("NOTEPAD.EXE", "same"), wimtest.Folder("notes", wimtest.TextFile("x", "same"))),
	))
	e, _ := openBytes(t, "a.wim", h.Bytes())
	search := func(q string, start, count int) protocol.SearchReply {
		t.Helper()
		return must[protocol.SearchReply](t, e, protocol.Search, protocol.SearchRequest{Query: q, Start: start, Count: count})
	}
	r := search("notepad.exe", 0, 10)
	if r.Total != 3 || r.Hits != 4 || r.Done != 1 || r.Of != 1 {
		t.Fatalf("%+v", r)
	}
	if g := r.Groups[0]; g.Count != 2 || g.Size != 4 || !strings.EqualFold(g.Name, "notepad.exe") || len(g.Hash) != 40 {
		t.Errorf("first group %+v", g)
	}
	if r.Groups[1].Name != "Notepad.exe.mui" || r.Groups[2].Name != "mynotepad.exe" {
		t.Errorf("order: %+v", r.Groups)
	}
	if w := search("notepad.exe", 1, 1); len(w.Groups) != 1 || w.Groups[0].Name != "Notepad.exe.mui" {
		t.Errorf("second window %+v", w)
	}
	if w := search("*.EXE", 0, 10); w.Hits != 3 {
		t.Errorf("glob: %+v", w)
	}
	if w := search(`sys\note`, 0, 10); w.Hits < 2 {
		t.Errorf("path: %+v", w)
	}
	if w := search("nothing at all", 0, 10); w.Total != 0 || w.Hits != 0 {
		t.Errorf("%+v", w)
	}
	if _, _, err := ask[protocol.SearchReply](e, protocol.Search, protocol.SearchRequest{Query: "  "}); err == nil {
		t.Error("an empty query was answered")
	}
	u := must[protocol.UsesReply](t, e, protocol.Uses, protocol.UsesRequest{Hash: r.Groups[0].Hash, Count: 2})
	if u.Total != 3 || len(u.Hits) != 2 || !slices.Equal(u.PerImage, []int{3}) {
		t.Errorf("uses %+v", u)
	}
	if _, _, err := ask[protocol.UsesReply](e, protocol.Uses, protocol.UsesRequest{Hash: "xyz"}); err == nil {
		t.Error("uses of no hash")
	}
}

func TestVerify(t *testing.T) {
	for _, s := range wimtest.Samples() {
		if s.Outcome != wimtest.Opens && s.Outcome != wimtest.Damaged && s.Outcome != wimtest.NeedsOthers {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			e := New(Options{})
			req, attach := sampleFiles(s)
			must[protocol.Archive](t, e, protocol.Open, req, attach...)
			r := runJob(t, e, protocol.PlanRequest{Op: protocol.Verify}, nil)
			if r.OK != (s.Outcome == wimtest.Opens) && len(s.Refs) == 0 {
				t.Errorf("%s: %s", s.Outcome, r.Text)
			}
			if s.Outcome == wimtest.Damaged && r.DamagedN == 0 && r.MissingN == 0 {
				t.Errorf("no damage told: %+v", r)
			}
			if !json.Valid([]byte(r.JSON)) || r.Text == "" {
				t.Error("no report to save")
			}
		})
	}
}

func TestSumsAndNames(t *testing.T) {
	s := sample(t, "plain")
	sink := &memory{}
	e := New(Options{OpenSink: func(protocol.Target, string, any) (Sink, error) { return sink, nil }})
	req, attach := sampleFiles(s)
	must[protocol.Archive](t, e, protocol.Open, req, attach...)
	r := runJob(t, e, protocol.PlanRequest{Op: protocol.Sum}, nil)
	if want := sha256Of(s.Parts[0].Bytes); len(r.Sums) != 1 || r.Sums[0].Value != want || r.Text != want+" *plain.wim\n" {
		t.Errorf("sums %+v, want %s", r, want)
	}
	runJob(t, e, protocol.PlanRequest{Op: protocol.Names, Format: protocol.CSV}, &protocol.OutOpenRequest{Target: protocol.ToMemory})
	rows := readCSV(t, sink.data)
	if len(rows) != 5 || rows[0][1] != "path" || rows[1][1] != "/" || rows[2][1] != "/sub" || rows[3][1] != "/sub/inner.txt" || rows[4][4-1] != "13" {
		t.Errorf("rows %q", rows)
	}
	if !sink.finished {
		t.Error("not finished")
	}
}

// TestTurns checks that a request is answered while a long one rests, and that the long one can be cancelled there.
func TestTurns(t *testing.T) {
	root := wimtest.Folder("")
	for i := range 30000 {
		root.Children = append(root.Children, wimtest.TextFile(fmt.Sprint("file ", i), "x"))
	}
	b := wimtest.One(root).Bytes()
	e := New(Options{})
	must[protocol.Archive](t, e, protocol.Open, protocol.OpenRequest{Parts: []string{"a.wim"}}, bytes.NewReader(b))
	ctx, cancel := context.WithCancel(context.Background())
	turns := 0
	e.o.Turn = func() {
		turns++
		if got := must[protocol.ListReply](t, e, protocol.List, protocol.ListRequest{Image: 1, Count: 1}); got.Total != 30000 {
			t.Errorf("in a turn: %+v", got)
		}
		if turns == 3 {
			cancel()
		}
	}
	w := &Work{e: e, ctx: ctx, call: protocol.NewCall(protocol.Search, nil, nil, nil)}
	e.turn.Lock()
	defer e.turn.Unlock()
	im, err := e.session.image(1)
	if err != nil {
		t.Fatal(err)
	}
	w.last = time.Now().Add(-2 * restEvery)
	if _, err := eachUse(w, im, format.Hash{1}, func(wim.Node) {}); err != nil || turns == 0 {
		t.Errorf("%v after %d turns", err, turns)
	}
	for range 5 {
		w.last = w.last.Add(-restEvery * 2)
		err = w.rest()
	}
	if err != context.Canceled || turns < 3 {
		t.Errorf("%v after %d turns", err, turns)
	}
}

func TestBadRequests(t *testing.T) {
	e := New(Options{})
	for _, m := range []protocol.Method{protocol.List, protocol.Plan, protocol.Finish, protocol.OutSegment, protocol.OutFinish, protocol.Run, "nonsense"} {
		if _, _, err := e.Handle(context.Background(), protocol.NewCall(m, nil, nil, nil)); err == nil {
			t.Errorf("%s was answered", m)
		}
	}
	if _, _, err := e.Handle(context.Background(), protocol.NewCall(protocol.OutAbort, nil, nil, nil)); err != nil {
		t.Errorf("nothing to abort: %v", err)
	}
	if st := must[protocol.StatusReply](t, e, protocol.Status, nil); st.Memory == 0 || st.Heap == 0 {
		t.Errorf("%+v", st)
	}
	open, _ := json.Marshal(protocol.OpenRequest{Parts: []string{"a"}})
	for _, attach := range [][]any{nil, {"text"}, {bytes.NewReader(nil), bytes.NewReader(nil)}} {
		if _, _, err := e.Handle(context.Background(), protocol.NewCall(protocol.Open, open, attach, nil)); err == nil {
			t.Errorf("opened %v", attach)
		}
	}
	s := sample(t, "plain")
	req, attach := sampleFiles(s)
	must[protocol.Archive](t, e, protocol.Open, req, attach...)
	parts := protocol.PartsRequest{Key: "k", Parts: req.Parts}
	must[struct{}](t, e, protocol.Parts, parts, attach...)
	run, _ := json.Marshal(protocol.RunRequest{Key: "k"})
	for _, b := range [][]byte{nil, {1}, bytes.Repeat([]byte{0xff}, 100)} {
		if _, _, err := e.Handle(context.Background(), protocol.NewCall(protocol.Run, run, []any{b}, nil)); err == nil {
			t.Errorf("ran %x", b)
		}
	}
	must[struct{}](t, e, protocol.Forget, protocol.ForgetRequest{Key: "k"})
	if _, _, err := ask[protocol.RunReply](e, protocol.Run, protocol.RunRequest{Key: "k"}, (&shard.Shard{Op: shard.OpVerify}).AppendBinary(nil)); protocol.AsError(err).Code != protocol.CodeNotFound {
		t.Errorf("forgotten files: %v", err)
	}
	for range maxJobs {
		must[protocol.PlanReply](t, e, protocol.Plan, protocol.PlanRequest{Op: protocol.Verify})
	}
	if _, _, err := ask[protocol.PlanReply](e, protocol.Plan, protocol.PlanRequest{Op: protocol.Verify}); err == nil {
		t.Error("plans without end")
	}
	must[struct{}](t, e, protocol.Drop, protocol.FinishRequest{Plan: 1})
	must[protocol.PlanReply](t, e, protocol.Plan, protocol.PlanRequest{Op: protocol.Verify})
}

// TestReadsOnly checks that the engine refuses the requests that only package build answers.
func TestReadsOnly(t *testing.T) {
	folder := protocol.FolderFiles{Name: "folder", Paths: []string{"a"}}
	for _, e := range []*Engine{New(Options{}), openSampleEngine(t)} {
		for m, req := range map[protocol.Method]any{
			protocol.Input:   protocol.InputRequest{Folder: folder},
			protocol.Draft:   protocol.DraftRequest{},
			protocol.Build:   protocol.BuildRequest{},
			protocol.Skip:    protocol.SkipRequest{},
			protocol.OutOpen: protocol.OutOpenRequest{Format: protocol.WIM, Target: protocol.ToMemory},
			protocol.Parts:   protocol.PartsRequest{Key: "k", Folders: []protocol.FolderFiles{folder}},
		} {
			if _, _, err := ask[struct{}](e, m, req, bytes.NewReader(nil)); err == nil || protocol.AsError(err).Code != protocol.CodeBadRequest {
				t.Errorf("%s: %v", m, err)
			}
		}
	}
}

func openSampleEngine(t *testing.T) *Engine {
	t.Helper()
	e := New(Options{})
	req, attach := sampleFiles(sample(t, "plain"))
	must[protocol.Archive](t, e, protocol.Open, req, attach...)
	return e
}

// TestLossKinds checks that the protocol has every kind of loss: the page has a text for each kind in the protocol.
func TestLossKinds(t *testing.T) {
	var ours []protocol.LossKind
	for _, k := range wim.LossKinds() {
		ours = append(ours, protocol.LossKind(k))
	}
	if got := protocol.LossKinds(); !slices.Equal(got, ours) {
		t.Errorf("the protocol knows %q, the engine %q", got, ours)
	}
}
