package build

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"wimscope/worker/protocol"
)

// joinedRanges concatenates ranges of files, like a Blob.
type joinedRanges []FileRange

// Size implements engine.Source.
func (j joinedRanges) Size() (n int64) {
	for _, r := range j {
		n += r.N
	}
	return n
}

// ReadAt implements engine.Source.
func (j joinedRanges) ReadAt(b []byte, off int64) (n int, err error) {
	for _, r := range j {
		if n == len(b) {
			break
		}
		if off >= r.N {
			off -= r.N
			continue
		}
		k := min(int64(len(b)-n), r.N-off)
		if _, err := r.In.(io.ReaderAt).ReadAt(b[n:n+int(k)], r.From+off); err != nil {
			return n, err
		}
		n, off = n+int(k), 0
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}

// keeper is a folder that implements Keeper: it keeps all its files as they were when it was made, one after another.
type keeper struct {
	fstest.MapFS
	then   fstest.MapFS
	all    keptFiles
	opened int
}

func newKeeper(f fstest.MapFS) *keeper {
	k := &keeper{MapFS: f, then: maps.Clone(f)}
	k.all = keptFiles{k, slices.Sorted(maps.Keys(f))}
	return k
}

// Open implements fs.FS.
func (k *keeper) Open(name string) (fs.File, error) {
	k.opened++
	return k.MapFS.Open(name)
}

// Kept implements Keeper.
func (k *keeper) Kept(name string) (any, int64, fs.FileInfo) {
	known, err := k.then.Stat(name)
	if err != nil {
		return nil, 0, nil
	}
	from := int64(0)
	for _, before := range k.all.names[:slices.Index(k.all.names, name)] {
		from += int64(len(k.then[before].Data))
	}
	return &k.all, from, known
}

type keptFiles struct {
	k     *keeper
	names []string
}

// ReadAt implements io.ReaderAt.
func (f *keptFiles) ReadAt(b []byte, off int64) (n int, err error) {
	for _, name := range f.names {
		was := f.k.then[name]
		if size := int64(len(was.Data)); off >= size {
			off -= size
			continue
		}
		if n < len(b) && f.k.MapFS[name] != was {
			return n, &protocol.Error{Code: protocol.CodeChanged, Message: "it changed"}
		}
		n, off = n+copy(b[n:], was.Data[off:]), 0
	}
	return n, nil
}

// TestBuildJoined checks that kept files are not opened again, however they are packed.
func TestBuildJoined(t *testing.T) {
	for _, o := range []protocol.BuildOptions{{}, {Codec: "LZX", Level: 1}, {Codec: "LZX", Solid: true, SolidCodec: "XPRESS", SolidLevel: 1}} {
		b := newBuilder(t)
		f, want := tree(3)
		f["large"] = &fstest.MapFile{Data: make([]byte, 70<<20)} // packed in pieces
		want["large"] = string(f["large"].Data)
		k := newKeeper(f)
		b.folder(k)
		d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/", All: true}}})
		before := k.opened
		rep, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: d.Draft}}, Options: o})
		if err != nil || !rep.OK {
			t.Fatalf("%+v: %+v, %v", o, rep, err)
		}
		if k.opened != before {
			t.Errorf("%+v: %d files were opened", o, k.opened-before)
		}
		sameTree(t, contentsOf(t, b.sink.data, 1), want)
	}
}

// TestBuildJoinedChanged checks that if one of the joined files has changed, the build finds out which.
func TestBuildJoinedChanged(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(f fstest.MapFS, path string)
	}{
		{"longer", func(f fstest.MapFS, path string) { f[path] = &fstest.MapFile{Data: []byte("longer than it was")} }},
		{"gone", func(f fstest.MapFS, path string) { delete(f, path) }},
		{"written again", func(f fstest.MapFS, path string) {
			f[path] = &fstest.MapFile{Data: f[path].Data, ModTime: f[path].ModTime.Add(time.Millisecond)}
		}},
	} {
		for _, skip := range []bool{false, true} {
			b := newBuilder(t)
			b.skip = skip
			f, want := tree(1)
			const path = "dir 1/file 22"
			b.folder(newKeeper(f))
			d := b.draft(protocol.DraftRequest{Steps: []protocol.DraftStep{{Op: "add", Folder: 1, Target: "/", All: true}}})
			test.change(f, path)
			delete(want, path)
			rep, err := b.write(protocol.BuildRequest{Images: []protocol.BuildImage{{Draft: d.Draft}}, Options: protocol.BuildOptions{Codec: "XPRESS"}})
			if !skip {
				var e *protocol.Error
				if !errors.As(err, &e) || e.Code != protocol.CodeChanged || e.Name != path || e.Content == 0 {
					t.Errorf("%s: %+v", test.name, err)
				}
				continue
			}
			if err != nil || rep.ProblemsN != 1 || rep.Problems[0].Path != "/"+path {
				t.Errorf("%s: %+v, %v", test.name, rep, err)
			}
			sameTree(t, contentsOf(t, b.sink.data, 1), want)
		}
	}
}
