//go:build !js

package engine

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/hack-pad/hackpadfs"
	"github.com/hack-pad/hackpadfs/mem"

	"wimscope/wim/wimtest"
	"wimscope/worker/protocol"
)

// outputs returns an engine whose outputs are in memory.
func outputs() (*Engine, *memory) {
	sink := &memory{}
	return New(Options{
		OpenSink:   func(protocol.Target, string, any) (Sink, error) { return sink, nil },
		OpenFolder: func(handle any) (hackpadfs.FS, error) { return handle.(hackpadfs.FS), nil },
	}), sink
}

func openSample(t *testing.T, e *Engine, s wimtest.Sample) {
	t.Helper()
	req, attach := sampleFiles(s)
	must[protocol.Archive](t, e, protocol.Open, req, attach...)
}

// TestExtractSamples extracts every sample that opens to a ZIP, a TAR and a folder.
func TestExtractSamples(t *testing.T) {
	for _, s := range wimtest.Samples() {
		if s.Outcome != wimtest.Opens && s.Outcome != wimtest.Warns || len(s.Files) == 0 {
			continue
		}
		want := make(map[string]string)
		for path, data := range s.Files {
			want[strings.TrimPrefix(path, "/")] = data
		}
		check := func(t *testing.T, form string, got map[string]string) {
			t.Helper()
			for path, data := range want {
				if g, ok := got[path]; !ok || g != data {
					t.Errorf("%s: %q is %q (%v), want %q", form, path, g, ok, data)
				}
			}
		}
		t.Run(s.Name, func(t *testing.T) {
			e, sink := outputs()
			openSample(t, e, s)
			req := protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.ZIP}
			runJob(t, e, req, &protocol.OutOpenRequest{Target: protocol.ToMemory})
			check(t, "ZIP", unzip(t, sink.data))

			e, sink = outputs()
			openSample(t, e, s)
			req.Format = protocol.TAR
			runJob(t, e, req, &protocol.OutOpenRequest{Target: protocol.ToMemory})
			check(t, "TAR", untar(t, sink.data))

			e, _ = outputs()
			openSample(t, e, s)
			req.Format = protocol.Folder
			fs, err := mem.NewFS()
			if err != nil {
				t.Fatal(err)
			}
			runJob(t, e, req, &protocol.OutOpenRequest{Target: protocol.ToFolder}, fs)
			check(t, "folder", treeOf(t, fs))
		})
	}
}

func unzip(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r) // checks the CRC
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		got[f.Name] = string(data)
	}
	return got
}

func untar(t *testing.T, b []byte) map[string]string {
	t.Helper()
	got := make(map[string]string)
	for r := tar.NewReader(bytes.NewReader(b)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got[h.Name] = string(data)
		if h.Typeflag == tar.TypeLink {
			got[h.Name] = got[h.Linkname]
		}
	}
}

func treeOf(t *testing.T, fs hackpadfs.FS) map[string]string {
	t.Helper()
	got := make(map[string]string)
	err := hackpadfs.WalkDir(fs, ".", func(p string, d hackpadfs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		if d.IsDir() {
			got[p+"/"] = ""
			return nil
		}
		data, err := hackpadfs.ReadFile(fs, p)
		got[p] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestExtractRawAndDamaged(t *testing.T) {
	h := wimtest.One(wimtest.Folder("", wimtest.TextFile("good", "good bytes"), wimtest.TextFile("bad", "bad bytes")))
	b := h.Bytes()
	at := bytes.Index(b, []byte("bad bytes"))
	b[at] ^= 1
	extract := func(name string, req protocol.PlanRequest) (string, protocol.Report, error) {
		e, sink := outputs()
		openSample(t, e, wimtest.Sample{Parts: []wimtest.SamplePart{{Name: "a.wim", Bytes: b}}})
		if name != "" {
			req.Nodes = []int32{must[protocol.Row](t, e, protocol.Find, protocol.FindRequest{Image: 1, Path: name}).Node}
		}
		req.Op, req.Image = protocol.Extract, 1
		rep, err := tryJob(e, req, &protocol.OutOpenRequest{Target: protocol.ToMemory})
		return string(sink.data), rep, err
	}
	if got, rep, err := extract("/good", protocol.PlanRequest{Format: protocol.Raw}); err != nil || got != "good bytes" || !rep.OK || rep.Written != 1 {
		t.Errorf("%q, %+v, %v", got, rep, err)
	}
	if _, _, err := extract("/bad", protocol.PlanRequest{Format: protocol.Raw}); protocol.AsError(err).Code != protocol.CodeChecksum {
		t.Errorf("a damaged file was saved: %v", err)
	}
	if got, rep, err := extract("/bad", protocol.PlanRequest{Format: protocol.Raw, Recover: true}); err != nil || len(got) != 9 || rep.OK || rep.ProblemsN != 1 {
		t.Errorf("recovered %q, %+v, %v", got, rep, err)
	}
	got, rep, err := extract("", protocol.PlanRequest{Format: protocol.ZIP})
	if err != nil || rep.OK || rep.Written != 1 || rep.ProblemsN != 1 || rep.Problems[0] != (protocol.Problem{Image: 1, Path: "/bad", Reason: "damaged"}) {
		t.Errorf("%+v, %v", rep, err)
	}
	if files := unzip(t, []byte(got)); len(files) != 1 || files["good"] != "good bytes" {
		t.Errorf("ZIP of %v", files)
	}
	got, rep, err = extract("", protocol.PlanRequest{Format: protocol.ZIP, Recover: true})
	if err != nil || rep.Written != 2 || rep.Problems[0].Detail != "written" || len(unzip(t, []byte(got))) != 2 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// tryJob is runJob for jobs that may fail. It returns the first error.
func tryJob(e *Engine, req protocol.PlanRequest, out *protocol.OutOpenRequest, handle ...any) (rep protocol.Report, err error) {
	plan, _, err := ask[protocol.PlanReply](e, protocol.Plan, req)
	if err != nil {
		return rep, err
	}
	out.Format, out.Platform, out.Recover = req.Format, req.Platform, req.Recover
	if _, _, err = ask[struct{}](e, protocol.OutOpen, out, handle...); err != nil {
		return rep, err
	}
	files := []any{e.session.parts[0].R}
	if _, _, err = ask[struct{}](e, protocol.Parts, protocol.PartsRequest{Key: "k", Parts: []string{"a"}}, files...); err != nil {
		return rep, err
	}
	stage, _, err := ask[protocol.StageReply](e, protocol.Stage, protocol.FinishRequest{Plan: plan.Plan})
	if err != nil {
		return rep, err
	}
	for i := range stage.Shards {
		sh, att, err := ask[protocol.ShardReply](e, protocol.Shard, protocol.ShardRequest{Plan: plan.Plan, Index: i})
		if err != nil {
			return rep, err
		}
		merge := protocol.MergeRequest{Plan: plan.Plan, Index: i}
		result, data := any(nil), att[0]
		if sh.Op != "" {
			var run []any
			if merge.Result, run, err = ask[protocol.RunReply](e, protocol.Run, protocol.RunRequest{Key: "k"}, att[0]); err != nil {
				return rep, err
			}
			result, data = run[0], run[1]
		}
		p, back, err := ask[protocol.OutProgress](e, protocol.OutSegment, protocol.OutSegmentRequest{Index: i, Result: merge.Result}, result, data, att[1])
		if err != nil {
			return rep, err
		}
		merge.Refused, merge.Damaged = p.Refused, p.Damaged
		if _, _, err := ask[protocol.MergeReply](e, protocol.Merge, merge, back...); err != nil {
			return rep, err
		}
	}
	if rep, _, err = ask[protocol.Report](e, protocol.Finish, protocol.FinishRequest{Plan: plan.Plan}); err != nil {
		return rep, err
	}
	_, _, err = ask[protocol.OutReply](e, protocol.OutFinish, nil)
	return rep, err
}

// picky is a folder that rejects names and runs out of space, as folders in browsers do.
type picky struct {
	*mem.FS
	refuse func(name string) bool
	full   int // size limit of a write, bytes; no limit if negative
}

func (p *picky) OpenFile(name string, flag int, perm hackpadfs.FileMode) (hackpadfs.File, error) {
	if p.refuse != nil && flag != 0 && p.refuse(name) {
		return nil, &hackpadfs.PathError{Op: "open", Path: name, Err: &protocol.Error{Code: protocol.CodeName, Message: "Name is not allowed."}}
	}
	f, err := hackpadfs.OpenFile(p.FS, name, flag, perm)
	if err != nil || p.full < 0 || flag == 0 {
		return f, err
	}
	return &pickyFile{f, p}, nil
}

func (p *picky) MkdirAll(name string, perm hackpadfs.FileMode) error {
	if p.refuse != nil && p.refuse(name) {
		return &hackpadfs.PathError{Op: "mkdir", Path: name, Err: &protocol.Error{Code: protocol.CodeName, Message: "Name is not allowed."}}
	}
	return hackpadfs.MkdirAll(p.FS, name, perm)
}

func (p *picky) RemoveAll(name string) error { return hackpadfs.RemoveAll(p.FS, name) }

type pickyFile struct {
	hackpadfs.File
	p *picky
}

func (f *pickyFile) WriteAt(b []byte, off int64) (int, error) {
	if len(b) > f.p.full {
		return 0, &protocol.Error{Code: protocol.CodeNoSpace, Message: "no room"}
	}
	return hackpadfs.WriteAtFile(f.File, b, off)
}

// TestNotKept checks that the report counts the facts that an output does not hold.
func TestNotKept(t *testing.T) {
	hidden := wimtest.TextFile("hidden", "1")
	hidden.Attrs, hidden.Short, hidden.Security = 0x3, "HIDDEN~1", 1
	streams := wimtest.TextFile("streams", "2")
	streams.Streams = []wimtest.HandStream{{Name: "more", Data: []byte("3")}}
	one, two := wimtest.TextFile("one", "4"), wimtest.TextFile("two", "4")
	one.Link, two.Link = 7, 7
	root := wimtest.Folder("", hidden, streams, wimtest.Folder("folder", one, two))
	descriptor := append([]byte{1, 0, 0x04, 0x80}, make([]byte, 16)...)
	e, _ := outputs()
	openSample(t, e, wimtest.Sample{Parts: []wimtest.SamplePart{{Name: "a.wim", Bytes: wimtest.One(root, descriptor).Bytes()}}})
	for _, test := range []struct {
		format  protocol.Format
		streams bool
		want    string
	}{
		{protocol.ZIP, false, "named streams 1, security descriptors 1, short names 1"},
		{protocol.ZIP, true, "security descriptors 1, short names 1"},
		{protocol.TAR, false, "named streams 1, security descriptors 1, hidden attributes 1, short names 1"},
		{protocol.Folder, false, "times and attributes 5, hard links (written as copies) 1, named streams 1, security descriptors 1, short names 1"},
	} {
		out := &protocol.OutOpenRequest{Target: protocol.ToMemory}
		var handle []any
		if test.format == protocol.Folder {
			fs, err := mem.NewFS()
			if err != nil {
				t.Fatal(err)
			}
			out.Target, handle = protocol.ToFolder, []any{&picky{FS: fs, full: -1}}
		}
		rep := runJob(t, e, protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: test.format, Streams: test.streams}, out, handle...)
		var saved struct{ NotKept []protocol.Pair }
		if err := json.Unmarshal([]byte(rep.JSON), &saved); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range saved.NotKept {
			got = append(got, p.Name+" "+p.Value)
			if !strings.Contains(rep.Text, "Not kept: "+p.Name+" of "+p.Value+" entries\n") {
				t.Errorf("%s: %q is not in the text:\n%s", test.format, p, rep.Text)
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s, streams %v: %q, want %q", test.format, test.streams, got, test.want)
		}
	}
}

func TestFolderRefusals(t *testing.T) {
	root := wimtest.Folder("", wimtest.TextFile("fine.txt", "1"), wimtest.TextFile("driver.sys", "2"),
		wimtest.Folder("evil.{x}", wimtest.TextFile("inside", "3"), wimtest.Folder("deeper", wimtest.TextFile("f", "4"))),
		wimtest.Folder("good", wimtest.TextFile("also.sys", "5"), wimtest.TextFile("b", "6")))
	for i := range 100 {
		root.Children = append(root.Children, wimtest.TextFile(fmt.Sprint("many ", i), fmt.Sprint("content ", i)))
	}
	s := wimtest.Sample{Parts: []wimtest.SamplePart{{Name: "a.wim", Bytes: wimtest.One(root).Bytes()}}}
	e, _ := outputs()
	openSample(t, e, s)
	fs, err := mem.NewFS()
	if err != nil {
		t.Fatal(err)
	}
	target := &picky{FS: fs, full: -1, refuse: func(name string) bool { return strings.HasSuffix(name, ".sys") || strings.HasSuffix(name, "{x}") }}
	rep := runJob(t, e, protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.Folder}, &protocol.OutOpenRequest{Target: protocol.ToFolder}, target)
	var refused []string
	for _, p := range rep.Problems {
		refused = append(refused, p.Path+" "+p.Reason)
	}
	want := []string{
		"/driver.sys name-refused", "/evil.{x}/ name-refused", "/evil.{x}/deeper/ folder-refused", "/evil.{x}/deeper/f folder-refused",
		"/evil.{x}/inside folder-refused", "/good/also.sys name-refused",
	}
	slices.Sort(refused)
	if !slices.Equal(refused, want) || rep.ProblemsN != len(want) || rep.OK {
		t.Errorf("refused %q\nwant %q", refused, want)
	}
	if rep.Written != 102 || rep.Dirs != 1 {
		t.Errorf("written %d files, %d folders", rep.Written, rep.Dirs)
	}
	got := treeOf(t, fs)
	if len(got) != 103 || got["good/b"] != "6" || got["many 77"] != "content 77" {
		t.Errorf("%d entries: %v", len(got), got)
	}
}

// TestFolderAbort checks that aborting a failed folder output removes what it created and keeps what was there before.
// A file that it has replaced is whole, old or new.
func TestFolderAbort(t *testing.T) {
	root := wimtest.Folder("", wimtest.Folder("new", wimtest.TextFile("a", "1")), wimtest.Folder("old", wimtest.TextFile("b", "22"), wimtest.TextFile("mine", "new mine")),
		wimtest.TextFile("big", strings.Repeat("x", 1000)))
	s := wimtest.Sample{Parts: []wimtest.SamplePart{{Name: "a.wim", Bytes: wimtest.One(root).Bytes()}}}
	e, _ := outputs()
	openSample(t, e, s)
	fs, err := mem.NewFS()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(hackpadfs.MkdirAll(fs, "old", 0o777), hackpadfs.WriteFullFile(fs, "old/mine", []byte("mine"), 0o666), hackpadfs.WriteFullFile(fs, "other", []byte("other"), 0o666)); err != nil {
		t.Fatal(err)
	}
	_, err = tryJob(e, protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.Folder}, &protocol.OutOpenRequest{Target: protocol.ToFolder}, &picky{FS: fs, full: 100})
	if protocol.AsError(err).Code != protocol.CodeNoSpace {
		t.Fatalf("got %v", err)
	}
	must[struct{}](t, e, protocol.OutAbort, nil)
	got := treeOf(t, fs)
	if mine := got["old/mine"]; len(got) != 3 || mine != "mine" && mine != "new mine" || got["other"] != "other" {
		t.Errorf("left behind: %q", got)
	}
}

func TestExtractSelection(t *testing.T) {
	root := wimtest.Folder("", wimtest.Folder("Windows", wimtest.Folder("WinSxS", wimtest.TextFile("huge", "h")), wimtest.Folder("System32", wimtest.TextFile("a.dll", "a"), wimtest.TextFile("b.dll", "b"))))
	e, sink := outputs()
	openSample(t, e, wimtest.Sample{Parts: []wimtest.SamplePart{{Name: "a.wim", Bytes: wimtest.One(root).Bytes()}}})
	node := func(p string) int32 {
		return must[protocol.Row](t, e, protocol.Find, protocol.FindRequest{Image: 1, Path: p}).Node
	}
	req := protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.ZIP, Nodes: []int32{node("/Windows")}, Base: node("/Windows"), Skip: []string{"/Windows/WinSxS", " "}}
	runJob(t, e, req, &protocol.OutOpenRequest{Target: protocol.ToMemory})
	got := unzip(t, sink.data)
	if len(got) != 3 || got["System32/a.dll"] != "a" {
		t.Errorf("%v", got)
	}
	plan := must[protocol.PlanReply](t, e, protocol.Plan, protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.Folder, Platform: "windows"})
	if plan.Refused != 2 || len(plan.Refusals) != 2 || plan.Refusals[0].Reason != "name-extension" {
		t.Errorf("pre-flight: %+v", plan)
	}
	for _, bad := range []protocol.PlanRequest{{Op: protocol.Extract, Image: 1, Format: "rar"}, {Op: protocol.Extract, Image: 9, Format: protocol.ZIP}, {Op: protocol.Extract, Image: 1, Format: protocol.ZIP, Nodes: []int32{-4}}, {Op: "dance"}} {
		if _, _, err := ask[protocol.PlanReply](e, protocol.Plan, bad); err == nil {
			t.Errorf("planned %+v", bad)
		}
	}
}
