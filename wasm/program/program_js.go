package program

import (
	"math"
	"runtime"
	"runtime/debug"
	"syscall/js"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wasm/engine"
	"wimscope/wasm/fsa"
	"wimscope/worker/jsx"
	"wimscope/worker/port"
	"wimscope/worker/protocol"
)

// Options returns the options of an engine in a browser.
func Options() engine.Options {
	return engine.Options{
		CacheSize:  cacheSize(),
		SHA1:       fsa.SHA1,
		Turn:       jsx.NewTurns().Take,
		Export:     func(b []byte) any { return jsx.Uint8Array(b) },
		OpenSink:   openSink,
		OpenFolder: openFolder,
	}
}

// Serve answers the messages to this worker with h. It never returns.
func Serve(h protocol.Handler) {
	collectLate()
	port.Serve(h, func(v js.Value) any {
		if f, err := fsa.NewFile(v); err == nil {
			return f
		}
		return v // a handle, or something that the engine will reject
	})
}

// firstCollection is the memory that the program may take before the first garbage collection, bytes.
const firstCollection = 48 << 20

// collectLate postpones the first garbage collection. In a new worker it takes 20 to 50 ms, since the browser must
// compile the collector's code, and would delay the opening of an archive, which leaves hardly any garbage. After
// that the concern is linear memory, which never shrinks: garbage may only grow to half of the live heap.
func collectLate() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(firstCollection)
	first := new([32]byte)
	runtime.AddCleanup(first, func(percent int) {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(math.MaxInt64)
	}, 50)
}

func openSink(target protocol.Target, name string, handle any) (engine.Sink, error) {
	return fsa.OpenSink(target, name, handle)
}

func openFolder(handle any) (hackpadfs.FS, error) {
	v, err := FolderHandle(handle)
	if err != nil {
		return nil, err
	}
	return fsa.NewFS(v), nil
}

// FolderHandle returns the directory handle that was attached to a request.
func FolderHandle(handle any) (js.Value, error) {
	v, ok := handle.(js.Value)
	if !ok || v.Type() != js.TypeObject {
		return v, &protocol.Error{Code: protocol.CodeBadRequest, Message: "the folder's handle is missing"}
	}
	return v, nil
}

// cacheSize returns the size limit of a session's cache of decoded chunks, bytes. It depends on the memory that the
// browser reports for the machine.
func cacheSize() int64 {
	gigabytes := js.Global().Get("navigator").Get("deviceMemory")
	if gigabytes.Type() == js.TypeNumber && gigabytes.Float() < 4 {
		return 32 << 20
	}
	return 48 << 20
}
