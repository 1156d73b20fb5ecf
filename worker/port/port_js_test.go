package port

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"wimscope/worker/jsx"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// workerEnv makes a test binary run as the worker.
const workerEnv = "WIMSCOPE_PORT_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		Serve(&remote{turns: jsx.NewTurns()}, func(v js.Value) any { return v })
	}
	os.Exit(m.Run())
}

// remote is the handler of the tests' workers.
type remote struct {
	turns *jsx.Turns
}

func (r *remote) Handle(ctx context.Context, c *protocol.Call) (any, []any, error) {
	switch c.Method {
	case protocol.Open:
		f := c.Attach[0].(js.Value)
		return protocol.Archive{Name: f.Get("name").String(), Size: int64(f.Get("size").Int())}, nil, nil
	case protocol.Read: // the bytes received, doubled
		b := c.Attach[0].([]byte)
		return protocol.ReadReply{Len: len(b)}, []any{append(b, b...)}, nil
	case protocol.Search: // a long computation with checkpoints
		began := time.Now()
		for i := 0; time.Since(began) < 20*time.Second; i++ {
			for end := time.Now().Add(30 * time.Millisecond); time.Now().Before(end); {
			}
			r.turns.Take()
			c.Progress(protocol.SearchReply{Hits: i + 1})
			if err := c.Hold(ctx); err != nil {
				return nil, nil, err
			}
		}
		return protocol.SearchReply{}, nil, nil
	case protocol.Uses:
		return nil, nil, &protocol.Error{Code: protocol.CodeTruncated, Name: "a.wim", Missing: 7}
	case protocol.Stat:
		panic("out of range")
	case protocol.XML:
		go func() { panic("in a goroutine of its own") }()
		select {}
	case protocol.Version:
		os.Exit(3)
	case protocol.Finish:
		js.Global().Call("close") // without an event
		select {}
	}
	return nil, nil, nil
}

// starter compiles this binary and starts workers with a loader like the page's.
func starter(t *testing.T) *Starter {
	t.Helper()
	global := js.Global()
	origin := global.Get("location").Get("origin").String()
	script := `import "` + origin + `/wasm_exec.js";
		self.addEventListener("message", async ({ data }) => {
			const fail = (why) => setTimeout(() => { throw new Error(String(why)); });
			try {
				const go = new Go();
				go.env = { ` + workerEnv + `: "1" };
				go.exit = (code) => fail("ended with status " + code);
				await go.run(await WebAssembly.instantiate(data.module, go.importObject));
			} catch (e) { fail(e); }
		}, { once: true });`
	blob := global.Get("Blob").New([]any{script}, map[string]any{"type": "text/javascript"})
	url := global.Get("URL").Call("createObjectURL", blob)
	t.Cleanup(func() { global.Get("URL").Call("revokeObjectURL", url) })
	module, err := jsx.Await(global.Get("WebAssembly").Call("compileStreaming", global.Call("fetch", "/test.wasm")))
	if err != nil {
		t.Fatal(err)
	}
	return &Starter{URL: url, Module: func(pool.Program) (js.Value, error) { return module, nil }}
}

func open(t *testing.T) (*pool.Pool, *pool.Session) {
	t.Helper()
	p := pool.New(starter(t), pool.Options{})
	t.Cleanup(p.Close)
	file := js.Global().Get("File").New([]any{"hello"}, "a.wim")
	s, err := p.Open(t.Context(), pool.Files{Parts: []pool.File{{Name: "a.wim", Value: file}}})
	if err != nil {
		t.Fatal(err)
	}
	return p, s
}

func TestRoundTrip(t *testing.T) {
	_, s := open(t)
	if a := s.Archive(); a.Name != "a.wim" || a.Size != 5 {
		t.Errorf("the file arrived as %q of %d bytes", a.Name, a.Size)
	}
	// A buffer is transferred to the worker, and another one back.
	big := bytes.Repeat([]byte("0123456789"), 1<<20)
	buffer := jsx.Uint8Array(big)
	rep, attach, err := pool.Call[protocol.ReadReply](t.Context(), s, protocol.Read, protocol.ReadRequest{}, buffer)
	if err != nil || rep.Len != len(big) {
		t.Fatalf("%+v, %v", rep, err)
	}
	if n := buffer.Get("length").Int(); n != 0 {
		t.Errorf("a buffer that was sent still has %d bytes here", n)
	}
	got, ok := jsx.Bytes(attach[0].(js.Value))
	if !ok || !bytes.Equal(got, append(big, big...)) {
		t.Errorf("got %d bytes back", len(got))
	}
	_, err = s.Uses(t.Context(), protocol.UsesRequest{})
	var pe *protocol.Error
	if !errors.As(err, &pe) || pe.Code != protocol.CodeTruncated || pe.Missing != 7 {
		t.Errorf("got the error %#v", err)
	}
}

// A cancel reaches a worker in the middle of a computation with checkpoints.
func TestCancelReachesBusyWorker(t *testing.T) {
	_, s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	_, err := s.Search(ctx, protocol.SearchRequest{}, func(r protocol.SearchReply) {
		seen = r.Hits
		if seen == 3 {
			cancel()
		}
	})
	if !pool.IsCode(err, protocol.CodeCancelled) || seen < 3 {
		t.Errorf("%v after %d", err, seen)
	}
	// The worker is free long before its computation would have ended.
	began := time.Now()
	if _, _, err := pool.Call[struct{}](t.Context(), s, protocol.Tree, nil); err != nil {
		t.Error(err)
	}
	time.Sleep(200 * time.Millisecond)
	if _, _, err := pool.Call[struct{}](t.Context(), s, protocol.Tree, nil); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// The death of a worker is noticed at once, whatever the cause.
func TestDeaths(t *testing.T) {
	for _, test := range []struct {
		method protocol.Method
		code   protocol.Code
		text   string
	}{
		{protocol.Stat, protocol.CodeInternal, "out of range"},
		{protocol.XML, protocol.CodeCrashed, "status 2"},
		{protocol.Version, protocol.CodeCrashed, "status 3"},
		{protocol.Finish, protocol.CodeCrashed, "gone"},
	} {
		t.Run(string(test.method), func(t *testing.T) {
			_, s := open(t)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, _, err := pool.Call[struct{}](ctx, s, test.method, nil)
			if pe := protocol.AsError(err); err == nil || pe.Code != test.code || !strings.Contains(pe.Message, test.text) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBadModule(t *testing.T) {
	s := starter(t)
	s.Module = func(pool.Program) (js.Value, error) { return js.Global().Get("Object").New(), nil }
	p := pool.New(s, pool.Options{})
	defer p.Close()
	if _, err := p.Open(t.Context(), pool.Files{}); !pool.IsCode(err, protocol.CodeCrashed) {
		t.Errorf("got %v", err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	if _, _, err := encode(protocol.Message{Attach: []any{42}}); err == nil {
		t.Error("a number was accepted as an attachment")
	}
	if _, _, err := encode(protocol.Message{Body: []byte("{")}); err == nil {
		t.Error("a body that is not JSON was accepted")
	}
	if _, err := decode(js.ValueOf("text"), nil); err == nil {
		t.Error("a string was accepted as a message")
	}
}
