package protocol

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type handlerFunc func(ctx context.Context, c *Call) (any, []any, error)

func (f handlerFunc) Handle(ctx context.Context, c *Call) (any, []any, error) { return f(ctx, c) }

// serve starts a server and returns the channel of its replies.
func serve(h handlerFunc) (*Server, chan Message) {
	out := make(chan Message, 1000)
	return NewServer(h, func(m Message) error {
		out <- m
		return nil
	}), out
}

func TestServerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := serve(func(_ context.Context, c *Call) (any, []any, error) {
			switch c.Method {
			case Find:
				req, err := Decode[FindRequest](c.Body)
				if err != nil {
					return nil, nil, err
				}
				c.Progress(RunProgress{Bytes: 1})
				return Row{Name: req.Path}, c.Attach, nil
			case Close:
				return nil, nil, nil
			case Stat:
				return nil, nil, &Error{Code: CodeTruncated, Missing: 5}
			}
			return nil, nil, errors.New("no such thing")
		})
		s.Receive(Message{ID: 1, Kind: Request, Method: Find, Body: []byte(`{"path":"/a"}`), Attach: []any{"x"}})
		if m := <-out; m.Kind != Progress || m.ID != 1 || string(m.Body) != `{"bytes":1,"items":0}` {
			t.Errorf("progress %+v", m)
		}
		if m := <-out; m.Kind != Reply || m.Method != Find || !strings.Contains(string(m.Body), `"name":"/a"`) || m.Attach[0] != "x" {
			t.Errorf("reply %+v", m)
		}
		s.Receive(Message{ID: 2, Kind: Request, Method: Close})
		if m := <-out; m.Kind != Reply || m.Body != nil {
			t.Errorf("empty reply %+v", m)
		}
		for _, test := range []struct {
			method Method
			body   string
			code   Code
		}{{Stat, "", CodeTruncated}, {XML, "", CodeInternal}, {Find, "{", CodeBadRequest}} {
			s.Receive(Message{ID: 3, Kind: Request, Method: test.method, Body: []byte(test.body)})
			m := <-out
			if e, err := Decode[Error](m.Body); m.Kind != Failure || err != nil || e.Code != test.code {
				t.Errorf("%s: %+v, %v", test.method, e, err)
			}
		}
	})
}

func TestServerCancelAndPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var steps atomic.Int32
		s, out := serve(func(ctx context.Context, c *Call) (any, []any, error) {
			for range 100 {
				time.Sleep(time.Second)
				if err := c.Hold(ctx); err != nil {
					return nil, nil, err
				}
				steps.Add(1)
			}
			return nil, nil, nil
		})
		s.Receive(Message{ID: 1, Kind: Request, Method: Search})
		time.Sleep(10500 * time.Millisecond)
		s.Receive(Message{ID: 1, Kind: Pause})
		s.Receive(Message{ID: 1, Kind: Pause})
		time.Sleep(time.Hour)
		if n := steps.Load(); n != 10 {
			t.Errorf("%d steps while paused after 10", n)
		}
		s.Receive(Message{ID: 1, Kind: Resume})
		s.Receive(Message{ID: 1, Kind: Resume})
		time.Sleep(5 * time.Second)
		s.Receive(Message{ID: 2, Kind: Cancel}) // unknown request
		s.Receive(Message{ID: 1, Kind: Pause})
		time.Sleep(5 * time.Second)
		s.Receive(Message{ID: 1, Kind: Cancel}) // while paused
		m := <-out
		if e, _ := Decode[Error](m.Body); m.Kind != Failure || e.Code != CodeCancelled || steps.Load() > 16 {
			t.Errorf("%+v after %d steps", e, steps.Load())
		}
	})
}

// A panic is reported, and the worker handles no more requests.
func TestServerPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := serve(func(context.Context, *Call) (any, []any, error) {
			var list []int
			return list[3], nil, nil
		})
		s.Receive(Message{ID: 1, Kind: Request, Method: Stat})
		m := <-out
		e, _ := Decode[Error](m.Body)
		if m.Kind != Failure || e.Code != CodeInternal || !e.Fatal || !strings.Contains(e.Message, "index out of range") {
			t.Errorf("%+v", e)
		}
		s.Receive(Message{ID: 2, Kind: Request, Method: Stat})
		synctest.Wait()
		if len(out) != 0 {
			t.Error("the server ran another request")
		}
	})
}
