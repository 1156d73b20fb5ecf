package config

import (
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

func TestCaptureConfigMatching(t *testing.T) {
	parse := func(t *testing.T, text string) *Capture {
		t.Helper()
		c, err := ParseCapture([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const simple = "[ExclusionList]\n*.mp3\n\\dir\\file\n/a*/b?\nfolder\\*.txt\n\"quoted name\"\n'single'\n  spaces around  \nC:\\drive\n"
	const exception = "[ExclusionList]\n/dir\n*.tmp\n[ExclusionException]\n/dir/sub/file\nkeep.tmp\n/whole\n"
	for _, c := range []struct {
		config, path string
		want         bool
	}{
		{simple, "x.mp3", true},
		{simple, "deep/down/X.MP3", true},
		{simple, "x.mp3x", false},
		{simple, "dir/file", true},
		{simple, "/dir/file", true},
		{simple, "DIR/FILE", true},
		{simple, "dir/file/below", true},
		{simple, "dir", false},
		{simple, "other/dir/file", false},
		{simple, "abc/bc", true},
		{simple, "abc/bcd", false},
		{simple, "abc/x/bc", false},
		{simple, "folder/x.txt", true},
		{simple, "in/folder/x.txt", true},
		{simple, "folder/in/x.txt", false},
		{simple, "quoted name", true},
		{simple, "in/single", true},
		{simple, "spaces around", true},
		{simple, "drive", true},
		{simple, "", false},
		{exception, "dir", false}, // a folder on the path to the exception
		{exception, "dir/other", true},
		{exception, "dir/sub", false},
		{exception, "dir/sub/file", false},
		{exception, "dir/sub/other", true},
		{exception, "x.tmp", true},
		{exception, "in/keep.tmp", false},
		{exception, "whole/x.tmp", false},
		{"[ExclusionList]\n*\n", "x", true},
		{"[ExclusionList]\n/\n", "", false},
		{"[ExclusionList]\n\"\"\n", "x", false},
		{"[ExclusionList]\n/*\n", "ümläut", true},
		{"[ExclusionList]\nÜM*\n", "ümläut", true},
		{"[ExclusionList]\n???\n", "日本語", true},
		{"[ExclusionList]\n*?a*b*\n", "xaxxb", true},
		{"[Other]\nx\n", "x", false},
		{"x\n[PrepopulateList]\nx\n", "x", false},
	} {
		if got := parse(t, c.config).Excludes(c.path); got != c.want {
			t.Errorf("%q excludes %q: %v, want %v", c.config, c.path, got, c.want)
		}
	}
	exact := parse(t, simple)
	exact.Exact = true
	if exact.Excludes("x.MP3") || !exact.Excludes("x.mp3") {
		t.Error("Exact makes no difference")
	}
	if exact.Exact = false; !exact.Excludes("x.MP3") {
		t.Error("Exact cannot be taken back")
	}
	var none *Capture
	if none.Excludes("x") || none.Unpacked("x") || none.Prepopulates("x") {
		t.Error("no configuration has rules")
	}
	c := parse(t, "[CompressionExclusionList]\n*.zip\n\\WINDOWS\\inf\\*.pnf\nmedia\n[CompressionFolderList]\n\\pack\n[PrepopulateList]\n\\boot\n")
	for _, p := range []string{"a.zip", "x/a.ZIP", "windows/INF/x.pnf", "in/media/deep/file"} {
		if !c.Unpacked(p) {
			t.Errorf("%s is packed", p)
		}
	}
	for _, p := range []string{"a.txt", "pack/deep/a.zip", "windows/inf/deep/x.pnf"} {
		if c.Unpacked(p) {
			t.Errorf("%s is not packed", p)
		}
	}
	if !c.Prepopulates("boot/deep/file") || c.Prepopulates("other/boot") {
		t.Error("files to be put on the disk are not told")
	}
}

func TestCaptureConfigForms(t *testing.T) {
	const text = "; a comment\r\n# another\r\n\r\n[ exclusionlist ]\r\n\\über 🗜\r\n[Nowhere]\r\nx\r\n"
	for name, b := range map[string][]byte{
		"UTF-8":              []byte(text),
		"UTF-8 with mark":    []byte("\ufeff" + text),
		"UTF-16":             wimtest.UTF16Text(text, binary.LittleEndian, false),
		"UTF-16 with mark":   wimtest.UTF16Text(text, binary.LittleEndian, true),
		"UTF-16, big-endian": wimtest.UTF16Text(text, binary.BigEndian, true),
	} {
		c, err := ParseCapture(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(c.Exclusion, []string{"/über 🗜"}) || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "[Nowhere]") {
			t.Errorf("%s: %q, warnings %q", name, c.Exclusion, c.Warnings)
		}
	}
	for name, b := range map[string][]byte{
		"Latin 1":        []byte("[ExclusionList]\n\xfcber\n"),
		"odd":            []byte("\xff\xfea"),
		"lone surrogate": wimtest.UTF16Text("[", binary.LittleEndian, true)[:2:2],
	} {
		if name == "lone surrogate" {
			b = append(b, 0, 0xd8)
		}
		if _, err := ParseCapture(b); !errors.Is(err, errText) {
			t.Errorf("%s gives %v", name, err)
		}
	}
	var ce *Error
	if _, err := ParseCapture([]byte("[ExclusionList]\n\nc:file\n")); !errors.As(err, &ce) || ce.Line != 3 {
		t.Errorf("a path relative to a drive gives %v", err)
	}
	d := DefaultCapture()
	for _, p := range []string{"hiberfil.sys", "$Recycle.Bin/S-1-5/x", "System Volume Information", "windows/csc"} {
		if !d.Excludes(p) {
			t.Errorf("%s is not excluded by default", p)
		}
	}
	if d.Excludes("sub/hiberfil.sys") || d.Excludes("Windows") {
		t.Error("too much is excluded by default")
	}
}

// FuzzCaptureConfig checks that a configuration is the same after writing and reading it.
func FuzzCaptureConfig(f *testing.F) {
	f.Add([]byte(DefaultCapture().String()))
	f.Add([]byte("[ExclusionList]\n\" x\"\n'['\n#\n[PrepopulateList]\nC:\\a\\\\b/\n"))
	f.Add([]byte("[CompressionFolderList]\n\"\"\"\n*?\\\n[CompressionExclusionList]\n/ /\n"))
	f.Add(wimtest.UTF16Text("[ExclusionException]\nß\n", binary.LittleEndian, true))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<12 {
			return
		}
		c, err := ParseCapture(b)
		if err != nil {
			return
		}
		c.Warnings = nil
		again, err := ParseCapture([]byte(c.String()))
		if err != nil {
			t.Fatalf("%q: %v", c.String(), err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("%#v is read back as %#v from %q", c, again, c.String())
		}
		for _, p := range append(c.Exclusion, c.Exception...) {
			c.Excludes(p)
			c.Unpacked(p + "/x")
		}
	})
}
