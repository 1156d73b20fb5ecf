// How the script that runs Go communicates with the program that started it: with blocking requests, so that no
// output of Go is lost when it ends, and so that files can be read in the middle of a system call.
"use strict";

self.jsexec = (() => {
	const inPage = typeof document !== "undefined";
	const ask = (method, url, body, binary) => {
		const request = new XMLHttpRequest();
		request.open(method, url, false);
		if (binary && inPage) request.overrideMimeType("text/plain; charset=x-user-defined");
		else if (binary) request.responseType = "arraybuffer";
		request.send(body);
		return request;
	};
	const getJSON = (url) => {
		const r = ask("GET", url);
		return r.status === 200 ? JSON.parse(r.responseText) : null;
	};
	return {
		getJSON,
		getBytes(url) {
			const r = ask("GET", url, null, true);
			if (r.status !== 200) throw Object.assign(new Error(url), { code: "EIO" });
			return inPage ? Uint8Array.from(r.responseText, (c) => c.charCodeAt(0) & 0xff) : new Uint8Array(r.response);
		},
		write(fd, bytes) {
			ask("POST", "/write?fd=" + fd, bytes.slice());
			return bytes.length;
		},
		exit(code) { ask("POST", "/exit?code=" + code); },
		config: getJSON("/config"),
	};
})();
