// Opens archives in Firefox, changes them while they are open, and prints {messages, errors, violations}, where
// messages holds the page's message for each change.
//
//	node changed.mjs URL ARCHIVE FOLDER FILE DOWNLOADS PICTURE
//
// ARCHIVE is copied for each trial; only the copy is changed.
import { copyFileSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { start } from "./start.mjs";

const [url, archive, folder, file, downloads, picture] = process.argv.slice(2);
const trials = {
	removed: (path) => rmSync(path),
	cut: (path) => truncateSync(path, statSync(path).size >> 1),
	// Firefox does not notice that a file is another one, only that bytes are missing if it is shorter.
	replaced: (path) => { writeFileSync(path + ".new", Buffer.alloc(statSync(path).size >> 1, 7)); renameSync(path + ".new", path); },
};
const t = await start(url, downloads);
await t.run(picture, async () => {
	await t.started();
	const messages = {};
	for (const [name, spoil] of Object.entries(trials)) {
		const copy = join(dirname(archive), name, basename(archive));
		mkdirSync(dirname(copy), { recursive: true });
		copyFileSync(archive, copy);
		await t.open(copy);
		await t.control("gridcell", folder).wait();
		spoil(copy);
		await t.control("link", "Verify").click();
		await t.control("button", "Verify everything").click();
		await t.page.waitForSelector(".page.verify .problem, .page.verify .result", { timeout: 60_000 });
		messages[name + ", verify"] = await t.page.evaluate(() => document.querySelector(".page.verify .problem, .page.verify .result").innerText);
		await t.control("link", "Files").click();
		await t.control("gridcell", folder).click({ count: 2 });
		await t.control("gridcell", file).click();
		await t.control("button", "Hex").click();
		// What the worker has read before may be shown; it has not read the middle of the file.
		await t.page.waitForSelector(".preview [role=alert], #goto", { timeout: 60_000 });
		if (!await t.page.$(".preview [role=alert]")) {
			await t.page.type("#goto", "20000000");
			await t.page.keyboard.press("Enter");
		}
		await t.page.waitForSelector(".preview [role=alert]", { timeout: 60_000 });
		messages[name + ", preview"] = await t.page.evaluate(() => document.querySelector(".preview [role=alert]").innerText);
		await t.control("button", "Close this archive").click();
		await t.page.evaluate(() => { for (const e of document.querySelectorAll("input[type=file]")) e.remove(); });
		await t.control("button", "Open a file").wait();
	}
	return { messages };
});
