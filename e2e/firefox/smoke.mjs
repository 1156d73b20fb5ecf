// Opens an archive in Firefox, browses to a file and saves it, as a person would; prints {errors, violations} as JSON.
//
//	node smoke.mjs URL ARCHIVE DOWNLOADS FOLDER FILE PICTURE
//
// Firefox is what FIREFOX names, or firefox-esr. PICTURE is where a screenshot goes.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";

const [url, archive, downloads, folder, file, picture] = process.argv.slice(2);
const executablePath = execFileSync("which", [process.env.FIREFOX || "firefox-esr"], { encoding: "utf8" }).trim();

const browser = await puppeteer.launch({
	browser: "firefox",
	executablePath,
	headless: true,
	extraPrefsFirefox: {
		"browser.download.folderList": 2,
		"browser.download.dir": downloads,
		"browser.download.useDownloadDir": true,
		"browser.download.always_ask_before_handling_new_types": false,
		"browser.helperApps.neverAsk.saveToDisk": "application/octet-stream,text/plain",
		"intl.accept_languages": "en-US",
	},
});
const errors = [];
try {
	const page = await browser.newPage();
	await page.setViewport({ width: 1360, height: 860 });
	page.on("console", (m) => { if (m.type() === "error") errors.push(m.text()); });
	page.on("pageerror", (e) => errors.push(String(e)));
	await page.evaluateOnNewDocument(() => {
		window.violations = [];
		document.addEventListener("securitypolicyviolation", (e) => window.violations.push(e.effectiveDirective + " " + e.blockedURI));
	});
	await page.goto(url);
	await page.waitForFunction(() => document.documentElement.dataset.started !== undefined, { timeout: 60_000 });

	const control = (role, name) => page.locator(`::-p-aria([name="${name}"][role="${role}"])`).setTimeout(60_000);
	// The picker itself belongs to the system; what it would have chosen is put where it would have put it.
	await page.evaluate(() => { HTMLInputElement.prototype.click = () => {}; });
	await control("button", "Open a file").click();
	const input = await page.waitForSelector("input[type=file]");
	await input.uploadFile(archive);

	await control("gridcell", folder).click({ count: 2 });
	await control("gridcell", file).click();
	await control("heading", file).wait();
	await control("button", "Save file").click();
	const saved = join(downloads, file);
	for (let i = 0; !existsSync(saved) || readdirSync(downloads).some((n) => n.endsWith(".part")); i++) {
		if (i > 300) throw new Error(`${file} was not saved; there is ${readdirSync(downloads)}`);
		await sleep(100);
	}
	await page.screenshot({ path: picture });
	console.log(JSON.stringify({ errors, violations: await page.evaluate(() => window.violations) }));
} catch (e) {
	console.error(errors.join("\n"));
	for (const page of await browser.pages()) {
		await page.screenshot({ path: picture }).catch(() => {});
		console.error(await page.evaluate(() => document.body.innerText).catch(() => ""));
	}
	throw e;
} finally {
	await browser.close();
}
