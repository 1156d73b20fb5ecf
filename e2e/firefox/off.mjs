// Opens the page in a Firefox without WebAssembly and prints {text, errors, violations}, where text is the page's
// text.
//
//	node off.mjs URL DOWNLOADS PICTURE
import { start } from "./start.mjs";

const [url, downloads, picture] = process.argv.slice(2);
const t = await start(url, downloads, { "javascript.options.wasm": false });
await t.run(picture, async () => {
	await t.page.waitForSelector(".boot-message:not([hidden])", { timeout: 60_000 });
	return { text: await t.page.evaluate(() => document.body.innerText) };
});
