// The engine as any page may use it: worker/protocol from plain JavaScript, without the page's pool.

// On pages with Trusted Types, loader.url is set to a value from their policy.
export const loader = { url: "/worker.js" };

export class Engine {
	constructor(module) {
		this.calls = new Map();
		this.last = 0;
		this.worker = new Worker(loader.url, { type: "module" });
		this.ready = new Promise((resolve, reject) => {
			this.worker.addEventListener("error", (e) => {
				const err = new Error(e.message);
				reject(err);
				for (const c of this.calls.values()) c.reject(err);
			});
			this.worker.addEventListener("message", ({ data: m }) => {
				if (m.kind === "ready") return resolve();
				const call = this.calls.get(m.id);
				if (!call || m.kind === "progress") return;
				this.calls.delete(m.id);
				if (m.kind === "failure") call.reject(new Error(`${m.body.code}: ${m.body.message}`));
				else call.resolve({ body: m.body, attach: m.attach });
			});
		});
		this.worker.postMessage({ kind: "boot", module });
	}

	call(method, body, attach = []) {
		const id = ++this.last;
		return new Promise((resolve, reject) => {
			this.calls.set(id, { resolve, reject });
			const moved = attach.filter((a) => a instanceof Uint8Array).map((a) => a.buffer);
			this.worker.postMessage({ id, kind: "request", method, body, attach }, moved);
		});
	}

	end() { this.worker.terminate(); }
}

// compiled resolves with the workers' program "reader" or "builder".
const programs = {};
export const compiled = (name) => (programs[name] ??= WebAssembly.compileStreaming(fetch(`/${name}.wasm`)));

// prepare does what the page does while nothing is open: it compiles the program and runs the warm-up in the spare
// worker.
let spare;
export const prepare = async () => {
	spare = new Engine(await compiled("reader"));
	await spare.ready;
	await warmUp(spare);
};

const start = async (n) => {
	const module = await compiled("reader");
	const engines = Array.from({ length: n - 1 }, () => new Engine(module));
	await Promise.all(engines.map((e) => e.ready));
	return [spare, ...engines];
};

// warmUp is the warm-up of the page's spare worker (worker/pool/warmup.go), with the page's sample.
const warmUp = async (e) => {
	const file = new File([await (await fetch("/sample.wim")).blob()], "sample.wim");
	await e.call("parts", { key: "warm-up", parts: [file.name] }, [file]);
	for (let round = 0; round < 10; round++) {
		await e.call("open", { parts: [file.name] }, [file]);
		await e.call("list", { image: 1, count: 100 });
		const { body: planned } = await e.call("plan", { op: "verify" });
		const { body: stage } = await e.call("stage", { plan: planned.plan });
		for (let index = 0; index < stage.shards; index++) {
			const { attach } = await e.call("shard", { plan: planned.plan, index });
			const { body: result, attach: packed } = await e.call("run", { key: "warm-up" }, attach);
			await e.call("merge", { plan: planned.plan, index, result }, packed);
		}
		await e.call("finish", { plan: planned.plan });
	}
	await e.call("close");
	await e.call("forget", { key: "warm-up" });
};

const memory = async (engines) => {
	let sum = 0;
	for (const e of engines) sum += (await e.call("status")).body.memory;
	return sum;
};

// job runs a plan on n shard workers beside the session's own worker, like the page's pool: each worker has two
// shards, at most 2n + 1 are in flight, and output goes to an output worker in order. The clock starts with open,
// when the workers are ready, and stops with the report (and the closed output).
export const job = async (file, plan, n, target) => {
	const engines = await start(1 + n + (target ? 1 : 0));
	const [session, ...workers] = engines;
	const out = target && workers.pop();
	const began = performance.now();
	const names = [file.name];
	await session.call("open", { parts: names }, [file]);
	await Promise.all(workers.map((w) => w.call("parts", { key: "1", parts: names }, [file])));
	const { body: planned } = await session.call("plan", plan);
	if (out) await out.call("out.open", { target: target.kind, format: plan.format, name: planned.name, size: planned.outSize }, target.handle ? [target.handle] : []);

	const { body: stage } = await session.call("stage", { plan: planned.plan });
	let next = 0, settled = Promise.resolve();
	const done = Array.from({ length: stage.shards });
	const waiters = done.map(() => {
		let resolve, reject;
		const promise = new Promise((a, b) => { resolve = a; reject = b; });
		promise.catch(() => {});
		return { promise, resolve, reject };
	});
	let credits = 2 * n + 1;
	const queue = [];
	const credit = () => (credits > 0 ? (credits--, undefined) : new Promise((r) => queue.push(r)));
	const free = () => { const r = queue.shift(); if (r) r(); else credits++; };

	const runner = async (w) => {
		for (;;) {
			await credit();
			const i = next++;
			if (i >= stage.shards) { free(); return; }
			try {
				const { body: shard, attach } = await session.call("shard", { plan: planned.plan, index: i });
				if (shard.op) {
					const { body, attach: [packed, data, entries] } = await w.call("run", { key: "1", format: plan.format }, attach);
					waiters[i].resolve({ result: body, attach: [packed, data ?? null, entries ?? null] });
				} else {
					waiters[i].resolve({ result: { bytes: shard.bytes, items: shard.items }, attach: [null, attach[0], attach[1]] });
				}
			} catch (e) {
				waiters[i].reject(e);
				throw e;
			}
		}
	};
	const settle = async () => {
		for (let i = 0; i < stage.shards; i++) {
			const { result, attach } = await waiters[i].promise;
			let packed = attach.slice(0, 1);
			if (out) packed = (await out.call("out.segment", { index: i, result }, attach)).attach;
			await session.call("merge", { plan: planned.plan, index: i, result }, packed);
			free();
		}
	};
	settled = settle();
	await Promise.all([...workers.map(runner), ...workers.map(runner), settled]);
	const { body: report } = await session.call("finish", { plan: planned.plan });
	let written = 0;
	if (out) written = (await out.call("out.finish")).body.bytes;
	const seconds = (performance.now() - began) / 1000;
	const bytes = await memory(engines);
	engines.forEach((e) => e.end());
	return { seconds, memory: bytes, ok: report.ok, blobs: report.blobs, written, files: report.written };
};

// list opens an archive and lists the first rows of a folder, like the page.
export const list = async (file, path) => {
	const [session] = await start(1);
	const began = performance.now();
	await session.call("open", { parts: [file.name] }, [file]);
	const { body: row } = await session.call("find", { image: 1, path });
	const { body } = await session.call("list", { image: 1, node: row.node, start: 0, count: 100 });
	const seconds = (performance.now() - began) / 1000;
	const bytes = await memory([session]);
	session.end();
	return { seconds, memory: bytes, ok: body.total > 0, entries: body.total };
};
