// Opens an archive in Firefox, browses to a file and saves it, like a user; prints {errors, violations} as JSON.
//
//	node smoke.mjs URL ARCHIVE DOWNLOADS FOLDER FILE PICTURE PREFERENCES
//
// PICTURE is the file for a screenshot; PREFERENCES are additional preferences for Firefox, as JSON.
import { start } from "./start.mjs";

const [url, archive, downloads, folder, file, picture, preferences] = process.argv.slice(2);
const t = await start(url, downloads, JSON.parse(preferences ?? "{}"));
await t.run(picture, async () => {
	await t.started();
	// What this browser can do, according to the page.
	await t.control("button", "Keyboard shortcuts").click();
	await t.control("heading", "What this browser can do").wait();
	const caps = await t.page.evaluate(() => document.querySelector(".caps").innerText);
	await t.page.keyboard.press("Escape");

	await t.open(archive);
	await t.control("gridcell", folder).click({ count: 2 });
	await t.control("gridcell", file).click();
	await t.control("heading", file).wait();
	await t.control("button", "Save file").click();
	await t.saved(file);
	return { caps };
});
