// What e2e/bench calls to have an archive written: on a page under the site's own policy, of a folder that was dropped.
import { loader, prepare } from "./engine.js";
import { Build } from "./build.js";

loader.url = trustedTypes.createPolicy("wimapp", { createScriptURL: (u) => u }).createScriptURL("/worker.js");

// capture resolves with one run. The clock begins when the folder was scanned, which is one worker's work and told beside
// it, and ends when the file is whole.
window.capture = async (options, workers) => {
	await prepare(); // as the page does while nothing is open
	const b = await Build.start(workers);
	const handle = await showDirectoryPicker();
	const looked = performance.now();
	const draft = await b.draft({ steps: [{ op: "add", folder: await b.folder(handle), target: "/" }] });
	const scan = (performance.now() - looked) / 1000;
	const began = performance.now();
	const plan = await b.plan({ images: [{ draft: draft.draft }], options, name: "bench" });
	const { report, written, stages } = await b.write(plan, 0, { kind: "opfs" });
	const seconds = (performance.now() - began) / 1000;
	const memory = await b.memory();
	b.end();
	return { seconds, memory, ok: report.ok, written, entries: draft.files, stages: { scan, ...stages } };
};
document.documentElement.dataset.started = "";
