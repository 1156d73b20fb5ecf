// Works before the program has loaded, and loads it.
//
// For the program (web/main_js.go) it sets on window:
//
//  wimscopeQueue  what was dropped, pasted or picked so far, oldest first: an array of {via, files, handles}, where
//                 via is "drop", "paste" or "input", files are Files, and handles has for each file a promise of a
//                 FileSystemFileHandle or null. The program takes the items, sets wimscopeQueue to null and from
//                 then on listens itself.
//  wimscope       {workerURL, program, started, failed}: workerURL is worker.js in the form that `new Worker` accepts
//                 here; program(name) returns a promise of the workers' program "reader" or "builder" as a
//                 WebAssembly.Module, fetched and compiled once; started() is called when the page shows its first
//                 screen; failed(message) shows that the program has crashed.
"use strict";

(() => {
	const byID = (id) => document.getElementById(id);
	const status = (text) => { const e = byID("boot-status"); if (e) e.textContent = text; };

	// The only place where a string becomes a script URL: only scripts of this site.
	const policy = window.trustedTypes && trustedTypes.createPolicy("wimapp", {
		createScriptURL(url) {
			if (url !== "worker.js" && url !== "sw.js") throw new TypeError("not a script of this site: " + url);
			return new URL(url, document.baseURI).href;
		},
	});
	const scriptURL = (name) => (policy ? policy.createScriptURL(name) : name);

	// --- files that arrive before the program ---

	// Make hidden characters in names visible, as package visible does for the program.
	const shown = (name) => name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `<U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}>`);
	window.wimscopeQueue = [];
	const queue = (via, files, handles) => {
		if (files.length === 0) return;
		window.wimscopeQueue.push({ via, files, handles });
		status(`${files.map((f) => shown(f.name)).join(", ")}: opens as soon as Wimscope has loaded.`);
	};
	// getAsFileSystemHandle must be called during the event.
	const fromTransfer = (via, transfer) => {
		const items = [...transfer.items].filter((i) => i.kind === "file");
		const files = items.map((i) => i.getAsFile());
		const handles = items.map((i) => (i.getAsFileSystemHandle ? i.getAsFileSystemHandle().catch(() => null) : Promise.resolve(null)));
		const there = files.map((f) => f !== null);
		queue(via, files.filter((_, i) => there[i]), handles.filter((_, i) => there[i]));
	};
	addEventListener("dragover", (e) => {
		if (window.wimscopeQueue && e.dataTransfer.types.includes("Files")) {
			e.preventDefault();
			e.dataTransfer.dropEffect = "copy";
		}
	});
	addEventListener("drop", (e) => {
		if (!window.wimscopeQueue || !e.dataTransfer.types.includes("Files")) return;
		e.preventDefault();
		fromTransfer("drop", e.dataTransfer);
	});
	addEventListener("paste", (e) => {
		if (window.wimscopeQueue && e.clipboardData.files.length) fromTransfer("paste", e.clipboardData);
	});
	addEventListener("change", (e) => {
		if (!window.wimscopeQueue || e.target.id !== "boot-file") return;
		const files = [...e.target.files];
		queue("input", files, files.map(() => Promise.resolve(null)));
	});

	// --- the programs ---

	const show = (id, detail) => {
		const box = byID(id);
		if (!box) return;
		const where = box.querySelector(".boot-detail");
		if (where && detail) where.textContent = detail;
		const loading = byID("boot-loading");
		if (loading) loading.hidden = true;
		box.hidden = false;
	};
	const get = async (name, options) => {
		const response = await fetch(name, { credentials: "same-origin", ...options });
		if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
		return response;
	};

	const modules = {}; // promises, by the program's name
	const wimscope = window.wimscope = {
		workerURL: scriptURL("worker.js"),
		program: (name) => (modules[name] ||= get(name + ".wasm").then((r) => WebAssembly.compileStreaming(r)).catch((e) => {
			delete modules[name]; // the next call tries again
			throw e;
		})),
		started() { document.documentElement.dataset.started = ""; },
		failed(message) { show("boot-crashed", message); },
	};

	// progress fills the bar while the bytes of a copy of the response arrive. The response itself is not touched, so
	// that the browser can cache the compiled code.
	const progress = async (response) => {
		const bar = byID("boot-progress");
		const total = Number(bar && bar.dataset.bytes);
		if (!bar || !total || !response.body) return;
		let done = 0;
		for (const reader = response.clone().body.getReader(); ;) {
			const { done: over, value } = await reader.read();
			if (over) break;
			bar.value = Math.min(1, (done += value.length) / total);
		}
	};

	const start = async () => {
		// Every current browser has it, so it was switched off.
		if (typeof WebAssembly !== "object") {
			show("boot-switched-off");
			return;
		}
		for (const [what, there] of [
			["streaming WebAssembly", WebAssembly.instantiateStreaming],
			["Web Workers", typeof Worker === "function"],
			["BigInt", typeof BigInt === "function"],
			["Blob.arrayBuffer", typeof Blob === "function" && Blob.prototype.arrayBuffer],
		]) {
			if (!there) {
				show("boot-unsupported", what);
				return;
			}
		}
		const go = new Go();
		go.argv = ["page"];
		go.exit = (code) => wimscope.failed(`The page's program exited with status ${code}.`);
		let instance;
		try {
			const response = await get("page.wasm");
			const counted = progress(response);
			counted.then(() => wimscope.program("reader")).catch(() => {}); // load it after the page, for slow connections
			({ instance } = await WebAssembly.instantiateStreaming(response, go.importObject));
		} catch (e) {
			show("boot-failed", String(e && e.message || e));
			return;
		}
		try {
			await go.run(instance);
		} catch (e) {
			wimscope.failed(String(e && e.stack || e));
		}
	};
	start();
})();
