// Command wasm is the engine's worker: it answers the protocol's messages that are posted to it.
package main

import (
	"runtime/debug"
	"syscall/js"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wasm/engine"
	"wimscope/wasm/fsa"
	"wimscope/worker/jsx"
	"wimscope/worker/port"
	"wimscope/worker/protocol"
)

func main() {
	// Linear memory never shrinks, so garbage is not let grow as large as what is in use.
	debug.SetGCPercent(50)
	e := engine.New(engine.Options{
		CacheSize:  cacheSize(),
		Turn:       jsx.NewTurns().Take,
		OpenSink:   openSink,
		OpenFolder: openFolder,
	})
	port.Serve(e, func(v js.Value) any {
		if f, err := fsa.NewFile(v); err == nil {
			return f
		}
		return v // a handle, or what the engine will not take
	})
}

func openSink(target protocol.Target, name string, handle any) (engine.Sink, error) {
	return fsa.OpenSink(target, name, handle)
}

func openFolder(handle any) (hackpadfs.FS, error) {
	v, ok := handle.(js.Value)
	if !ok || v.Type() != js.TypeObject {
		return nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: "an output to a folder came without its handle"}
	}
	return fsa.NewFS(v), nil
}

// cacheSize bounds the decoded chunks that a session keeps, by how much memory the machine is said to have.
func cacheSize() int64 {
	gigabytes := js.Global().Get("navigator").Get("deviceMemory")
	if gigabytes.Type() == js.TypeNumber && gigabytes.Float() < 4 {
		return 32 << 20
	}
	return 48 << 20
}
