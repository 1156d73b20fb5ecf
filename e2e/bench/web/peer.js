// 7-Zip in a worker of its own, from its package. Message: {command, inMemory: load the file into its memory first}
importScripts("/peer/7zz.umd.js");

// The module does not expose its memory: take it from the instance's exports.
let heap;
for (const name of ["instantiate", "instantiateStreaming"]) {
	const real = WebAssembly[name];
	WebAssembly[name] = async (...args) => {
		const made = await real.apply(WebAssembly, args);
		heap = Object.values((made.instance ?? made).exports).find((e) => e instanceof WebAssembly.Memory);
		return made;
	};
}

onmessage = async ({ data: { file, command, inMemory } }) => {
	let lines = [];
	const zip = await SevenZip({ locateFile: (f) => "/peer/" + f, print: (l) => lines.push(l), printErr: (l) => lines.push(l) });
	zip.FS.mkdir("/in");
	if (inMemory) {
		const to = zip.FS.open("/in/" + file.name, "w");
		for (let off = 0; off < file.size; off += 64 << 20) {
			const b = new Uint8Array(await file.slice(off, off + (64 << 20)).arrayBuffer());
			zip.FS.write(to, b, 0, b.length, off);
		}
		zip.FS.close(to);
	} else {
		zip.FS.mount(zip.WORKERFS, { files: [file] }, "/in");
	}
	const began = performance.now();
	let failed = "";
	try {
		const status = zip.callMain([...command, "/in/" + file.name]);
		if (status) failed = `status ${status}`;
	} catch (e) {
		failed = String(e);
	}
	const seconds = (performance.now() - began) / 1000;
	const ok = !failed && lines.some((l) => l.includes("Everything is Ok") || l.includes(" files"));
	// Files in its memory are beside its heap.
	let kept = 0;
	const add = (dir) => {
		for (const name of zip.FS.readdir(dir)) {
			if (name === "." || name === "..") continue;
			const { mode, size } = zip.FS.lstat(dir + "/" + name);
			if (zip.FS.isDir(mode)) add(dir + "/" + name);
			else kept += size;
		}
	};
	if (inMemory) add("/in");
	if (command[0] === "x") add("/out");
	postMessage({ seconds, ok, failed, memory: (heap ? heap.buffer.byteLength : 0) + kept, tail: lines.slice(-4) });
};
