// Builds archives with the results of the pickers, like a screen of the product: from the folder picked, to the file
// picked. The site's security policy applies here too.
import { loader } from "./engine.js";
import { Build } from "./build.js";

loader.url = trustedTypes.createPolicy("wimapp", { createScriptURL: (u) => u }).createScriptURL("/worker.js");

// build captures the picked folder to a new archive; with base, it appends to that archive in place.
window.build = async ({ options, image, base }) => {
	const b = await Build.start(2);
	try {
		const request = { images: [], options, name: "built" };
		let target;
		if (base) {
			const [handle] = await showOpenFilePicker();
			request.base = await b.archive([await handle.getFile()]);
			request.inPlace = true;
			request.images.push({ archive: request.base, image: 1 });
			target = { kind: "file", handle };
		}
		const folder = await b.folder(await showDirectoryPicker());
		const draft = await b.draft({ steps: [{ op: "add", folder, target: "/" }] });
		request.images.push({ draft: draft.draft, properties: [{ name: "NAME", value: image }] });
		const plan = await b.plan(request);
		target ??= { kind: "handle", handle: await showSaveFilePicker({ suggestedName: plan.name }) };
		const control = new AbortController();
		window.cancelBuild = () => control.abort(new Error("cancelled"));
		const { report, written, stages } = await b.write(plan, request.base, target, {
			signal: control.signal,
			onStage: (stage, done, of, bytes) => { window.building = { stage, done, of, bytes }; },
		});
		return { draft, plan, report, written, stages: Object.keys(stages) };
	} finally {
		b.end();
	}
};
document.documentElement.dataset.started = "";
