package fsa

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"syscall/js"
	"testing"
	"time"

	"github.com/hack-pad/hackpadfs"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

func randomBytes(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func fileOf(t *testing.T, data []byte, name string) *File {
	t.Helper()
	v := js.Global().Get("File").New([]any{jsx.Uint8Array(data)}, name)
	f, err := NewFile(v)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFileReadAt(t *testing.T) {
	data := randomBytes(3<<20 + 12345)
	f := fileOf(t, data, "a.wim")
	if f.Size() != int64(len(data)) || f.Name() != "a.wim" {
		t.Fatalf("%s, %d bytes", f.Name(), f.Size())
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		off := r.IntN(len(data))
		n := 1 + r.IntN(1000)
		switch r.IntN(4) {
		case 0:
			n = 1 + r.IntN(1<<20)
		case 1:
			n = blockSize
		}
		p := make([]byte, n)
		got, err := f.ReadAt(p, int64(off))
		want := data[off:min(off+n, len(data))]
		if got != len(want) || !bytes.Equal(p[:got], want) || (err == io.EOF) != (len(want) < n) || err != nil && err != io.EOF {
			t.Fatalf("%d bytes at %d: %d read, %v", n, off, got, err)
		}
		if len(f.blocks) > blockCount {
			t.Fatalf("%d blocks kept", len(f.blocks))
		}
	}
	if n, err := f.ReadAt(make([]byte, 1), f.Size()); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if _, err := f.ReadAt(make([]byte, 1), -1); err == nil || err == io.EOF {
		t.Errorf("before the beginning: %v", err)
	}
}

// TestFileReadAhead checks that sequential small reads fetch several blocks at a time, and scattered ones do not.
func TestFileReadAhead(t *testing.T) {
	data := randomBytes(8 * blockSize)
	f := fileOf(t, data, "")
	p := make([]byte, 100)
	for _, at := range []int64{0, 5 * blockSize, 2 * blockSize} {
		f.ReadAt(p, at)
	}
	if len(f.blocks) != 3 {
		t.Errorf("scattered reads keep %d blocks, want 3", len(f.blocks))
	}
	f.ReadAt(p, 3*blockSize)
	if f.blocks[4] == nil || f.blocks[6] == nil {
		t.Error("reads that go forward read nothing ahead")
	}
	var all bytes.Buffer
	if _, err := io.Copy(&all, io.NewSectionReader(f, 0, f.Size())); err != nil || !bytes.Equal(all.Bytes(), data) {
		t.Errorf("copy: %v", err)
	}
}

// TestFileChanged checks the errors for exceptions that browsers throw, such as NotReadableError for a file that
// changed on disk, and for one that a fake reader throws.
func TestFileChanged(t *testing.T) {
	f := fileOf(t, randomBytes(100), "a.wim")
	thrower := js.Global().Get("Object").New()
	thrower.Set("readAsArrayBuffer", js.Global().Get("DOMException")) // called without new, it throws a TypeError
	f.reader = thrower
	_, err := f.ReadAt(make([]byte, 10), 0)
	var pe *protocol.Error
	if !errors.As(err, &pe) || pe.Name != "a.wim" {
		t.Errorf("got %v", err)
	}
	for name, want := range map[string]protocol.Code{
		"NotReadableError": protocol.CodeChanged, "NotAllowedError": protocol.CodePermission, "RangeError": protocol.CodeTooLarge,
		// Firefox
		"AbortError": protocol.CodeChanged, "NS_ERROR_FAILURE": protocol.CodeChanged, "NS_ERROR_FILE_NOT_FOUND": protocol.CodeChanged,
	} {
		err := readError("a.wim", &jsx.Error{Name: name})
		if pe := protocol.AsError(err); pe.Code != want {
			t.Errorf("reading: %s is %s, want %s", name, pe.Code, want)
		}
	}
	for name, want := range map[string]protocol.Code{
		"QuotaExceededError": protocol.CodeNoSpace, "AbortError": protocol.CodeBlocked, "NotAllowedError": protocol.CodePermission,
		"NoModificationAllowedError": protocol.CodeBlocked, "NotFoundError": protocol.CodeChanged,
	} {
		err := writeError("a.zip", &jsx.Error{Name: name})
		if pe := protocol.AsError(err); pe.Code != want || pe.Name != "a.zip" {
			t.Errorf("writing: %s is %s, want %s", name, pe.Code, want)
		}
	}
}

// TestWhatBecame reads a file that changed since it was opened, with the errors that browsers throw.
func TestWhatBecame(t *testing.T) {
	content := randomBytes(1000)
	for _, x := range []struct {
		name string
		read string // result of reading blob; tail is true if it includes the file's last byte
		want string
	}{
		{"gone, Chromium", `throw new DOMException("", "NotFoundError")`, protocol.FileGone},
		{"gone, Firefox", `throw Object.assign(new Error(), { name: "NS_ERROR_FILE_NOT_FOUND" })`, protocol.FileGone},
		{"gone, reported late", `throw new DOMException("", blob.size === 1 && tail ? "NotFoundError" : "AbortError")`, protocol.FileGone},
		{"cut, Firefox", `return new ArrayBuffer(tail ? 0 : blob.size)`, protocol.FileCut},
		{"cut to nothing", `return new ArrayBuffer(0)`, protocol.FileCut},
		{"cut, the end throws", `if (tail) throw new DOMException("", "NotReadableError"); return new ArrayBuffer(blob.size)`, protocol.FileCut},
		{"changed, Chromium", `throw new DOMException("", "NotReadableError")`, ""},
	} {
		f := fileOf(t, content, "a.wim")
		// A Blob does not reveal its position: the slice method that the File calls records it.
		noted := js.Global().Get("Object").New()
		f.reader = js.Global().Get("Function").New("noted", `return { readAsArrayBuffer(blob) { const tail = noted.to === 1000; `+x.read+`; } }`).Invoke(noted)
		f.blob = js.Global().Get("Function").New("whole", "noted", `return { slice(from, to) { noted.to = to; return whole.slice(from, to); } }`).Invoke(f.blob, noted)
		_, err := f.ReadAt(make([]byte, 1000), 0)
		if pe := protocol.AsError(err); err == nil || pe.Code != protocol.CodeChanged || pe.Record != x.want || pe.Name != "a.wim" {
			t.Errorf("%s: %+v, want %q", x.name, err, x.want)
		}
	}
}

func TestNewFileRefuses(t *testing.T) {
	if _, err := NewFile(js.Global().Get("Object").New()); err == nil {
		t.Error("an object that is not a File was accepted")
	}
}

// jsBuffer is a buffer as a worker receives it.
type jsBuffer struct{ a js.Value }

func (b jsBuffer) JSValue() js.Value { return b.a }

// TestSinks makes the same writes to each sink: in order, out of order, over existing data, and beyond the end. Then it
// truncates the sink.
func TestSinks(t *testing.T) {
	writes := []struct {
		off int64
		n   int
	}{{0, 1000}, {1000, 5 << 20}, {10, 4}, {9 << 20, 100}, {4<<20 - 5, 10}}
	var want []byte
	for i, w := range writes {
		if grow := int(w.off) + w.n - len(want); grow > 0 {
			want = append(want, make([]byte, grow)...)
		}
		copy(want[w.off:], bytes.Repeat([]byte{byte(i + 1)}, w.n))
	}
	want = want[:9<<20-17]
	fill := func(t *testing.T, s Sink) {
		for i, w := range writes {
			p := bytes.Repeat([]byte{byte(i + 1)}, w.n)
			if i%2 == 1 { // from the middle of a buffer in JavaScript's memory
				b := jsBuffer{jsx.Uint8Array(slices.Concat([]byte("before"), p, []byte("behind")))}
				if err := s.WriteBuffer(b, 6, int64(w.n), w.off); err != nil {
					t.Fatalf("write %d: %v", i, err)
				}
				continue
			}
			if n, err := s.WriteAt(p, w.off); n != len(p) || err != nil {
				t.Fatalf("write %d: %d, %v", i, n, err)
			}
			clear(p) // the sink must not use it later
		}
		if err := s.Truncate(int64(len(want))); err != nil {
			t.Fatal(err)
		}
	}
	check := func(t *testing.T, v js.Value) {
		t.Helper()
		f, err := NewFile(v)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, f.Size())
		if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, want %d; %v", len(got), len(want), err)
		}
	}
	t.Run("memory", func(t *testing.T) {
		s, err := OpenSink(protocol.ToMemory, "a.zip", nil)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s)
		file, err := s.Finish()
		if err != nil {
			t.Fatal(err)
		}
		check(t, file.(js.Value))
		if name := file.(js.Value).Get("name").String(); name != "a.zip" {
			t.Errorf("named %s", name)
		}
	})
	t.Run("origin", func(t *testing.T) {
		origin, err := Origin()
		if err != nil {
			t.Fatal(err)
		}
		origin.RemoveAll("wimscope-output")
		s, err := OpenSink(protocol.ToOPFS, "a.zip", nil)
		if err != nil {
			t.Fatal(err)
		}
		other, err := OpenSink(protocol.ToOPFS, "b.zip", nil) // at the same time
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s)
		file, err := s.Finish()
		if err != nil {
			t.Fatal(err)
		}
		check(t, file.(js.Value))
		if err := other.Abort(); err != nil {
			t.Fatal(err)
		}
		entries, err := origin.ReadDir("wimscope-output")
		if err != nil || len(entries) != 1 {
			t.Errorf("%d entries after one was finished and one aborted: %v", len(entries), err)
		}
		// Old outputs are removed; one that is being written stays.
		dir, err := origin.dir("wimscope-output")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jsx.Call(dir, "getFileHandle", "1000-0", map[string]any{"create": true}); err != nil {
			t.Fatal(err)
		}
		s, err = OpenSink(protocol.ToOPFS, "c.zip", nil)
		if err != nil {
			t.Fatal(err)
		}
		var sizes []int64
		if err := jsx.RemoveOutputs(func(size int64, age time.Duration) bool {
			sizes = append(sizes, size)
			return size == 0 && age < time.Minute
		}); err != nil {
			t.Error(err)
		}
		entries, err = origin.ReadDir("wimscope-output")
		if err != nil || len(entries) != 2 {
			t.Errorf("%d entries of sizes %v are left, want the finished one and the one being written: %v", len(entries), sizes, err)
		}
		if err := s.Abort(); err != nil {
			t.Error(err)
		}
		if err := jsx.RemoveOutput(file.(js.Value).Get("name").String()); err != nil {
			t.Error(err)
		}
		if entries, err = origin.ReadDir("wimscope-output"); err != nil || len(entries) != 0 {
			t.Errorf("entries %v: %v", entries, err)
		}
		origin.RemoveAll("wimscope-output")
	})
	t.Run("origin, full", func(t *testing.T) {
		s, err := OpenSink(protocol.ToOPFS, "a.zip", nil)
		if err != nil {
			t.Fatal(err)
		}
		o := s.(*opfsSink)
		access := o.access
		for _, how := range []string{`throw new DOMException("", "QuotaExceededError")`, `return data.length - 1`} {
			o.access = js.Global().Get("Function").New(`return { write(data) { ` + how + `; } }`).Invoke()
			_, err = s.WriteAt([]byte("abc"), 0)
			if pe := protocol.AsError(err); err == nil || pe.Code != protocol.CodeNoSpace || pe.Record != protocol.InStore || pe.Name != "a.zip" {
				t.Errorf("%s: %+v", how, err)
			}
		}
		o.access = access
		if err := s.Abort(); err != nil {
			t.Error(err)
		}
	})
	t.Run("origin, refused", func(t *testing.T) {
		// As in Firefox's private windows, and with site data blocked: the API rejects, or its getter throws.
		for _, how := range []string{
			`{ value: { getDirectory: async () => { throw new DOMException("", "SecurityError"); } } }`,
			`{ get() { throw new DOMException("", "SecurityError"); } }`,
		} {
			js.Global().Get("Function").New(`Object.defineProperty(navigator, "storage", { configurable: true, ...` + how + ` })`).Invoke()
			s, err := OpenSink(protocol.ToOPFS, "a.zip", nil)
			room := jsx.Room()
			js.Global().Get("Function").New(`delete navigator.storage`).Invoke()
			if err != nil {
				t.Fatal(err)
			}
			if room != -1 {
				t.Errorf("room for %d bytes", room)
			}
			fill(t, s)
			file, err := s.Finish()
			if err != nil {
				t.Fatal(err)
			}
			check(t, file.(js.Value))
		}
		if jsx.Room() <= 0 {
			t.Error("the storage was not restored")
		}
	})
	t.Run("handle", func(t *testing.T) {
		fs := scratch(t)
		h, err := jsx.Call(fs.root, "getFileHandle", "a.zip", map[string]any{"create": true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := OpenSink(protocol.ToHandle, "a.zip", h)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s)
		if info, err := fs.Stat("a.zip"); err != nil || info.Size() != 0 {
			t.Errorf("data is visible before Finish: %v, %v", info, err)
		}
		if file, err := s.Finish(); err != nil || file != nil {
			t.Fatal(file, err)
		}
		v, err := jsx.Call(h, "getFile")
		if err != nil {
			t.Fatal(err)
		}
		check(t, v)
		// A second output over it that is aborted leaves it unchanged.
		s, err = OpenSink(protocol.ToHandle, "a.zip", h)
		if err != nil {
			t.Fatal(err)
		}
		s.WriteAt([]byte("rubbish"), 0)
		if err := s.Abort(); err != nil {
			t.Fatal(err)
		}
		v, err = jsx.Call(h, "getFile")
		if err != nil {
			t.Fatal(err)
		}
		check(t, v)
	})
	t.Run("new handle aborted", func(t *testing.T) {
		fs := scratch(t)
		h, err := jsx.Call(fs.root, "getFileHandle", "a.zip", map[string]any{"create": true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := OpenSink(protocol.ToHandle, "a.zip", h)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s)
		if err := s.Abort(); err != nil {
			t.Fatal(err)
		}
		entries, err := fs.ReadDir(".")
		if err != nil || len(entries) != 0 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	})
}

func TestSinkWithoutHandle(t *testing.T) {
	for _, target := range []protocol.Target{protocol.ToHandle, protocol.ToFolder, "nowhere"} {
		if _, err := OpenSink(target, "x", nil); protocol.AsError(err).Code != protocol.CodeBadRequest {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// TestFileAbort checks that an aborted file does not exist, or is unchanged if it existed before.
func TestFileAbort(t *testing.T) {
	fs := scratch(t)
	write := func(text string) *openFile {
		f, err := fs.OpenFile("a", writeNew, 0)
		if err != nil {
			t.Fatal(err)
		}
		o := f.(*openFile)
		if _, err := o.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return o
	}
	if err := write("one").Abort(); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat("a"); err == nil {
		t.Error("an aborted file exists")
	}
	if err := write("two").Close(); err != nil {
		t.Fatal(err)
	}
	if err := write("three").Abort(); err != nil {
		t.Fatal(err)
	}
	f, err := fs.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil || string(got) != "two" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestRefusedName checks that names that the browser rejects are distinguished from other failures.
func TestRefusedName(t *testing.T) {
	fs := scratch(t)
	_, err := fs.OpenFile(`a\b`, writeNew, 0)
	if pe := protocol.AsError(err); pe.Code != protocol.CodeName {
		t.Errorf("got %v", err)
	}
	if err := fs.Mkdir(`a\b`, 0); protocol.AsError(err).Code != protocol.CodeName {
		t.Errorf("got %v", err)
	}
}

func TestManyFilesAtOnce(t *testing.T) {
	fs := scratch(t)
	const n = 200
	errs := make(chan error, n)
	room := make(chan struct{}, 32)
	for i := range n {
		room <- struct{}{}
		go func() {
			defer func() { <-room }()
			f, err := fs.OpenFile(fmt.Sprintf("f%d", i), writeNew, 0)
			if err == nil {
				_, err = f.(*openFile).Write([]byte{byte(i)})
			}
			if err == nil {
				err = f.Close()
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	entries, err := fs.ReadDir(".")
	if err != nil || len(entries) != n {
		t.Fatal(len(entries), err)
	}
	names := make([]string, n)
	for i, e := range entries {
		names[i] = e.Name()
		var k int
		if _, err := fmt.Sscanf(e.Name(), "f%d", &k); err != nil {
			t.Fatal(err)
		}
		if got, err := hackpadfs.ReadFile(fs, e.Name()); err != nil || !bytes.Equal(got, []byte{byte(k)}) {
			t.Errorf("%s holds %v, %v", e.Name(), got, err)
		}
	}
	if !slices.IsSorted(names) {
		t.Error("not sorted")
	}
}

const writeNew = hackpadfs.FlagWriteOnly | hackpadfs.FlagCreate | hackpadfs.FlagTruncate
