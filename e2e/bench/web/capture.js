// Functions that e2e/bench calls to write an archive of a dropped folder, on a page under the site's own policy.
import { loader, prepare } from "./engine.js";
import { Build } from "./build.js";

loader.url = trustedTypes.createPolicy("wimapp", { createScriptURL: (u) => u }).createScriptURL("/worker.js");

// capture resolves with one run. The clock starts after the scan of the folder, which is one worker's work and
// reported separately, and stops when the file is complete.
window.capture = async (options, workers) => {
	await prepare(); // like the page while nothing is open
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
