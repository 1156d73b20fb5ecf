// What e2e/bench calls in the page: each function resolves with {seconds, memory, …} of one run.
import * as engine from "./engine.js";

const file = () => document.getElementById("file").files[0];

const peer = (command, inMemory) => new Promise((resolve, reject) => {
	const w = new Worker("peer.js");
	w.onmessage = ({ data }) => { w.terminate(); resolve(data); };
	w.onerror = (e) => { w.terminate(); reject(new Error(e.message)); };
	w.postMessage({ file: file(), command, inMemory });
});

const opfs = async (name) => (await navigator.storage.getDirectory()).getFileHandle(name, { create: true });

window.bench = {
	// settle lets the browser come to rest, as it has when a person has found a file; ours prepares itself meanwhile.
	settle: async (ours) => {
		if (ours) await engine.prepare();
		await new Promise((resolve) => setTimeout(resolve, 2000));
		return true;
	},
	verify: (workers) => engine.job(file(), { op: "verify" }, workers),
	// To a file of the origin's own, as it is made for a download; and through a writable stream, as into a file that was
	// picked. Into one of those the browser hashes it all once more when it is closed, which no page can spare it.
	zip: async (workers) => engine.job(file(), { op: "extract", image: 1, format: "zip" }, workers, { kind: "opfs" }),
	zipStream: async (workers) => engine.job(file(), { op: "extract", image: 1, format: "zip" }, workers, { kind: "handle", handle: await opfs("bench.zip") }),
	list: (path) => engine.list(file(), path),
	peerTest: (inMemory) => peer(["t", "-bd"], inMemory),
	peerExtract: () => peer(["x", "-bd", "-y", "-o/out"], true),
	peerList: () => peer(["l"], true),
};
