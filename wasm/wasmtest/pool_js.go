package wasmtest

import (
	"os"
	"syscall/js"
	"testing"

	"wimscope/worker/jsx"
	"wimscope/worker/pool"
	"wimscope/worker/port"
)

// workerEnv is the environment variable that makes a test binary run as the program under test.
const workerEnv = "WIMSCOPE_ENGINE_WORKER"

// Main is the body of a TestMain. In a worker of NewPool it calls program, the main function of the program under test.
func Main(m *testing.M, program func()) {
	if os.Getenv(workerEnv) != "" {
		program()
	}
	os.Exit(m.Run())
}

// NewPool returns a pool whose workers all run this test binary as the program under test.
func NewPool(t *testing.T) *pool.Pool {
	t.Helper()
	global := js.Global()
	script := `import "` + global.Get("location").Get("origin").String() + `/wasm_exec.js";
		self.addEventListener("message", async ({ data }) => {
			const go = new Go();
			go.env = { ` + workerEnv + `: "1" };
			go.exit = (code) => setTimeout(() => { throw new Error("ended with status " + code); });
			await go.run(await WebAssembly.instantiate(data.module, go.importObject));
		}, { once: true });`
	blob := global.Get("Blob").New([]any{script}, map[string]any{"type": "text/javascript"})
	p := pool.New(&port.Starter{
		URL: global.Get("URL").Call("createObjectURL", blob),
		Module: func(pool.Program) (js.Value, error) {
			return jsx.Await(global.Get("WebAssembly").Call("compileStreaming", global.Call("fetch", "/test.wasm")))
		},
	}, pool.Options{Cores: 2})
	t.Cleanup(p.Close)
	return p
}
