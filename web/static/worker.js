// The script of every engine worker, a module worker: it starts one of the engine's programs, which then takes over.
//
// The page's first message is {kind: "boot", module}, where module is reader.wasm or builder.wasm as a
// WebAssembly.Module that the page compiled once for all workers. Go then listens for messages itself and posts {kind: "ready", id: 0, …};
// nothing may be posted in between. If the program cannot start or ends, the page's Worker object gets an error event
// with the reason: a dead worker is never silent.
import "./wasm_exec.js";

// Throw outside of the promise, so that it becomes the worker's error event.
const fail = (why) => setTimeout(() => { throw why instanceof Error ? why : new Error(String(why)); });

self.addEventListener("message", async ({ data }) => {
	try {
		const go = new Go();
		go.argv = ["engine"];
		go.exit = (code) => fail(`the engine exited with status ${code}`);
		const instance = await WebAssembly.instantiate(data.module, go.importObject);
		self.wasmMemory = instance.exports.mem; // for browser APIs that read the program's memory in place
		await go.run(instance);
	} catch (e) {
		fail(e);
	}
}, { once: true });
