// Runs the worker in Miniflare and sends it the requests from standard input: a JSON array of {method, path,
// headers}. Prints an array of {status, headers, body}, the body in base64.
//
//	node ask.mjs BUILD ASSETS <requests
import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";

const [build, directory] = process.argv.slice(2);
const requests = JSON.parse(readFileSync(0, "utf8"));
const module = (path, type = "ESModule") => ({ type, path: `${build}/${path}`, contents: readFileSync(`${build}/${path}`) });

const miniflare = new Miniflare({
	host: "127.0.0.1",
	compatibilityDate: "2026-01-01",
	modulesRoot: build,
	modules: [module("worker.mjs"), module("wasm_exec.js"), module("runtime.mjs"), module("app.wasm", "CompiledWasm")],
	assets: {
		directory,
		binding: "ASSETS",
		routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
		assetConfig: { html_handling: "none", not_found_handling: "none" },
	},
});
const answers = [];
try {
	for (const { method, path, headers } of requests) {
		const r = await miniflare.dispatchFetch("http://wimscope.test" + path, { method, headers: headers ?? {}, redirect: "manual" });
		const body = Buffer.from(await r.arrayBuffer()).toString("base64");
		answers.push({ status: r.status, headers: Object.fromEntries(r.headers), body });
	}
} finally {
	await miniflare.dispose();
}
console.log(JSON.stringify(answers));
