// Starts Firefox with the page for a test, and has the steps that tests share. Firefox is the value of FIREFOX, or
// firefox-esr.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";

// start opens url in a Firefox with additional preferences that saves downloads to the folder downloads.
export async function start(url, downloads, prefs = {}) {
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
			...prefs,
		},
	});
	const page = await browser.newPage();
	const errors = [];
	await page.setViewport({ width: 1360, height: 860 });
	page.on("console", (m) => { if (m.type() === "error") errors.push(m.text()); });
	page.on("pageerror", (e) => errors.push(String(e)));
	await page.evaluateOnNewDocument(() => {
		window.violations = [];
		document.addEventListener("securitypolicyviolation", (e) => window.violations.push(e.effectiveDirective + " " + e.blockedURI));
	});
	await page.goto(url);
	return new Test(browser, page, errors, downloads);
}

class Test {
	constructor(browser, page, errors, downloads) { Object.assign(this, { browser, page, errors, downloads }); }

	started() { return this.page.waitForFunction(() => document.documentElement.dataset.started !== undefined, { timeout: 60_000 }); }

	control(role, name) { return this.page.locator(`::-p-aria([name="${name}"][role="${role}"])`).setTimeout(60_000); }

	// open picks an archive. The system's picker is bypassed: the file is set on the input directly.
	async open(archive) {
		await this.page.evaluate(() => { HTMLInputElement.prototype.click = () => {}; });
		await this.control("button", "Open a file").click();
		const input = await this.page.waitForSelector("input[type=file]");
		await input.uploadFile(archive);
	}

	// sees waits for a text anywhere on the page.
	sees(text) { return this.page.waitForFunction((text) => document.body.innerText.replace(/\s+/g, " ").includes(text), { timeout: 60_000 }, text); }

	// saved waits until the file name has been downloaded.
	async saved(name) {
		const path = join(this.downloads, name);
		for (let i = 0; !existsSync(path) || readdirSync(this.downloads).some((n) => n.endsWith(".part")); i++) {
			if (i > 300) throw new Error(`${name} was not saved; the folder holds ${readdirSync(this.downloads)}`);
			await sleep(100);
		}
		return path;
	}

	// memory returns the memory of the page's processes, with all workers, in bytes: their resident sets on Linux.
	memory() {
		const field = (pid, file, pattern) => { try { return readFileSync(`/proc/${pid}/${file}`, "utf8").match(pattern)?.[1]; } catch { return undefined; } };
		const parent = new Map(readdirSync("/proc").filter((n) => /^\d+$/.test(n)).map((n) => [n, field(n, "status", /^PPid:\s*(\d+)/m)]));
		const root = String(this.browser.process().pid);
		let sum = 0;
		for (const pid of parent.keys()) {
			let at = pid;
			while (at && at !== root) at = parent.get(at);
			if (at && /\btab\0?$/.test(field(pid, "cmdline", /([^]*)/) ?? "")) sum += Number(field(pid, "status", /^VmRSS:\s*(\d+)/m) ?? 0) * 1024;
		}
		return sum;
	}

	// run runs steps, keeps a screenshot of the end, prints their result with the page's errors, and closes the
	// browser.
	async run(picture, steps) {
		try {
			const result = await steps();
			await this.page.screenshot({ path: picture });
			console.log(JSON.stringify({ ...result, errors: this.errors, violations: await this.page.evaluate(() => window.violations) }));
		} catch (e) {
			console.error(this.errors.join("\n"));
			for (const page of await this.browser.pages()) {
				await page.screenshot({ path: picture }).catch(() => {});
				console.error(await page.evaluate(() => document.body.innerText).catch(() => ""));
			}
			throw e;
		} finally {
			await this.browser.close();
		}
	}
}
