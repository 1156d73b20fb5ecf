package jsx

import (
	"syscall/js"
)

// Await waits for a promise and returns its result; any other value it returns at once. It blocks the goroutine, so
// it must not be called from inside a js.FuncOf, which the event loop waits for.
func Await(v js.Value) (js.Value, error) {
	if !IsPromise(v) {
		return v, nil
	}
	type outcome struct {
		v   js.Value
		err error
	}
	c := make(chan outcome, 1)
	ok := js.FuncOf(func(_ js.Value, args []js.Value) any {
		c <- outcome{v: first(args)}
		return nil
	})
	defer ok.Release()
	bad := js.FuncOf(func(_ js.Value, args []js.Value) any {
		c <- outcome{err: ErrorOf(first(args))}
		return nil
	})
	defer bad.Release()
	v.Call("then", ok, bad)
	o := <-c
	return o.v, o.err
}

func first(args []js.Value) js.Value {
	if len(args) == 0 {
		return js.Undefined()
	}
	return args[0]
}

// IsPromise reports whether v has a then method.
func IsPromise(v js.Value) bool {
	return v.Type() == js.TypeObject && v.Get("then").Type() == js.TypeFunction
}

// Call calls a method and awaits its result. A thrown exception is returned as an error.
func Call(v js.Value, method string, args ...any) (js.Value, error) {
	r, err := CallNow(v, method, args...)
	if err != nil {
		return r, err
	}
	return Await(r)
}

// CallNow calls a method and returns its result. A thrown exception is returned as an error.
func CallNow(v js.Value, method string, args ...any) (r js.Value, err error) {
	defer Catch(&err)
	return v.Call(method, args...), nil
}

// Get reads a property whose getter may throw, as those of storage do when a user or a policy blocks it. It returns a
// thrown exception as an error; js.Value.Get would end the program.
func Get(v js.Value, name string) (js.Value, error) {
	return CallNow(js.Global().Get("Reflect"), "get", v, name)
}

// Path reads a chain of properties, starting at the global object. A missing one yields undefined.
func Path(names ...string) (js.Value, error) {
	v := js.Global()
	for _, name := range names {
		if t := v.Type(); t != js.TypeObject && t != js.TypeFunction {
			return js.Undefined(), nil
		}
		var err error
		if v, err = Get(v, name); err != nil {
			return js.Undefined(), err
		}
	}
	return v, nil
}

// New constructs an object. A thrown exception is returned as an error.
func New(class string, args ...any) (r js.Value, err error) {
	defer Catch(&err)
	c := js.Global().Get(class)
	if c.Type() != js.TypeFunction {
		return js.Undefined(), &Error{Name: "NotSupportedError", Message: "this browser has no " + class}
	}
	return c.New(args...), nil
}

// Is reports whether v is an instance of the global class. It is false if the browser lacks the class.
func Is(v js.Value, class string) bool {
	c := js.Global().Get(class)
	return c.Type() == js.TypeFunction && v.Type() == js.TypeObject && v.InstanceOf(c)
}

// Uint8Array copies b into a typed array with a buffer of its own, which can be transferred.
func Uint8Array(b []byte) js.Value {
	a := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(a, b)
	return a
}

// Bytes copies an ArrayBuffer or any view of one. It returns false for any other value.
func Bytes(v js.Value) ([]byte, bool) {
	switch {
	case v.Type() != js.TypeObject:
		return nil, false
	case Is(v, "Uint8Array"):
	case Is(v, "ArrayBuffer"):
		v = js.Global().Get("Uint8Array").New(v)
	case js.Global().Get("ArrayBuffer").Call("isView", v).Bool():
		v = js.Global().Get("Uint8Array").New(v.Get("buffer"), v.Get("byteOffset"), v.Get("byteLength"))
	default:
		return nil, false
	}
	b := make([]byte, v.Get("length").Int())
	js.CopyBytesToGo(b, v)
	return b, true
}

// FromJSON parses JSON text into a plain object. Empty text yields null.
func FromJSON(b []byte) (v js.Value, err error) {
	if len(b) == 0 {
		return js.Null(), nil
	}
	defer Catch(&err)
	return js.Global().Get("JSON").Call("parse", string(b)), nil
}

// ToJSON returns a plain object as JSON text. It returns nil for null and undefined.
func ToJSON(v js.Value) (b []byte, err error) {
	if v.IsUndefined() || v.IsNull() {
		return nil, nil
	}
	defer Catch(&err)
	s := js.Global().Get("JSON").Call("stringify", v)
	if s.Type() != js.TypeString {
		return nil, &Error{Name: "DataError", Message: "not a plain object"}
	}
	return []byte(s.String()), nil
}
