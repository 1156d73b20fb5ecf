package port

import (
	"fmt"
	"syscall/js"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// valuer is a value with a JavaScript form, such as a file that a worker received.
type valuer interface{ JSValue() js.Value }

// encode returns the object of a message and the list of buffers to transfer.
func encode(m protocol.Message) (object, transfer js.Value, err error) {
	body, err := jsx.FromJSON(m.Body)
	if err != nil {
		return object, transfer, err
	}
	transfer = js.Global().Get("Array").New()
	attach := js.Global().Get("Array").New()
	for i, a := range m.Attach {
		var v js.Value
		switch a := a.(type) {
		case nil:
			v = js.Null()
		case []byte:
			v = jsx.Uint8Array(a)
		case js.Value:
			v = a
		case valuer:
			v = a.JSValue()
		default:
			return object, transfer, fmt.Errorf("port: cannot send a %T", a)
		}
		switch {
		case jsx.Is(v, "Uint8Array"):
			transfer.Call("push", v.Get("buffer"))
		case jsx.Is(v, "ArrayBuffer"):
			transfer.Call("push", v)
		}
		attach.SetIndex(i, v)
	}
	object = js.Global().Get("Object").New()
	object.Set("id", m.ID)
	object.Set("kind", string(m.Kind))
	object.Set("method", string(m.Method))
	object.Set("body", body)
	object.Set("attach", attach)
	return object, transfer, nil
}

// decode reads the object of a message. adapt, which may be nil, converts each attachment for the receiver.
func decode(v js.Value, adapt func(protocol.Method, js.Value) any) (protocol.Message, error) {
	var m protocol.Message
	if v.Type() != js.TypeObject || v.Get("kind").Type() != js.TypeString {
		return m, fmt.Errorf("port: not a message")
	}
	if id := v.Get("id"); id.Type() == js.TypeNumber {
		m.ID = uint32(id.Int())
	}
	m.Kind = protocol.Kind(v.Get("kind").String())
	if method := v.Get("method"); method.Type() == js.TypeString {
		m.Method = protocol.Method(method.String())
	}
	var err error
	if m.Body, err = jsx.ToJSON(v.Get("body")); err != nil {
		return m, err
	}
	if a := v.Get("attach"); a.Type() == js.TypeObject {
		for i := range a.Length() {
			x := a.Index(i)
			if adapt != nil {
				m.Attach = append(m.Attach, adapt(m.Method, x))
			} else {
				m.Attach = append(m.Attach, x)
			}
		}
	}
	return m, nil
}

func post(to js.Value, m protocol.Message) (err error) {
	object, transfer, err := encode(m)
	if err != nil {
		return err
	}
	defer jsx.Catch(&err)
	to.Call("postMessage", object, transfer)
	return nil
}
