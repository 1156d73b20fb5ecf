// Writes archives like the page's pool (worker/pool/build.go): a coordinator that holds the drafts, plans and writes,
// and n workers that run shards.
import { Engine, compiled } from "./engine.js";

const perWorker = 2;

export class Build {
	constructor(engines) {
		[this.coordinator, ...this.workers] = engines;
		this.archives = [];
		this.folders = [];
	}

	static async start(n) {
		const module = await compiled("builder");
		const engines = Array.from({ length: 1 + n }, () => new Engine(module));
		await Promise.all(engines.map((e) => e.ready));
		return new Build(engines);
	}

	// archive adds an archive's Files to the build, folder the handle of a folder; both resolve with its number.
	async archive(files) {
		const names = files.map((f) => f.name);
		const { body } = await this.coordinator.call("input", { parts: names, folder: {} }, files);
		this.archives.push({ names, files });
		return body.number;
	}

	async folder(handle) {
		const { body } = await this.coordinator.call("input", { folder: { name: handle.name } }, [handle]);
		this.folders.push(handle);
		return body.number;
	}

	async draft(request) { return (await this.coordinator.call("draft", request)).body; }

	async plan(request) { return (await this.coordinator.call("build", request)).body; }

	// write writes the planned archive. The result includes the time of each stage. If the signal aborts it, it
	// removes the output and rejects.
	async write(plan, base, target, { signal, onStage } = {}) {
		const order = [...this.archives];
		if (base) order.unshift(...order.splice(base - 1, 1));
		const parts = { key: "build", parts: order.flatMap((a) => a.names), folders: this.folders.map((f) => ({ name: f.name })) };
		const files = [...order.flatMap((a) => a.files), ...this.folders];
		const stages = {};
		await this.coordinator.call("out.open", { target: target.kind, format: "wim", name: plan.name, size: plan.size, plan: plan.plan }, target.handle ? [target.handle] : []);
		try {
			await Promise.all(this.workers.map((w) => w.call("parts", parts, files)));
			for (;;) {
				const { body: stage } = await this.coordinator.call("stage", { plan: plan.plan });
				if (!stage.stage) break;
				const began = performance.now();
				await this.run(plan, stage, signal, onStage);
				stages[stage.stage] = (stages[stage.stage] ?? 0) + (performance.now() - began) / 1000;
			}
			const { body: report } = await this.coordinator.call("finish", { plan: plan.plan });
			const { body: out, attach } = await this.coordinator.call("out.finish");
			return { report, written: out.bytes, file: attach[0], stages };
		} catch (e) {
			await this.coordinator.call("out.abort");
			await this.coordinator.call("drop", { plan: plan.plan });
			throw e;
		}
	}

	// run runs the shards of a stage: each worker has two at a time, and results are merged in order.
	async run(plan, stage, signal, onStage) {
		let next = 0, merged = 0, failed;
		const waiting = new Map(), queue = [];
		let credits = perWorker * this.workers.length + 1;
		const credit = () => (credits > 0 ? (credits--, undefined) : new Promise((r) => queue.push(r)));
		const free = () => { const r = queue.shift(); if (r) r(); else credits++; };
		let merging = false;
		const merge = async () => {
			if (merging) return;
			merging = true;
			for (let r; (r = waiting.get(merged)); merged++) {
				waiting.delete(merged);
				const { body } = await this.coordinator.call("merge", { plan: plan.plan, index: merged, result: r.body }, r.attach);
				free();
				onStage?.(stage.stage, merged + 1, stage.shards, body.written);
			}
			merging = false;
		};
		const runner = async (w) => {
			try {
				for (;;) {
					await credit();
					const index = next++;
					if (failed || index >= stage.shards) return free();
					signal?.throwIfAborted();
					const { attach } = await this.coordinator.call("shard", { plan: plan.plan, index });
					waiting.set(index, await w.call("run", { key: "build" }, attach));
					signal?.throwIfAborted();
					await merge();
				}
			} catch (e) {
				failed ??= e;
				free();
			}
		};
		await Promise.all([...this.workers, ...this.workers].map(runner));
		if (failed) throw failed;
		await merge();
	}

	async memory() {
		let sum = 0;
		for (const e of [this.coordinator, ...this.workers]) sum += (await e.call("status")).body.memory;
		return sum;
	}

	end() { for (const e of [this.coordinator, ...this.workers]) e.end(); }
}
