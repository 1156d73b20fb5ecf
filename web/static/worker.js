// The script of every engine worker, a module worker: it starts the engine's program and leaves the rest to Go.
//
// The page's first message is {kind: "boot", module}, where module is engine.wasm as a WebAssembly.Module that the
// page compiled once for all workers. Go then listens for messages itself and posts {kind: "ready", id: 0, …};
// nothing may be posted in between. If the program cannot be started or ends, the page's Worker object gets an
// error event that says why: a worker is never silent because it is dead.
import "./wasm_exec.js";

// Outside of the promise that found it, so that it becomes the worker's error event.
const fail = (why) => setTimeout(() => { throw why instanceof Error ? why : new Error(String(why)); });

self.addEventListener("message", async ({ data }) => {
	try {
		const go = new Go();
		go.argv = ["engine"];
		go.exit = (code) => fail(`the engine ended with status ${code}`);
		const instance = await WebAssembly.instantiate(data.module, go.importObject);
		self.wasmMemory = instance.exports.mem; // for what the browser does with the program's bytes where they lie
		await go.run(instance);
	} catch (e) {
		fail(e);
	}
}, { once: true });
