// Builds archives from what the pickers give, as screens will: the folder that they hand over, the file that is to be
// written. A page of the site in all but looks: its policy holds here too.
import { loader } from "./engine.js";
import { Build } from "./build.js";

loader.url = trustedTypes.createPolicy("wimapp", { createScriptURL: (u) => u }).createScriptURL("/worker.js");

// build captures the picked folder into a new archive; with base, appends it to that archive in its file.
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
