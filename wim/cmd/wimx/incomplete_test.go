//go:build !js

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest"
)

// broken returns an archive whose folder sub has its list beyond the end of the metadata.
func broken() *wimtest.HandArchive {
	return wimtest.One(&wimtest.HandEntry{Dir: true, Children: []*wimtest.HandEntry{
		wimtest.TextFile("a", "text"),
		{Name: "sub", Dir: true, Children: []*wimtest.HandEntry{{Name: "lost"}}, Subdir: func(map[string]int) int64 { return 1 << 20 }},
	}})
}

func writeArchive(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.wim")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestVerifyIncomplete checks that verify rejects incomplete archives, says first what is lost and where, and has the exit status of
// wimlib-imagex.
func TestVerifyIncomplete(t *testing.T) {
	header := func(f func(h *format.Header)) []byte {
		b := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "text"))).Bytes()
		h, err := format.ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		f(&h)
		return append(h.Append(nil), b[format.HeaderSize:]...)
	}
	xml := func(s string) []byte {
		a := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "text")))
		a.XML = s
		return a.Bytes()
	}
	for _, c := range []struct {
		name  string
		b     []byte
		args  string
		code  int
		first string
	}{
		{"tree", broken().Bytes(), "", exitMetadata, "image 1: /sub: dentry at 0x100000"},
		{"blob table", header(func(h *format.Header) { h.BlobTable = format.ResourceHeader{} }), "", exitIncomplete, "there is no blob table"},
		{"image count", header(func(h *format.Header) { h.ImageCount = 5 }), "", exitImageCount, "image counts differ: 5 in the header, 1 in the blob table"},
		{"no XML", header(func(h *format.Header) { h.XML = format.ResourceHeader{} }), "", exitXML, "there is no XML document"},
		{"broken XML", xml("AWIM></WIM>"), "", exitXML, "XML document at 0x"},
		{"XML and header", xml("<WIM></WIM>"), "", exitImageCount, "image counts differ: 0 in the XML document"},
		{"integrity table", header(func(h *format.Header) { h.Integrity = format.ResourceHeader{Off: 300, PackedSize: 8, Size: 8} }), "", exitIntegrityTable, "the integrity table cannot be read"},
		{"not asked for", header(func(h *format.Header) { h.Integrity = format.ResourceHeader{Off: 300, PackedSize: 8, Size: 8} }), "--nocheck", 0, ""},
	} {
		args := append([]string{"verify", writeArchive(t, c.b)}, strings.Fields(c.args)...)
		out, errs, code := wimx("", args...)
		if code != c.code || code != 0 && (!strings.Contains(out, "a.wim: incomplete: "+c.first) || strings.Contains(out+errs, "successfully") || !strings.Contains(errs, "incomplete")) {
			t.Errorf("%s: status %d, want %d\n%s%s", c.name, code, c.code, out, errs)
		}
		if code == 0 {
			continue
		}
		var r verify.Report
		out, _, again := wimx("", append(args, "--json")...)
		for line := range strings.Lines(out) {
			if strings.Contains(line, `"verdict"`) {
				out = line
			}
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil || again != code || r.Verdict != verify.Incomplete || len(r.Losses) == 0 || !strings.Contains(r.Losses[0].Text, strings.TrimPrefix(c.first, "image 1: /sub: ")) {
			t.Errorf("%s, as JSON: %v, status %d, %s", c.name, err, again, out)
		}
	}
}

// TestIncompleteImage checks that every verb reports an incomplete image with a nonzero status, processes what is left, and does not
// make the loss permanent.
func TestIncompleteImage(t *testing.T) {
	b := broken().Bytes()
	name := writeArchive(t, b)
	dir := filepath.Dir(name)
	try := func(args ...string) (out, errs string) {
		t.Helper()
		out, errs, code := wimx(dir, args...)
		if code != exitMetadata || !strings.Contains(out+errs, "image 1: /sub: ") {
			t.Errorf("wimx %s: status %d\n%s%s", strings.Join(args, " "), code, out, errs)
		}
		return out, errs
	}
	text := func(path string) {
		t.Helper()
		if b, err := os.ReadFile(path); err != nil || string(b) != "text" {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
	try("apply", name, dir+"/applied")
	text(dir + "/applied/a")
	try("extract", name, "1", "/a", "--dest-dir="+dir+"/extracted")
	text(dir + "/extracted/a")
	if out, _ := try("dir", name); !strings.Contains(out, "/a\n/sub\n") {
		t.Errorf("dir: %s", out)
	}
	try("search", name, "a")
	try("diff", name, "1", name, "1")
	try("export", name, "1", dir+"/copy.wim")
	try("verify", dir+"/copy.wim")
	try("apply", dir+"/copy.wim", dir+"/again")
	text(dir + "/again/a")
	try("split", name, dir+"/part.swm", "1")
	try("verify", dir+"/part.swm")

	// Rewriting the archive would make the loss permanent.
	try("update", name, "1", "--command=delete /a")
	try("optimize", name)
	try("optimize", name, "--unsafe-compact")
	if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, b) {
		t.Errorf("the archive is another one now: %v", err)
	}

	// Deleting another image is possible, but the archive is not rewritten for it. The error says what to do.
	mustWimx(t, "append", dir+"/extracted", name, "sound")
	for _, c := range []struct{ hint, args string }{
		{"--soft deletes the image", "delete @ 2"}, {"--soft deletes the image", "delete @ 2 --unsafe-compact"},
		{"without --rebuild", "append #/extracted @ more --rebuild"}, {"without --rebuild", "append #/extracted @ more --unsafe-compact"},
		{`"export" copies`, "optimize @"}, {`"extract" and "export" copy`, "update @ 1 --command=delete,/a"},
	} {
		args := strings.Fields(strings.NewReplacer("@", name, "#", dir).Replace(c.args))
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], ",", " ")
		}
		if _, errs := try(args...); !strings.Contains(errs, c.hint) {
			t.Errorf("wimx %s does not say what to do: %s", c.args, errs)
		}
	}
	mustWimx(t, "delete", name, "2", "--soft")
	mustWimx(t, "append", dir+"/extracted", name, "sound")
	mustWimx(t, "delete", name, "1") // the incomplete one itself
}

// TestNamesThatXMLCannotHold checks that every verb refuses such names before it writes anything.
func TestNamesThatXMLCannotHold(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o755); err != nil {
		t.Fatal(err)
	}
	a, src := filepath.Join(dir, "a.wim"), filepath.Join(dir, "src.wim")
	mustWimx(t, "capture", in, a, "ok")
	mustWimx(t, "capture", in, src, "src")
	before, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"a\x01b", "a\x1fb", "a\uffffb", "a\ufffeb", "a\xed\xa0\x80b", "a\xffb"} {
		none := filepath.Join(dir, "none.wim")
		for _, args := range [][]string{
			{"capture", in, none, bad}, {"capture", in, none, "ok", bad}, {"capture", in, none, "ok", "--image-property", "WINDOWS/EDITIONID=" + bad},
			{"capture", in, none, "ok", "--flags=" + bad},
			{"append", in, a, bad}, {"append", in, a, "new", "--image-property", "X=" + bad},
			{"export", src, "1", a, bad}, {"export", src, "1", a, "new", bad}, {"export", src, "1", none, bad},
			{"info", a, "1", bad}, {"info", a, "1", "ok", bad}, {"info", a, "1", "--image-property", "DESCRIPTION=" + bad}, {"info", a, "1", "--image-property", "A/B[1]=" + bad},
		} {
			out, errs, code := wimx(dir, args...)
			if code != exitParameter || !strings.Contains(errs, "an XML document cannot contain") {
				t.Errorf("wimx %q: status %d\n%s%s", args, code, out, errs)
			}
			if _, err := os.Stat(none); err == nil {
				t.Errorf("wimx %q: an archive was written", args)
				os.Remove(none)
			}
		}
	}
	if now, err := os.ReadFile(a); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the archive is another one now: %v", err)
	}
	// Text that XML can represent comes back unchanged.
	for _, odd := range []string{"a\tb", "a\nb", "a\rb", "a\r\nb", "x\u0085\ue000\ufffd\U0001f4be", "<&>\"']]>"} {
		mustWimx(t, "info", a, "1", "ok", odd)
		var info infoOut
		if err := json.Unmarshal([]byte(mustWimx(t, "info", a, "--json")), &info); err != nil || info.Images[0].Description != odd {
			t.Errorf("%q is %q, %v", odd, info.Images[0].Description, err)
		}
		mustWimx(t, "verify", a)
		wimtest.MustRun(t, dir, wimtest.Wimlib, "info", a)
	}
}

// TestRewriteBadXML checks that an archive with an invalid XML document is read with a warning, and is sound once rewritten.
func TestRewriteBadXML(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	for _, doc := range []string{
		"<WIM><IMAGE INDEX=\"1\"><NAME>a\x01b</NAME><X>\uffff</X></IMAGE></WIM>",
		"<WIM><IMAGE INDEX=\"1\"><NAME>a&#1;b</NAME><1X/><!-- -- --></IMAGE></WIM><WIM/>",
		"<WIN A='1' A='2'><IMAGE INDEX=\"1\"><NAME>a</NAME></IMAGE></WIN>",
	} {
		a := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "text")))
		a.XML = doc
		name := writeArchive(t, a.Bytes())
		if _, errs, code := wimx("", "verify", name); code != exitXML {
			t.Errorf("%q: status %d\n%s", doc, code, errs)
		}
		_, errs, code := wimx("", "info", name, "1", "--image-property", "DESCRIPTION=new")
		if code != 0 || !strings.Contains(errs, "XML document at 0x") {
			t.Errorf("%q: status %d\n%s", doc, code, errs)
		}
		mustWimx(t, "verify", name)
		wimtest.MustRun(t, "", wimtest.Wimlib, "verify", name)
	}
}
