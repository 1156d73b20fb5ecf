//go:build !js

package engine_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"wimscope/wasm/engine"
	"wimscope/wim/wimtest"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// starter starts engines in this process, each behind a server of the protocol, and connects the pool to them.
type starter struct {
	mu    sync.Mutex
	sinks []*sink
}

func (s *starter) Load(pool.Program) error { return nil }

func (s *starter) Start(_ pool.Program, _ string, r pool.Receiver) (pool.Conn, error) {
	c := &conn{in: make(chan protocol.Message, 1000), out: make(chan protocol.Message, 1000), over: make(chan struct{})}
	e := engine.New(engine.Options{OpenSink: func(protocol.Target, string, any) (engine.Sink, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		k := &sink{}
		s.sinks = append(s.sinks, k)
		return k, nil
	}})
	server := protocol.NewServer(e, func(m protocol.Message) error {
		select {
		case c.out <- m:
			return nil
		case <-c.over:
			return errors.New("gone")
		}
	})
	go func() {
		for {
			select {
			case m := <-c.in:
				server.Receive(m)
			case m := <-c.out:
				r.Message(m)
			case <-c.over:
				return
			}
		}
	}()
	c.out <- protocol.Message{Kind: protocol.Ready}
	return c, nil
}

type conn struct {
	in, out chan protocol.Message
	over    chan struct{}
	once    sync.Once
}

func (c *conn) Send(m protocol.Message) error {
	select {
	case c.in <- m:
		return nil
	case <-c.over:
		return errors.New("gone")
	}
}

func (c *conn) Bytes(a any) ([]byte, error) { return a.([]byte), nil }
func (c *conn) Terminate()                  { c.once.Do(func() { close(c.over) }) }

type sink struct {
	data    []byte
	aborted bool
}

func (s *sink) WriteAt(p []byte, off int64) (int, error) {
	if grow := int(off) + len(p) - len(s.data); grow > 0 {
		s.data = append(s.data, make([]byte, grow)...)
	}
	return copy(s.data[off:], p), nil
}

func (s *sink) Truncate(size int64) error {
	s.data = s.data[:size]
	return nil
}

func (s *sink) Finish() (any, error) { return bytes.NewReader(s.data), nil }

func (s *sink) Abort() error {
	s.aborted = true
	return nil
}

func open(t *testing.T, files ...string) (*pool.Pool, *pool.Session, *starter) {
	t.Helper()
	st := &starter{}
	p := pool.New(st, pool.Options{Cores: 2})
	t.Cleanup(p.Close)
	var f pool.Files
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Parts = append(f.Parts, pool.File{Name: filepath.Base(name), Value: bytes.NewReader(b)})
	}
	s, err := p.Open(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return p, s, st
}

// TestWholeStack takes archives that wimlib made through pool, protocol and engine: it verifies each, extracts it to a
// ZIP and compares every byte of that with the captured folder.
func TestWholeStack(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := wimtest.Random(0, &wimtest.TreeOptions{Entries: 300, Plain: true}).Write(tree); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 70<<20) // more than one piece
	rand.NewChaCha8([32]byte{1}).Read(big)
	for _, test := range []struct {
		name  string
		args  string
		big   bool
		split bool
	}{
		{name: "none", args: "--compress=none", big: true},
		{name: "xpress", args: "--compress=XPRESS --check"},
		{name: "lzx", args: "--compress=LZX"},
		{name: "lzms", args: "--compress=LZMS"},
		{name: "solid", args: "--solid --solid-chunk-size=1M"},
		{name: "split", args: "--compress=LZX", split: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			bigFile := filepath.Join(tree, "big.bin")
			if test.big {
				if err := os.WriteFile(bigFile, big, 0o644); err != nil {
					t.Fatal(err)
				}
				defer os.Remove(bigFile)
			}
			at := filepath.Join(dir, test.name+".wim")
			wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{"capture", tree, at, "image"}, strings.Fields(test.args)...)...)
			files := []string{at}
			if test.split {
				wimtest.MustRun(t, dir, wimtest.Wimlib, "split", at, filepath.Join(dir, "part.swm"), "0.1")
				files, _ = filepath.Glob(filepath.Join(dir, "part*.swm"))
				if len(files) < 2 {
					t.Fatalf("parts: %v", files)
				}
			}
			p, s, st := open(t, files...)
			var last pool.Figures
			r, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Verify}, nil, func(f pool.Figures) { last = f })
			if err != nil || !r.Report.OK || r.Report.Blobs == 0 {
				t.Fatalf("verify: %v, %s", err, r.Report.Text)
			}
			if last.Bytes != last.OfBytes || last.Items != last.OfItems {
				t.Errorf("figures at the end %+v", last)
			}
			r, err = p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.ZIP}, &pool.OutTarget{Target: protocol.ToMemory}, func(f pool.Figures) { last = f })
			if err != nil {
				t.Fatal(err)
			}
			if last.Phase != pool.Done || last.Bytes != last.OfBytes || last.Items != last.OfItems || last.Files != r.Plan.Files {
				t.Errorf("figures at the end %+v of %+v", last, r.Plan)
			}
			if len(st.sinks) != 1 || int64(len(st.sinks[0].data)) != r.Plan.OutSize || r.Output.Bytes != r.Plan.OutSize {
				t.Fatalf("%d bytes, planned were %d", r.Output.Bytes, r.Plan.OutSize)
			}
			compareZIP(t, st.sinks[0].data, tree)
		})
	}
}

// compareZIP checks that a ZIP contains exactly the files of a folder. The tests of package extract check links.
func compareZIP(t *testing.T, b []byte, tree string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string][32]byte)
	err = filepath.Walk(tree, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(tree, path)
		want[filepath.ToSlash(name)] = sha256.Sum256(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if !f.Mode().IsRegular() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if sum, ok := want[f.Name]; !ok || sum != sha256.Sum256(data) {
			t.Errorf("%s: there %v, %d bytes differ", f.Name, ok, len(data))
		}
		delete(want, f.Name)
	}
	for name := range want {
		t.Errorf("%s is not in the ZIP", name)
	}
}

// TestCancelExtraction checks that cancelling a running job aborts its output, and that the session still answers.
func TestCancelExtraction(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := os.MkdirAll(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 4<<20)
	for i := range 10 {
		rand.NewChaCha8([32]byte{byte(i)}).Read(data)
		if err := os.WriteFile(filepath.Join(tree, string(rune('a'+i))), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	at := filepath.Join(dir, "a.wim")
	wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", tree, at, "image", "--compress=none")
	p, s, st := open(t, at)
	var j *pool.Job
	var once sync.Once
	started := make(chan struct{})
	j = p.Start(s, pool.JobSpec{
		Request: protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.TAR}, Out: &pool.OutTarget{Target: protocol.ToMemory},
		OnBlocks: func([]protocol.BlockMark) {
			once.Do(func() {
				<-started
				j.Cancel()
			})
		},
	})
	close(started)
	_, err := j.Wait()
	if !pool.IsCode(err, protocol.CodeCancelled) {
		t.Fatalf("got %v", err)
	}
	if len(st.sinks) != 1 || !st.sinks[0].aborted {
		t.Error("the output was not taken back")
	}
	if l, err := s.List(t.Context(), protocol.ListRequest{Image: 1, Count: 100}); err != nil || len(l.Rows) != 10 {
		t.Errorf("%+v, %v", l, err)
	}
}
