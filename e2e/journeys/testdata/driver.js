// Speaks worker/protocol to the engine from plain JavaScript, as any page may: one worker in all three roles.

const module = await WebAssembly.compileStreaming(fetch("/reader.wasm"));
const calls = new Map();
let last = 0;
const worker = new Worker("/worker.js", { type: "module" });
await new Promise((resolve, reject) => {
	worker.onerror = (e) => {
		const why = new Error(e.message);
		reject(why);
		for (const c of calls.values()) c.reject(why);
	};
	worker.onmessage = ({ data: m }) => {
		if (m.kind === "ready") resolve();
		const c = calls.get(m.id);
		if (!c || m.kind === "progress") return;
		calls.delete(m.id);
		if (m.kind === "failure") c.reject(new Error(`${m.body.code}: ${m.body.message}`));
		else c.resolve({ body: m.body, attach: m.attach });
	};
	worker.postMessage({ kind: "boot", module });
});
const call = (method, body, attach = []) => new Promise((resolve, reject) => {
	calls.set(++last, { resolve, reject });
	worker.postMessage({ id: last, kind: "request", method, body, attach }, attach.filter((a) => a instanceof Uint8Array).map((a) => a.buffer));
});
const files = (names) => Promise.all(names.map(async (n) => new File([await (await fetch("/archives/" + encodeURIComponent(n))).blob()], n)));

// zip writes image 1 of an archive to a ZIP and sends it to the server.
window.zip = async (parts, references) => {
	const attach = await files([...parts, ...references]);
	await call("open", { parts, references }, attach);
	await call("parts", { key: "1", parts, references }, attach);
	const { body: plan } = await call("plan", { op: "extract", image: 1, format: "zip" });
	await call("out.open", { target: "memory", format: "zip", name: plan.name, size: plan.outSize });
	const { body: stage } = await call("stage", { plan: plan.plan });
	for (let index = 0; index < stage.shards; index++) {
		const { body: shard, attach: [bytes, entries] } = await call("shard", { plan: plan.plan, index });
		let result = { bytes: shard.bytes, items: shard.items }, packed = null, data = bytes;
		if (shard.op) {
			const run = await call("run", { key: "1" }, [bytes]);
			result = run.body;
			[packed, data] = run.attach;
		}
		const { attach } = await call("out.segment", { index, result }, [packed, data, entries]);
		await call("merge", { plan: plan.plan, index, result }, attach);
	}
	const { body: report } = await call("finish", { plan: plan.plan });
	const { attach: [file] } = await call("out.finish");
	await call("close");
	const sent = await fetch("/result", { method: "POST", body: file });
	if (!sent.ok) throw new Error("the result was not taken");
	return { size: file.size, planned: plan.outSize, first: report.problems ?? [] };
};
window.ready = true;
