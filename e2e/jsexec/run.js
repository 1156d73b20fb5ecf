// Starts the test binary and reports its exit status.
"use strict";

(async () => {
	const { args, env } = self.jsexec.config;
	const go = new Go();
	go.argv = args;
	go.env = env;
	go.exit = (code) => self.jsexec.exit(code);
	try {
		const { instance } = await WebAssembly.instantiateStreaming(fetch("/test.wasm"), go.importObject);
		self.wasmMemory = instance.exports.mem; // as in web/static/worker.js
		await go.run(instance);
	} catch (e) {
		self.jsexec.write(2, new TextEncoder().encode(`jsexec: ${e && e.stack || e}\n`));
		self.jsexec.exit(1);
	}
})();
