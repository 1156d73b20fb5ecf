package ui

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vugu/vugu/staticrender"

	"wimscope/web/state"
	"wimscope/web/state/statetest"
	"wimscope/web/words"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// shown is a page that is rendered to HTML.
type shown struct {
	*state.App
	t       *testing.T
	engine  *statetest.Engine
	session *statetest.Session
	browser *statetest.Browser
	html    func() string
}

func show(t *testing.T) *shown {
	t.Helper()
	s := &shown{t: t, session: statetest.NewSession()}
	s.engine = &statetest.Engine{Made: s.session}
	b := &statetest.Browser{Can: state.Caps{SavePicker: true, FolderPicker: true, Names: "windows"}, Save: "handle"}
	s.browser = b
	s.App = state.NewApp(b, s.engine, words.English(), func() {})
	env, root := New(s.App)
	s.html = func() string {
		var out strings.Builder
		s.Read(func() {
			if err := staticrender.New(&out).Render(env.RunBuild(root)); err != nil {
				t.Fatal(err)
			}
		})
		return out.String()
	}
	return s
}

// has waits until the page contains all of want, and returns it.
func (s *shown) has(want ...string) string {
	s.t.Helper()
	html := ""
	for range 3000 { // 15 s, for a busy machine
		html = s.html()
		all := true
		for _, w := range want {
			all = all && strings.Contains(html, w)
		}
		if all {
			return html
		}
		time.Sleep(5 * time.Millisecond)
	}
	for _, w := range want {
		if !strings.Contains(html, w) {
			s.t.Errorf("the page lacks %q", w)
		}
	}
	s.t.Fatalf("the page:\n%s", html)
	return ""
}

func (s *shown) lacks(html string, unwanted ...string) {
	s.t.Helper()
	for _, w := range unwanted {
		if strings.Contains(html, w) {
			s.t.Errorf("the page has %q", w)
		}
	}
}

func (s *shown) opened() *shown {
	s.t.Helper()
	s.Opener.Open([]state.File{{Name: "install.wim", Size: 1, Value: "f"}})
	s.has(`role="grid"`, ">readme.txt<")
	return s
}

func TestStartScreen(t *testing.T) {
	s := show(t)
	html := s.has("Drop a .wim, .esd or .swm here", ">Open a file<", ">Try the sample<", "Nothing leaves this computer", "Nothing to install", "Your file is not changed")
	s.lacks(html, "Build", "Split", "Learn", "Open a link", "Recent")
}

func TestProblemCard(t *testing.T) {
	s := show(t)
	s.engine.Fail = &protocol.Error{Code: protocol.CodeNotWIM, Guess: "zip", First: []byte("PK"), Message: "<b>not a WIM</b>"}
	s.Opener.Open([]state.File{{Name: "a<b>.zip", Size: 1, Value: "f"}})
	html := s.has(`role="alert"`, "a&lt;b&gt;.zip is not a Windows image", "It looks like a ZIP file.", "&lt;b&gt;not a WIM&lt;/b&gt;", ">Copy details<")
	s.lacks(html, "<b>not")
}

func TestFilesTab(t *testing.T) {
	s := show(t).opened()
	html := s.has(`role="tree"`, `role="treeitem"`, `aria-rowcount="5"`, `aria-sort="ascending"`, `role="separator"`, `aria-current="page"`, "4 items", "Windows 11 Pro · 2", "→ C:\\Recovery")
	s.lacks(html, "Anatomy", "Space")
	s.Archive.Files.Reveal(1, "/Windows/System32/notepad.exe")
	s.has(">Save file<", ">Preview<", "360,448 bytes", "2025-09-05 12:11:08.4219371 UTC", "NOTEPAD.EXE", "also /Windows/notepad.exe", "offset 0x4A61F3B2 · 11 chunks · compressed to 151,233 bytes (41%)",
		"TrustedInstaller", "full control", `aria-activedescendant="row-3"`, "1 selected, 360 KB")
	s.has("Stored once, used by 4 files in 2 images", "image 1: 2; image 2: 2") // when they have been counted
	s.Archive.Files.OpenPreview("", state.ModeHex)
	s.has(`id="hex"`, ">00000000<", "00000010", "offset 0x00000000: 00, decimal 0")
}

// TestDamage checks that list and inspector report a damaged link target, and that the preview reports that a file is
// damaged, or was read only in part.
func TestDamage(t *testing.T) {
	s := show(t)
	s.session.Add("broken", protocol.Row{Attrs: 0x400, BadLink: true, Reparse: 0xa000000c})
	s.opened().has(">target damaged or missing<")
	s.Archive.Files.Reveal(1, "/broken")
	s.has("its target is damaged or missing<")
	s.session.Check = protocol.CheckBad
	s.Archive.Files.Reveal(1, "/readme.txt")
	s.has("<h2>readme.txt<")
	s.Archive.Files.OpenPreview("", state.ModeText)
	s.lacks(s.has("This file is damaged", ">hello<"), "not compared")
	s.session.Check = protocol.CheckNone
	s.Archive.Files.OpenPreview("", state.ModeText)
	s.lacks(s.has("SHA-1 not verified", ">hello<"), "This file is damaged")
	s.session.Check = protocol.CheckGood
	s.Archive.Files.OpenPreview("", state.ModeText)
	s.has(">hello<", "UTF-8")
	s.lacks(s.html(), "This file is damaged", "not compared")
}

func TestImageWithoutName(t *testing.T) {
	s := show(t)
	s.session.Info.Images[0] = protocol.Image{Index: 1}
	s.opened().has(">Image 1<")
}

func TestImagesTab(t *testing.T) {
	s := show(t).opened()
	s.Go(state.TabImages)
	s.has("2 images", "10.0.26100.2033", "10.0.26100.1", "Professional · x64 · en-US · 98,112 files, 21,050 folders", ">boot image<", "2025-04-01 07:22", ">Read the registry<")
}

// TestImageRegistry checks that what an image's registry says is shown on request, beside kernel and XML.
func TestImageRegistry(t *testing.T) {
	s := show(t).opened()
	s.Go(state.TabImages)
	s.lacks(s.html(), "ge_release")
	s.Archive.Images.ReadWindows(1)
	html := s.has("Build (registry)", "10.0.26100.2033", ">ge_release<", "26100.1.amd64fre", "WINDOWS/ARCH: 0 in the XML, 9 in the image", "WINDOWS/HAL: missing in the XML, acpiapic in the image", "config/SYSTEM: regf: corrupt hive")
	if n := strings.Count(html, ">Read the registry<"); n != 1 {
		t.Errorf("%d images can be asked", n)
	}
	s.Archive.Images.ReadWindows(2)
	s.lacks(s.has("no Windows registry found"), ">Read the registry<")
}

func TestVerifyTab(t *testing.T) {
	s := show(t).opened()
	s.Go(state.TabVerify)
	s.has(">Verify everything<")
	s.Archive.Verify.Start()
	html := s.has(`role="progressbar"`, "Verifying, 0%", "Map of the archive: 0 squares intact, 0 damaged, 1,200 not checked")
	s.lacks(html, ">Save as text<")
	s.engine.LastJob().End(pool.Result{Report: protocol.Report{Op: protocol.Verify, DamagedN: 1, Blobs: 58214, Integrity: "bad", Text: "t", JSON: "{}",
		BadRanges: []protocol.Damage{{Kind: "blob", Hash: "9f2c41d06be7a3f00112233445566778899aabbc", Off: 4096, Len: 100, Count: 2,
			Paths: []protocol.Hit{{Image: 1, Path: "/a"}, {Image: 2, Path: "/b"}}}}}}, nil)
	s.has("1 blob is damaged → 2 files in 2 images", "does not match", "image 1  /a", "image 2  /b", "0x00001000 + 100", ">Save as text<", ">Save as JSON<")
}

// TestVerifyIncomplete checks that an incomplete archive counts neither as good nor as damaged, and has an icon of its own.
func TestVerifyIncomplete(t *testing.T) {
	s := show(t).opened()
	s.Go(state.TabVerify)
	s.Archive.Verify.Start()
	var losses []protocol.Loss
	for _, k := range protocol.LossKinds() {
		losses = append(losses, protocol.Loss{Kind: k, Image: 2, Path: "/some folder", Off: 4096, Text: "details"})
	}
	s.engine.LastJob().End(pool.Result{Report: protocol.Report{Op: protocol.Verify, Verdict: protocol.Incomplete, LossesN: 5000, Losses: losses, Text: "t", JSON: "{}"}}, nil)
	html := s.has("Incomplete: 5,000 losses", `class="card result partial"`, "#triangle-alert", "Image 2 · /some folder · offset 0x00001000", "(details)",
		"done: the archive is incomplete", "and 4,983 more")
	s.lacks(html, "OK:")
	s.lacks(html, "damaged<")
	s.lacks(html, ">loss.") // a kind without words
}

// TestIncompleteBanner checks that a banner reports an incomplete image or archive.
func TestIncompleteBanner(t *testing.T) {
	s := show(t)
	s.session.Lost = 3
	s.opened().has("This image is incomplete: 3 losses", ">Show what is lost<")
	s = show(t)
	s.session.Info.Losses = 1
	s.opened().has("This archive is incomplete: 1 loss")
}

func TestDetailsTab(t *testing.T) {
	s := show(t).opened()
	s.Go(state.TabDetails)
	s.has("00112233445566778899aabbccddeeff", "&lt;TOTALBYTES&gt;1&lt;/TOTALBYTES&gt;", "COMPRESSION, RP_FIX", "what a reader must expect", `class="kind-xml"`, "4,942,104,425", "What this browser can do", `href="notices.txt"`)
}

func TestSearchView(t *testing.T) {
	s := show(t).opened()
	s.SetQuery("note")
	s.has("note: 2 hits in 1 group", "in 2 places", "Windows 11 Pro · 2  /Windows/System32/notepad.exe", `role="combobox"`, `aria-controls="results"`)
	s.SetQuery(">ver")
	s.has(`role="listbox"`, ">Go to Verify<", `aria-activedescendant="cmd-0"`)
}

func TestExtractDialog(t *testing.T) {
	s := show(t).opened()
	s.Archive.Extract.Image(2)
	html := s.has("Extract Windows 11 Pro", ">ZIP file<", ">recommended<", ">TAR file<", ">Folder<", "3 files in 1 folder · 1.23 KB")
	if strings.Index(html, ">ZIP file<") > strings.Index(html, ">Folder<") {
		t.Error("the recommended format is not the first")
	}
	s.Archive.Extract.SetFormat(protocol.Folder)
	s.has("This browser cannot write 1 of 3 names", "A ZIP file keeps them all.")
	s.Archive.Extract.ToggleRefused()
	s.has("/Windows/System32/desktop.ini", "browsers refuse this file type")
	s.Archive.Extract.Start()
	s.has("Extracting Windows 11 Pro to folder", ">Cancel<")
	s.engine.LastJob().End(pool.Result{Report: protocol.Report{Op: protocol.Extract, Written: 2, WrittenLen: 1000, ProblemsN: 1,
		Problems: []protocol.Problem{{Path: "/x.ini", Reason: "something new", Detail: "why"}}}}, nil)
	s.has(`id="report"`, "2 files, 1.00 KB", "/x.ini", "something new: why", ">Copy the list<")
}

func TestShortcuts(t *testing.T) {
	s := show(t)
	s.ShowShortcuts(true)
	s.has(">Keyboard shortcuts<", ">F6<")
}

// TestControlsHaveNames checks that every button and link has text or a label.
func TestControlsHaveNames(t *testing.T) {
	s := show(t).opened()
	s.Archive.Files.Reveal(1, "/Windows/System32/notepad.exe")
	s.has("360,448 bytes")
	button := regexp.MustCompile(`(?s)<(button|a)\b([^>]*)>(.*?)</(?:button|a)>`)
	tag := regexp.MustCompile(`<[^>]*>`)
	n := 0
	for _, tab := range state.Tabs() {
		s.Go(tab)
		for _, m := range button.FindAllStringSubmatch(s.html(), -1) {
			n++
			if strings.TrimSpace(tag.ReplaceAllString(m[3], "")) == "" && !regexp.MustCompile(`aria-label="[^"]+"`).MatchString(m[2]) {
				t.Errorf("on %s a control has no name: %s", tab, m[0])
			}
		}
	}
	if n < 40 {
		t.Fatalf("only %d controls were found", n)
	}
}

// TestIcons checks that the list of the sprite names exactly the icons that are used.
func TestIcons(t *testing.T) {
	list, err := os.ReadFile("../build/sprite/icons.txt")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	call := regexp.MustCompile(`icon\("([a-z0-9-]+)"\)`)
	typed := regexp.MustCompile(`\{"([a-z-]+)", "promise\.`)
	for _, name := range names {
		if strings.HasSuffix(name, "_gen.go") || strings.HasSuffix(name, "_test.go") || filepath.Ext(name) != ".go" && filepath.Ext(name) != ".vugu" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
		}
		for _, m := range typed.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
		}
	}
	for _, n := range []string{"a.exe", "a.txt", "a.png", "a.zip", "a.cmd", "a"} {
		used[string(symbol(n, false, false))] = true
	}
	used[string(symbol("", true, false))], used[string(symbol("", false, true))] = true, true
	listed := map[string]bool{}
	for n := range strings.FieldsSeq(string(list)) {
		listed[n] = true
		if !used[n] {
			t.Errorf("icons.txt lists %s, which nothing uses", n)
		}
	}
	for n := range used {
		if !listed[n] {
			t.Errorf("icons.txt lacks %s", n)
		}
	}
}

func TestGroupsOfAHash(t *testing.T) {
	if got := hashGroups("9f2c41d06be7a3f00112233445566778899aabbc"); got != "9f2c41d0 6be7a3…" {
		t.Errorf("hashGroups = %q", got)
	}
}
