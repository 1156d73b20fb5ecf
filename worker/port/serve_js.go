package port

import (
	"syscall/js"

	"wimscope/worker/json"
	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// Serve answers the messages posted to this worker with h, after it has posted Ready. It never returns. Before adapt
// converts an attachment for h, buffers have become []byte (those of OutSegment a Buffer) and null has become nil.
func Serve(h protocol.Handler, adapt func(js.Value) any) {
	self := js.Global()
	s := protocol.NewServer(h, func(m protocol.Message) error { return post(self, m) })
	listener := js.FuncOf(func(_ js.Value, args []js.Value) any {
		m, err := decode(args[0].Get("data"), func(m protocol.Method, v js.Value) any {
			if v.IsNull() || v.IsUndefined() {
				return nil
			}
			if m == protocol.OutSegment && jsx.Is(v, "Uint8Array") {
				return Buffer{v}
			}
			if b, ok := jsx.Bytes(v); ok {
				return b
			}
			return adapt(v)
		})
		if err == nil { // anything else is not for us
			s.Receive(m)
		}
		return nil
	})
	self.Call("addEventListener", "message", listener)
	hello, err := json.Marshal(holdLife())
	if err == nil {
		err = post(self, protocol.Message{Kind: protocol.Ready, Body: hello})
	}
	if err != nil {
		panic(err)
	}
	select {}
}
