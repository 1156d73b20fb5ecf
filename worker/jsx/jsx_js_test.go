package jsx

import (
	"bytes"
	"errors"
	"syscall/js"
	"testing"
	"time"
)

func TestAwait(t *testing.T) {
	p := js.Global().Get("Promise")
	v, err := Await(p.Call("resolve", 7))
	if err != nil || v.Int() != 7 {
		t.Errorf("%v, %v", v, err)
	}
	_, err = Await(p.Call("reject", js.Global().Get("DOMException").New("no room", "QuotaExceededError")))
	var e *Error
	if !errors.As(err, &e) || e.Name != "QuotaExceededError" || e.Message != "no room" || !Named(err, "QuotaExceededError") {
		t.Errorf("got %#v", err)
	}
	if _, err := Await(p.Call("reject", "plain text")); err == nil || err.Error() != "plain text" {
		t.Errorf("got %v", err)
	}
	if v, err := Await(js.ValueOf(3)); err != nil || v.Int() != 3 {
		t.Errorf("a value that is not a promise: %v, %v", v, err)
	}
}

func TestCall(t *testing.T) {
	_, err := CallNow(js.Global().Get("JSON"), "parse", "{")
	if !Named(err, "SyntaxError") {
		t.Errorf("got %v", err)
	}
	if _, err := CallNow(js.Global(), "noSuchFunction"); err == nil {
		t.Error("calling a missing function returned no error")
	}
	if _, err := New("NoSuchClass"); !Named(err, "NotSupportedError") {
		t.Errorf("got %v", err)
	}
	defer func() {
		if recover() != "ours" {
			t.Error("a panic of our own was swallowed")
		}
	}()
	var caught error
	func() {
		defer Catch(&caught)
		panic("ours")
	}()
}

// TestGet reads a property whose getter throws. js.Value.Get would let the exception end the program.
func TestGet(t *testing.T) {
	global := js.Global()
	global.Get("Function").New(`Object.defineProperty(globalThis, "wimscopeTest", { configurable: true, get() { throw new DOMException("no", "SecurityError"); } })`).Invoke()
	if _, err := Get(global, "wimscopeTest"); !Named(err, "SecurityError") {
		t.Errorf("got %v", err)
	}
	if _, err := Path("wimscopeTest", "more"); !Named(err, "SecurityError") {
		t.Errorf("got %v", err)
	}
	for _, names := range [][]string{{"noSuchThing"}, {"noSuchThing", "more"}, {"navigator", "noSuchThing", "more"}} {
		if v, err := Path(names...); err != nil || !v.IsUndefined() {
			t.Errorf("%v: %v, %v", names, v, err)
		}
	}
	if v, err := Path("JSON", "parse"); err != nil || v.Type() != js.TypeFunction {
		t.Errorf("JSON.parse: %v, %v", v, err)
	}
}

func TestBytes(t *testing.T) {
	data := []byte{1, 2, 3, 4, 5}
	a := Uint8Array(data)
	got, ok := Bytes(a)
	if !ok || !bytes.Equal(got, data) {
		t.Errorf("array: %v", got)
	}
	if got, ok = Bytes(a.Get("buffer")); !ok || !bytes.Equal(got, data) {
		t.Errorf("buffer: %v", got)
	}
	if got, ok = Bytes(js.Global().Get("DataView").New(a.Get("buffer"), 1, 3)); !ok || !bytes.Equal(got, data[1:4]) {
		t.Errorf("view: %v", got)
	}
	for _, v := range []js.Value{js.ValueOf("text"), js.Null(), js.Global().Get("Object").New()} {
		if _, ok := Bytes(v); ok {
			t.Errorf("%v was accepted as bytes", v)
		}
	}
}

func TestJSON(t *testing.T) {
	v, err := FromJSON([]byte(`{"a":[1,"x"]}`))
	if err != nil || v.Get("a").Index(1).String() != "x" {
		t.Fatal(v, err)
	}
	if b, err := ToJSON(v); err != nil || string(b) != `{"a":[1,"x"]}` {
		t.Errorf("%s, %v", b, err)
	}
	if _, err := FromJSON([]byte(`{`)); err == nil {
		t.Error("invalid JSON was accepted")
	}
	loop := js.Global().Get("Object").New()
	loop.Set("self", loop)
	if _, err := ToJSON(loop); err == nil {
		t.Error("a cyclic object was accepted")
	}
	if b, err := ToJSON(js.Undefined()); b != nil || err != nil {
		t.Errorf("undefined: %s, %v", b, err)
	}
}

// A turn comes after what is already queued in the event loop, and many goroutines may wait for it.
func TestTurns(t *testing.T) {
	turns := NewTurns()
	seen := false
	f := js.FuncOf(func(js.Value, []js.Value) any { seen = true; return nil })
	defer f.Release()
	c := js.Global().Get("MessageChannel").New()
	c.Get("port1").Set("onmessage", f)
	c.Get("port2").Call("postMessage", 1)
	turns.Take()
	if !seen {
		t.Error("a message posted earlier was not delivered")
	}
	done := make(chan bool)
	for range 100 {
		go func() {
			turns.Take()
			done <- true
		}()
	}
	for range 100 {
		<-done
	}
	began := time.Now()
	for range 100 {
		turns.Take()
	}
	if d := time.Since(began); d > 300*time.Millisecond {
		t.Errorf("a turn takes %v", d/100)
	}
}
