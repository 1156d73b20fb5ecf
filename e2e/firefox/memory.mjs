// Opens an archive in Firefox, verifies it and closes it, and prints {memory, errors, violations}, where memory holds
// the memory of the page's process in bytes, and the number of its workers: at the start, after verifying, and after
// closing.
//
//	node memory.mjs URL ARCHIVE DOWNLOADS PICTURE
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./start.mjs";

const [url, archive, downloads, picture] = process.argv.slice(2);
const t = await start(url, downloads);
await t.run(picture, async () => {
	await t.started();
	await sleep(3000); // the spare worker runs its warm-up
	const memory = { start: t.memory(), startWorkers: t.page.workers().length };
	await t.open(archive);
	await t.control("link", "Verify").click();
	await t.control("button", "Verify everything").click();
	await t.page.waitForSelector(".page.verify .result", { timeout: 300_000 });
	memory.verified = t.memory();
	memory.verifiedWorkers = t.page.workers().length;
	await t.control("button", "Close this archive").click();
	for (let i = 0; i < 40; i++) { // the browser frees memory late
		await sleep(250);
		memory.closed = t.memory();
		memory.closedWorkers = t.page.workers().length;
		if (memory.closedWorkers <= 1 && memory.closed - memory.start < (memory.verified - memory.start) / 4) break;
	}
	return { memory };
});
