package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hack-pad/hackpadfs"
	"github.com/hack-pad/hackpadfs/mem"

	"wimscope/wasm/engine"
	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest"
	"wimscope/wim/write"
	"wimscope/worker/protocol"
)

// builder has an engine that coordinates a build and another one that runs its shards, both in this process.
type builder struct {
	t     *testing.T
	lead  *Engine
	other *Engine
	sink  *memorySink
	skip  bool // leave out files that cannot be read

	parts   []protocol.InputRequest
	values  [][]any
	folders []protocol.InputRequest
	sources [][]any
}

// memorySink is a Sink in memory.
type memorySink struct {
	data     []byte
	finished bool
	aborted  bool
	fail     func(off int64) error // error of a write
}

func (m *memorySink) WriteAt(p []byte, off int64) (int, error) {
	if m.fail != nil {
		if err := m.fail(off); err != nil {
			return 0, err
		}
	}
	if need := off + int64(len(p)); need > int64(len(m.data)) {
		m.data = append(m.data, make([]byte, need-int64(len(m.data)))...)
	}
	return copy(m.data[off:], p), nil
}

func (m *memorySink) Truncate(size int64) error { m.data = m.data[:size]; return nil }
func (m *memorySink) Finish() (any, error)      { m.finished = true; return nil, nil }
func (m *memorySink) Abort() error              { m.aborted = true; return nil }

func newBuilder(t *testing.T) *builder {
	b := &builder{t: t, sink: &memorySink{}}
	o := Options{
		Options:    engine.Options{OpenSink: func(protocol.Target, string, any) (engine.Sink, error) { return b.sink, nil }},
		OpenSource: func(handle any) (fs.FS, error) { return handle.(fs.FS), nil },
		Join:       func(r []FileRange) (any, error) { return joinedRanges(r), nil },
	}
	b.lead, b.other = New(o), New(o)
	return b
}

// say sends a request. The bodies pass through JSON, as between page and worker.
func say[Rep any](e *Engine, m protocol.Method, req any, attach ...any) (Rep, []any, error) {
	return sayIn[Rep](context.Background(), e, m, req, attach...)
}

func sayIn[Rep any](ctx context.Context, e *Engine, m protocol.Method, req any, attach ...any) (Rep, []any, error) {
	var rep Rep
	body, err := json.Marshal(req)
	if err != nil {
		return rep, nil, err
	}
	got, att, err := e.Handle(ctx, protocol.NewCall(m, body, attach, nil))
	if err != nil {
		return rep, nil, err
	}
	if body, err = json.Marshal(got); err != nil || got == nil {
		return rep, att, err
	}
	rep, err = protocol.Decode[Rep](body)
	return rep, att, err
}

func well[Rep any](t *testing.T, e *Engine, m protocol.Method, req any, attach ...any) Rep {
	t.Helper()
	rep, _, err := say[Rep](e, m, req, attach...)
	if err != nil {
		t.Fatalf("%s %+v: %v", m, req, err)
	}
	return rep
}

// archive adds an archive in a single file to the build's inputs and returns its number.
func (b *builder) archive(name string, data []byte) int {
	b.t.Helper()
	req := protocol.InputRequest{Parts: []string{name}}
	b.parts, b.values = append(b.parts, req), append(b.values, []any{bytes.NewReader(data)})
	return well[protocol.InputReply](b.t, b.lead, protocol.Input, req, bytes.NewReader(data)).Number
}

// folder adds a folder to the build's inputs, by a handle, and returns its number.
func (b *builder) folder(f fs.FS) int {
	b.t.Helper()
	req := protocol.InputRequest{Folder: protocol.FolderFiles{Name: "folder"}}
	b.folders, b.sources = append(b.folders, req), append(b.sources, []any{f})
	return well[protocol.InputReply](b.t, b.lead, protocol.Input, req, f).Number
}

func (b *builder) draft(req protocol.DraftRequest) protocol.DraftReply {
	b.t.Helper()
	return well[protocol.DraftReply](b.t, b.lead, protocol.Draft, req)
}

// give passes the inputs to the engine that runs shards.
func (b *builder) give(base int) {
	b.t.Helper()
	req := protocol.PartsRequest{Key: "key"}
	var attach []any
	order := []int{}
	if base > 0 {
		order = append(order, base-1)
	}
	for i := range b.parts {
		if i != base-1 {
			order = append(order, i)
		}
	}
	for _, i := range order {
		req.Parts = append(req.Parts, b.parts[i].Parts...)
		attach = append(attach, b.values[i]...)
	}
	for i := range b.folders {
		req.Folders = append(req.Folders, b.folders[i].Folder)
		attach = append(attach, b.sources[i]...)
	}
	well[struct{}](b.t, b.other, protocol.Parts, req, attach...)
}

// write builds an archive as the pool does. It runs the shards of a stage in a shuffled order.
func (b *builder) write(req protocol.BuildRequest) (protocol.Report, error) {
	b.t.Helper()
	plan, _, err := say[protocol.BuildReply](b.lead, protocol.Build, req)
	if err != nil {
		return protocol.Report{}, err
	}
	target := protocol.ToMemory
	if req.InPlace {
		target = protocol.ToFile
		b.sink.data = bytes.Clone(readAll(b.t, b.values[req.Base-1][0]))
	}
	if _, _, err := say[struct{}](b.lead, protocol.OutOpen, protocol.OutOpenRequest{Target: target, Format: protocol.WIM, Plan: plan.Plan, Name: plan.Name}); err != nil {
		return protocol.Report{}, err
	}
	b.give(req.Base)
	for m, body := range map[protocol.Method]any{protocol.Draft: protocol.DraftRequest{}, protocol.Build: req, protocol.OutOpen: protocol.OutOpenRequest{Target: target, Format: protocol.WIM, Plan: plan.Plan}} {
		if _, _, err := say[struct{}](b.lead, m, body); err == nil || protocol.AsError(err).Code != protocol.CodeBadRequest {
			b.t.Errorf("%s while an archive is written: %v", m, err)
		}
	}
	rep, err := b.stages(plan.Plan)
	if err != nil {
		well[struct{}](b.t, b.lead, protocol.OutAbort, nil)
		well[struct{}](b.t, b.lead, protocol.Drop, protocol.FinishRequest{Plan: plan.Plan})
		return rep, err
	}
	out := well[protocol.OutReply](b.t, b.lead, protocol.OutFinish, nil)
	if out.Bytes != int64(len(b.sink.data)) || rep.WrittenLen != out.Bytes || !b.sink.finished {
		b.t.Errorf("%d bytes told, %d reported, %d there", out.Bytes, rep.WrittenLen, len(b.sink.data))
	}
	return rep, nil
}

func readAll(t *testing.T, a any) []byte {
	t.Helper()
	r := a.(*bytes.Reader)
	b := make([]byte, r.Size())
	if _, err := r.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs a shard. If skip is set, it leaves out the files that cannot be read and tries again.
func (b *builder) run(plan, i int) (protocol.ShardReply, protocol.RunReply, []any, error) {
	for {
		sh, att, err := say[protocol.ShardReply](b.lead, protocol.Shard, protocol.ShardRequest{Plan: plan, Index: i})
		if err != nil {
			return sh, protocol.RunReply{}, nil, err
		}
		rep, data, err := say[protocol.RunReply](b.other, protocol.Run, protocol.RunRequest{Key: "key"}, att...)
		e := protocol.AsError(err)
		if e == nil || e.Content == 0 || !b.skip {
			return sh, rep, data, err
		}
		well[struct{}](b.t, b.lead, protocol.Skip, protocol.SkipRequest{Plan: plan, Error: *e})
	}
}

func (b *builder) stages(plan int) (protocol.Report, error) {
	for {
		stage, _, err := say[protocol.StageReply](b.lead, protocol.Stage, protocol.FinishRequest{Plan: plan})
		if err != nil {
			return protocol.Report{}, err
		}
		if stage.Stage == "" {
			break
		}
		type result struct {
			rep  protocol.RunReply
			data []any
		}
		results := make([]result, stage.Shards)
		bytes, items := int64(0), 0
		for _, i := range rand.New(rand.NewPCG(1, uint64(stage.Shards))).Perm(stage.Shards) {
			sh, rep, data, err := b.run(plan, i)
			if err != nil {
				return protocol.Report{}, err
			}
			if sh.Memory > stage.Memory {
				b.t.Errorf("shard %d of %s takes %d bytes, the stage %d", i, stage.Stage, sh.Memory, stage.Memory)
			}
			bytes += sh.Bytes
			items += sh.Items
			results[i] = result{rep, data}
		}
		if !b.skip && (bytes != stage.Bytes || items != stage.Items) {
			b.t.Errorf("%s: shards of %d bytes, %d items, the stage told %d, %d", stage.Stage, bytes, items, stage.Bytes, stage.Items)
		}
		for i, r := range results {
			_, _, err := say[protocol.MergeReply](b.lead, protocol.Merge, protocol.MergeRequest{Plan: plan, Index: i, Result: r.rep}, r.data...)
			e := protocol.AsError(err)
			switch {
			case e == nil:
			case e.Content == 0 || !b.skip:
				return protocol.Report{}, err
			default:
				for _, x := range append([]protocol.Unread{{Content: e.Content, Name: e.Name}}, e.More...) {
					one := *e
					one.Content, one.Name = x.Content, x.Name
					well[struct{}](b.t, b.lead, protocol.Skip, protocol.SkipRequest{Plan: plan, Error: one})
				}
			}
		}
	}
	rep, _, err := say[protocol.Report](b.lead, protocol.Finish, protocol.FinishRequest{Plan: plan})
	return rep, err
}

// contentsOf reads an image back: it maps paths to the contents of files. The paths of folders end with a slash.
func contentsOf(t *testing.T, archive []byte, index int) map[string]string {
	t.Helper()
	a, err := wim.Open([]blobs.Part{{Name: "out.wim", R: bytes.NewReader(archive), Size: int64(len(archive))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return imageContents(t, a, index)
}

func imageContents(t *testing.T, a *wim.Archive, index int) map[string]string {
	t.Helper()
	p, err := verify.New(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := shard.Run(t.Context(), p, shard.Sources{Parts: a.Store().Source()}, nil); err != nil {
		t.Fatal(err)
	}
	if r, err := p.Report(nil); err != nil || !r.OK {
		t.Errorf("verification: %v\n%s", err, r.Text())
	}
	im, err := a.Image(index)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err = fs.WalkDir(im.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		if d.IsDir() {
			got[path+"/"] = ""
			return nil
		}
		b, err := fs.ReadFile(im.FS(), path)
		got[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// tree returns a folder with files of many sizes, some with the same content, and what contentsOf must return for it.
func tree(seed uint64) (fstest.MapFS, map[string]string) {
	r := rand.New(rand.NewPCG(seed, 7))
	when := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	f := fstest.MapFS{"empty": {Mode: fs.ModeDir | 0o755, ModTime: when}}
	want := map[string]string{"empty/": ""}
	for i := range 90 {
		dir := fmt.Sprintf("dir %d", i%7)
		n := []int{0, 1, 100, 5000, 33_000, 70_000}[i%6]
		var text strings.Builder
		for text.Len() < n {
			fmt.Fprintf(&text, "%d words of file %d, ", r.IntN(1000), i)
		}
		content := text.String()[:n]
		if i%10 == 9 {
			content = want["dir 3/file 3"]
		}
		path := fmt.Sprintf("%s/file %d", dir, i)
		f[path] = &fstest.MapFile{Data: []byte(content), Mode: 0o644, ModTime: when}
		want[path], want[dir+"/"] = content, ""
	}
	return f, want
}

// sameTree compares the results of contentsOf.
func sameTree(t *testing.T, got, want map[string]string) {
	t.Helper()
	if maps.Equal(got, want) {
		return
	}
	for _, p := range slices.Sorted(maps.Keys(want)) {
		if g, ok := got[p]; !ok || g != want[p] {
			t.Errorf("%s has %d bytes (there: %v), want %d", p, len(g), ok, len(want[p]))
		}
	}
	for p := range got {
		if _, ok := want[p]; !ok {
			t.Errorf("%s was not to be there", p)
		}
	}
}

// TestBuildNew makes archives of every form from a folder, and checks that they contain it byte for byte.
func TestBuildNew(t *testing.T) {
	for _, o := range []protocol.BuildOptions{
		{}, {Codec: "XPRESS"}, {Codec: "LZX", Level: 1, Integrity: true}, {Codec: "LZX", Level: 2}, {Codec: "LZMS", Level: 1},
		{Codec: "LZMS", Solid: true, SolidChunk: 1 << 17, Level: 1}, {Codec: "none", Integrity: true},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			b := newBuilder(t)
			f, want := tree(1)
			b.folder(f)
			d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/", All: true}}})
			total := int64(0)
			for _, c := range want {
				total += int64(len(c))
			}
			if d.Draft != 1 || d.Files != 90 || d.Dirs != 8 || d.Bytes != total || d.SkippedN != 0 {
				t.Errorf("draft %+v, want %d bytes", d, total)
			}
			rep, err := b.write(protocol.BuildRequest{
				Images: []protocol.BuildImage{{Draft: d.Draft, Properties: []protocol.Pair{{Name: "NAME", Value: "One"}, {Name: "WINDOWS/ARCH", Value: "9"}}}},
				Boot:   1, Options: o, Name: "one",
			})
			if err != nil {
				t.Fatal(err)
			}
			if !rep.OK || rep.Blobs == 0 || rep.Blobs > 80 {
				t.Errorf("report %+v", rep)
			}
			sameTree(t, contentsOf(t, b.sink.data, 1), want)
			e := New(Options{})
			a := well[protocol.Archive](t, e, protocol.Open, protocol.OpenRequest{Parts: []string{"one.wim"}}, bytes.NewReader(b.sink.data))
			codec := o.Codec
			if codec == "" {
				codec = "none"
			}
			if a.Codec != codec || a.Solid != o.Solid || a.Integrity != o.Integrity || a.BootIndex != 1 ||
				a.Images[0].Name != "One" || a.Images[0].Arch != "x64" || a.Images[0].Files != 90 || a.Images[0].Created == "" || a.GUID == strings.Repeat("0", 32) {
				t.Errorf("archive %+v", a)
			}
		})
	}
}

// TestBuildFiles checks that files attached one by one, with their paths, can serve as a folder.
func TestBuildFiles(t *testing.T) {
	b := newBuilder(t)
	req := protocol.InputRequest{Folder: protocol.FolderFiles{Name: "files", Paths: []string{"a.txt", "x/y/b.txt", "x/empty/", "x/y/c.txt"}}}
	files := []any{dated{strings.NewReader("aaa")}, dated{strings.NewReader("bbb")}, dated{strings.NewReader("")}}
	b.folders, b.sources = append(b.folders, req), append(b.sources, files)
	well[protocol.InputReply](t, b.lead, protocol.Input, req, files...)
	d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/in/here"}}})
	if _, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: d.Draft}}}); err != nil {
		t.Fatal(err)
	}
	sameTree(t, contentsOf(t, b.sink.data, 1), map[string]string{
		"in/": "", "in/here/": "", "in/here/a.txt": "aaa", "in/here/x/": "", "in/here/x/empty/": "",
		"in/here/x/y/": "", "in/here/x/y/b.txt": "bbb", "in/here/x/y/c.txt": "",
	})
}

// dated is a file with a modification time.
type dated struct{ *strings.Reader }

func (d dated) ModTime() time.Time { return time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC) }

func TestFileTreeRefuses(t *testing.T) {
	f := any(strings.NewReader("x"))
	for _, test := range []struct {
		name   string
		paths  []string
		attach []any
	}{
		{"a path twice", []string{"a", "a"}, []any{f, f}},
		{"a file in the way", []string{"a", "a/b"}, []any{f, f}},
		{"a folder in the way", []string{"a/b", "a"}, []any{f, f}},
		{"a file where a folder is", []string{"a", "a/"}, []any{f}},
		{"too few files", []string{"a", "b"}, []any{f}},
		{"too many files", []string{"a"}, []any{f, f}},
		{"a path up", []string{"../a"}, []any{f}},
		{"no file", []string{"a"}, []any{1}},
		{"the root", []string{"./"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := protocol.InputRequest{Folder: protocol.FolderFiles{Paths: test.paths}}
			if _, _, err := say[protocol.InputReply](New(Options{}), protocol.Input, req, test.attach...); protocol.AsError(err) == nil || protocol.AsError(err).Code != protocol.CodeBadRequest {
				t.Errorf("%v", err)
			}
		})
	}
}

// made returns an archive with one image of a tree, and what contentsOf must return for it.
func made(t *testing.T, seed uint64, o protocol.BuildOptions) ([]byte, map[string]string) {
	t.Helper()
	b := newBuilder(t)
	f, want := tree(seed)
	b.folder(f)
	d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/", All: true}}})
	image := protocol.BuildImage{Draft: d.Draft, Properties: []protocol.Pair{{Name: "NAME", Value: fmt.Sprint("tree ", seed)}}}
	if _, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{image}, Options: o}); err != nil {
		t.Fatal(err)
	}
	return b.sink.data, want
}

// TestBuildFromArchives appends, updates, deletes, exports and optimises, each with a single request.
func TestBuildFromArchives(t *testing.T) {
	old, first := made(t, 1, protocol.BuildOptions{Codec: "XPRESS"})
	other, second := made(t, 2, protocol.BuildOptions{Codec: "LZX", Level: 1})
	keep := protocol.BuildImage{Archive: 1, Image: 1}
	t.Run("append in place", func(t *testing.T) {
		b := newBuilder(t)
		b.archive("old.wim", old)
		f, want := tree(3)
		b.folder(f)
		d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/", All: true}}})
		rep, err := b.write(protocol.BuildRequest{Base: 1, InPlace: true, Images: []protocol.BuildImage{keep, {Draft: d.Draft}}, Boot: 2})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.sink.data[208:len(old)], old[208:]) {
			t.Error("what was there was changed")
		}
		sameTree(t, contentsOf(t, b.sink.data, 1), first)
		sameTree(t, contentsOf(t, b.sink.data, 2), want)
		if rep.WrittenLen <= int64(len(old)) {
			t.Errorf("%d bytes after %d", rep.WrittenLen, len(old))
		}
	})
	t.Run("update", func(t *testing.T) {
		b := newBuilder(t)
		b.archive("old.wim", old)
		b.folder(fstest.MapFS{"new.txt": {Data: []byte("new")}, "dir 1/file 1": {Data: []byte("other")}})
		d := b.draft(protocol.DraftRequest{Archive: 1, Image: 1, Steps: []protocol.DraftStep{
			{Op: "delete", Path: "/dir 2", Recursive: true}, {Op: "rename", Path: "/DIR 3/file 3", Target: "/moved"},
			{Op: "add", Folder: 1, Target: "/"},
		}})
		if d.Replaced != 1 {
			t.Errorf("%d entries gave way", d.Replaced)
		}
		want := maps.Clone(first)
		maps.DeleteFunc(want, func(p, _ string) bool { return strings.HasPrefix(p, "dir 2/") })
		want["moved"], want["new.txt"], want["dir 1/file 1"] = want["dir 3/file 3"], "new", "other"
		delete(want, "dir 3/file 3")
		if _, err := b.write(protocol.BuildRequest{Base: 1, InPlace: true, Images: []protocol.BuildImage{{Archive: 1, Image: 1, Draft: d.Draft}}}); err != nil {
			t.Fatal(err)
		}
		sameTree(t, contentsOf(t, b.sink.data, 1), want)
		a := well[protocol.Archive](t, New(Options{}), protocol.Open, protocol.OpenRequest{Parts: []string{"a"}}, bytes.NewReader(b.sink.data))
		if a.Images[0].Name != "tree 1" {
			t.Errorf("the image is called %q", a.Images[0].Name)
		}
	})
	t.Run("export and recompress", func(t *testing.T) {
		b := newBuilder(t)
		b.archive("old.wim", old)
		b.archive("other.wim", other)
		if _, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{{Archive: 2, Image: 1}, keep}, Options: protocol.BuildOptions{Codec: "LZX", Level: 1, Recompress: true}}); err != nil {
			t.Fatal(err)
		}
		sameTree(t, contentsOf(t, b.sink.data, 1), second)
		sameTree(t, contentsOf(t, b.sink.data, 2), first)
	})
	t.Run("export into another archive and back", func(t *testing.T) {
		b := newBuilder(t)
		b.archive("other.wim", other)
		b.archive("old.wim", old)
		if _, err := b.write(protocol.BuildRequest{Base: 2, InPlace: true, Images: []protocol.BuildImage{{Archive: 2, Image: 1}, {Archive: 1, Image: 1}}}); err != nil {
			t.Fatal(err)
		}
		both := b.sink.data
		sameTree(t, contentsOf(t, both, 2), second)
		b = newBuilder(t)
		b.archive("both.wim", both)
		if _, err := b.write(protocol.BuildRequest{Base: 1, Images: []protocol.BuildImage{{Archive: 1, Image: 2}}, Options: protocol.BuildOptions{Codec: "XPRESS"}}); err != nil {
			t.Fatal(err)
		}
		sameTree(t, contentsOf(t, b.sink.data, 1), second)
		if len(b.sink.data) >= len(both) {
			t.Errorf("without its first image the archive has %d bytes of %d", len(b.sink.data), len(both))
		}
	})
	t.Run("rebuild as it is", func(t *testing.T) {
		b := newBuilder(t)
		b.archive("old.wim", old)
		if _, err := b.write(protocol.BuildRequest{Base: 1, Images: []protocol.BuildImage{keep, keep}, Options: protocol.BuildOptions{AsBase: true}}); err != nil {
			t.Fatal(err)
		}
		sameTree(t, contentsOf(t, b.sink.data, 2), first)
		if more := len(b.sink.data) - len(old); more > 20_000 {
			t.Errorf("the same image twice takes %d bytes more", more)
		}
	})
	t.Run("refused", func(t *testing.T) {
		b := newBuilder(t)
		b.archive("old.wim", old)
		for _, test := range []struct {
			name string
			req  protocol.BuildRequest
			code protocol.Code
		}{
			{"no image", protocol.BuildRequest{Images: []protocol.BuildImage{{}}}, protocol.CodeBadRequest},
			{"an image that is not there", protocol.BuildRequest{Images: []protocol.BuildImage{{Archive: 1, Image: 2}}}, protocol.CodeNotFound},
			{"an archive that is not there", protocol.BuildRequest{Images: []protocol.BuildImage{{Archive: 2, Image: 1}}}, protocol.CodeNotFound},
			{"a draft that is not there", protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: 1}}}, protocol.CodeNotFound},
			{"a codec that is not there", protocol.BuildRequest{Images: []protocol.BuildImage{keep}, Options: protocol.BuildOptions{Codec: "ZIP"}}, protocol.CodeBadRequest},
			{"in no file", protocol.BuildRequest{InPlace: true, Images: []protocol.BuildImage{keep}}, protocol.CodeRefused},
			{"a level that is not there", protocol.BuildRequest{Images: []protocol.BuildImage{keep}, Options: protocol.BuildOptions{Codec: "LZX", Level: 9}}, protocol.CodeUnsupported},
		} {
			if _, _, err := say[protocol.BuildReply](b.lead, protocol.Build, test.req); err == nil || protocol.AsError(err).Code != test.code {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	})
}

// TestBuildChanged checks that the job fails with the name of a file that changed or disappeared between the scan and
// reading.
func TestBuildChanged(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(f fstest.MapFS)
	}{
		{"longer", func(f fstest.MapFS) { f["dir 1/file 1"] = &fstest.MapFile{Data: []byte("longer than it was")} }},
		{"gone", func(f fstest.MapFS) { delete(f, "dir 1/file 1") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBuilder(t)
			f, _ := tree(1)
			b.folder(f)
			d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/"}}})
			test.change(f)
			_, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: d.Draft}}})
			e := protocol.AsError(err)
			if err == nil || e.Code != protocol.CodeChanged || e.Name != "dir 1/file 1" || e.Content == 0 {
				t.Errorf("%+v", e)
			}
			if !b.sink.aborted || b.sink.finished {
				t.Error("what was written was not taken back")
			}
		})
	}
}

// TestBuildNoSpace checks that a full disk ends the job and aborts the output, and that the same draft can be written
// elsewhere afterwards.
func TestBuildNoSpace(t *testing.T) {
	b := newBuilder(t)
	f, want := tree(1)
	b.folder(f)
	d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/", All: true}}})
	req := protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: d.Draft}}, Options: protocol.BuildOptions{Codec: "XPRESS"}}
	b.sink.fail = func(off int64) error {
		if off > 1000 {
			return &protocol.Error{Code: protocol.CodeNoSpace, Message: "full"}
		}
		return nil
	}
	if _, err := b.write(req); err == nil || protocol.AsError(err).Code != protocol.CodeNoSpace || !b.sink.aborted {
		t.Errorf("%v, aborted %v", err, b.sink.aborted)
	}
	*b.sink = memorySink{}
	if _, err := b.write(req); err != nil {
		t.Fatal(err)
	}
	sameTree(t, contentsOf(t, b.sink.data, 1), want)
}

// TestBuildScan checks that a scan can be cancelled, and that it leaves out and lists what it cannot read.
func TestBuildScan(t *testing.T) {
	b := newBuilder(t)
	f, _ := tree(1)
	f["pagefile.sys"] = &fstest.MapFile{Data: []byte("x")}
	b.folder(broken{f, "dir 4"})
	d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/"}}})
	if d.SkippedN != 1 || d.Skipped[0].Path != "/dir 4" || d.Skipped[0].Reason != "unreadable" || d.Excluded != 1 {
		t.Errorf("%+v", d)
	}
	for i := range 3000 {
		f[fmt.Sprint("many/", i)] = &fstest.MapFile{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body, _ := json.Marshal(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/"}}})
	if _, _, err := b.lead.Handle(ctx, protocol.NewCall(protocol.Draft, body, nil, nil)); !errors.Is(err, context.Canceled) && protocol.AsError(err).Code != protocol.CodeCancelled {
		t.Errorf("%v", err)
	}
}

// broken is a file system with a folder that cannot be read.
type broken struct {
	fstest.MapFS
	folder string
}

func (b broken) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == b.folder {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.ReadDir(name)
}

// TestBuildSplit checks that a split set is written to a folder as a whole, or not at all.
func TestBuildSplit(t *testing.T) {
	old, first := made(t, 1, protocol.BuildOptions{Codec: "XPRESS"})
	b := newBuilder(t)
	b.archive("old.wim", old)
	target, err := mem.NewFS()
	if err != nil {
		t.Fatal(err)
	}
	b.lead.o.OpenFolder = func(any) (hackpadfs.FS, error) { return target, nil }
	req := protocol.BuildRequest{Base: 1, Images: []protocol.BuildImage{{Archive: 1, Image: 1}}, PartSize: 100_000, Name: "old.wim", Options: protocol.BuildOptions{AsBase: true}}
	run := func() (protocol.Report, error) {
		plan := well[protocol.BuildReply](t, b.lead, protocol.Build, req)
		if plan.Name != "old.swm" || plan.Size == 0 {
			t.Errorf("plan %+v", plan)
		}
		well[struct{}](t, b.lead, protocol.OutOpen, protocol.OutOpenRequest{Target: protocol.ToFolder, Format: protocol.WIM, Plan: plan.Plan, Name: plan.Name})
		b.give(1)
		return b.stages(plan.Plan)
	}
	if _, err := run(); err != nil {
		t.Fatal(err)
	}
	well[struct{}](t, b.lead, protocol.OutAbort, nil)
	if left, err := hackpadfs.ReadDir(target, "."); err != nil || len(left) > 0 {
		t.Errorf("%v were left behind, %v", left, err)
	}
	rep, err := run()
	if err != nil {
		t.Fatal(err)
	}
	out := well[protocol.OutReply](t, b.lead, protocol.OutFinish, nil)
	list, err := hackpadfs.ReadDir(target, ".")
	if err != nil {
		t.Fatal(err)
	}
	var parts []blobs.Part
	total := int64(0)
	for _, e := range list {
		data, err := hackpadfs.ReadFile(target, e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 100_000 {
			t.Errorf("%s has %d bytes", e.Name(), len(data))
		}
		total += int64(len(data))
		parts = append(parts, blobs.Part{Name: e.Name(), R: bytes.NewReader(data), Size: int64(len(data))})
	}
	if len(parts) < 3 || out.Files != len(parts) || rep.Written != len(parts) || rep.WrittenLen != total || out.Bytes != total {
		t.Errorf("%d parts of %d bytes, told %+v and %+v", len(parts), total, out, rep)
	}
	a, err := wim.Open(parts, nil)
	if err != nil {
		t.Fatal(err)
	}
	sameTree(t, imageContents(t, a, 1), first)
}

// TestBuildSkip checks that a file that is gone can be left out on request, and is then listed in the report.
func TestBuildSkip(t *testing.T) {
	b := newBuilder(t)
	f, want := tree(1)
	b.folder(f)
	d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/", All: true}}})
	delete(f, "dir 1/file 1")
	delete(want, "dir 1/file 1")
	b.skip = true
	rep, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: d.Draft}}, Options: protocol.BuildOptions{Codec: "XPRESS"}})
	if err != nil {
		t.Fatal(err)
	}
	if rep.OK || rep.ProblemsN != 1 || rep.Problems[0].Path != "/dir 1/file 1" || !strings.Contains(rep.Text, "dir 1/file 1") {
		t.Errorf("%+v", rep)
	}
	sameTree(t, contentsOf(t, b.sink.data, 1), want)
}

// TestBuildDamagedCopy checks that damaged blobs of an archive are not copied: the job fails, or leaves them all out.
func TestBuildDamagedCopy(t *testing.T) {
	old, want := made(t, 1, protocol.BuildOptions{})
	var lost []string
	for _, path := range slices.Sorted(maps.Keys(want)) {
		at := bytes.Index(old, []byte(want[path]))
		if len(want[path]) < 100 || len(lost) == 3 {
			continue
		}
		old[at+50] ^= 1
		for p, text := range want {
			if text == want[path] && p != path {
				delete(want, p)
			}
		}
		delete(want, path)
		lost = append(lost, path)
	}
	for _, skip := range []bool{false, true} {
		b := newBuilder(t)
		b.skip = skip
		b.archive("old.wim", old)
		rep, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{{Archive: 1, Image: 1}}})
		if !skip {
			if e := protocol.AsError(err); err == nil || e.Code != protocol.CodeChecksum || e.Content == 0 || e.Name == "" || len(e.More) == 0 {
				t.Errorf("copying damaged blobs: %+v", e)
			}
			continue
		}
		if err != nil || rep.OK || rep.ProblemsN != len(lost) {
			t.Fatalf("%+v, %v, want %d problems for %q", rep, err, len(lost), lost)
		}
		a, err := wim.Open([]blobs.Part{{Name: "out.wim", R: bytes.NewReader(b.sink.data), Size: int64(len(b.sink.data))}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range want {
			if strings.HasSuffix(path, "/") {
				continue
			}
			im, err := a.Image(1)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := fs.ReadFile(im.FS(), path); err != nil || string(got) != text {
				t.Errorf("%s: %d bytes, %v", path, len(got), err)
			}
		}
	}
}

// TestBuildIncomplete checks that the engine refuses to make a draft of an incomplete image and to rewrite its archive.
// It can copy the image to another archive, with a warning, and append to its archive in place.
func TestBuildIncomplete(t *testing.T) {
	sub := wimtest.Folder("sub", &wimtest.HandEntry{Name: "lost"})
	sub.Subdir = func(map[string]int) int64 { return 1 << 20 } // beyond the metadata
	b := newBuilder(t)
	b.archive("old.wim", wimtest.One(wimtest.Folder("", sub, wimtest.TextFile("a", "text"))).Bytes())
	refused := func(what string, err error) {
		t.Helper()
		e := protocol.AsError(err)
		if err == nil || e.Code != protocol.CodeRefused || e.Record != write.RefusedIncomplete || !strings.Contains(e.Message, "image 1: /sub: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, _, err := say[protocol.DraftReply](b.lead, protocol.Draft, protocol.DraftRequest{Archive: 1, Image: 1})
	refused("a draft", err)
	images := []protocol.BuildImage{{Archive: 1, Image: 1}}
	_, err = b.write(protocol.BuildRequest{Base: 1, Images: images, Options: protocol.BuildOptions{AsBase: true}})
	refused("a rewritten archive", err)
	if len(b.sink.data) > 0 {
		t.Error("something was written")
	}
	for name, req := range map[string]protocol.BuildRequest{
		"a copy":   {Images: images},
		"a set":    {Base: 1, Images: images, PartSize: 1 << 20, Options: protocol.BuildOptions{AsBase: true}},
		"in place": {Base: 1, Images: images, InPlace: true, Options: protocol.BuildOptions{AsBase: true}},
	} {
		rep, _, err := say[protocol.BuildReply](b.lead, protocol.Build, req)
		warned := slices.ContainsFunc(rep.Warnings, func(w protocol.Pair) bool { return w.Name == write.WarnIncomplete })
		if err != nil || warned == req.InPlace {
			t.Errorf("%s: %v, warnings %v", name, err, rep.Warnings)
		}
	}
}
