// Functions that e2e/bench calls in the page. Each resolves with {seconds, memory, …} of one run.
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
	// settle lets the browser settle, as it has when a user has found a file; our engine prepares itself meanwhile.
	settle: async (ours) => {
		if (ours) await engine.prepare();
		await new Promise((resolve) => setTimeout(resolve, 2000));
		return true;
	},
	verify: (workers) => engine.job(file(), { op: "verify" }, workers),
	// To a file in the origin private file system, as for a download; and through a writable stream, as to a picked
	// file. When such a stream is closed, the browser hashes the whole file again, which no page can avoid.
	zip: async (workers) => engine.job(file(), { op: "extract", image: 1, format: "zip" }, workers, { kind: "opfs" }),
	zipStream: async (workers) => engine.job(file(), { op: "extract", image: 1, format: "zip" }, workers, { kind: "handle", handle: await opfs("bench.zip") }),
	list: (path) => engine.list(file(), path),
	peerTest: (inMemory) => peer(["t", "-bd"], inMemory),
	peerExtract: () => peer(["x", "-bd", "-y", "-o/out"], true),
	peerList: () => peer(["l"], true),
};
