const $ = (id) => document.getElementById(id);
const log = (s) => { $("log").textContent = s; };
$("count").onclick = () => { $("n").textContent++; };
$("name").oninput = () => log("name " + $("name").value);
$("kind").onchange = () => log("kind " + $("kind").value);
$("save").onclick = async () => {
	const h = await showSaveFilePicker({ suggestedName: "out.txt" });
	const w = await h.createWritable();
	await w.write("written by the page");
	await w.close();
	log("saved " + h.name);
};
$("download").onclick = () => {
	const a = document.createElement("a");
	a.href = URL.createObjectURL(new Blob(["downloaded"]));
	a.download = "got.txt";
	a.click();
};
addEventListener("dragover", (e) => e.preventDefault());
addEventListener("drop", async (e) => {
	e.preventDefault();
	const texts = [...e.dataTransfer.files].map((f) => f.text());
	log("dropped " + (await Promise.all(texts)).join(","));
});
addEventListener("keydown", (e) => { if (e.ctrlKey && e.key === "k") { e.preventDefault(); log("palette"); } });
document.documentElement.dataset.started = "";
