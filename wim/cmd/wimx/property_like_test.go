//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// smallArchive creates an archive with one image named "one", and returns the name of a copy as well.
func smallArchive(t *testing.T) (archive, changed string) {
	t.Helper()
	dir := memoryDir(t)
	archive = filepath.Join(dir, "a.wim")
	if err := wimtest.Random(1, &wimtest.TreeOptions{Plain: true}).Write(filepath.Join(dir, "tree")); err != nil {
		t.Fatal(err)
	}
	wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", "tree", archive, "one", "--compress=none")
	return archive, filepath.Join(dir, "changed.wim")
}

// peer runs wimlib-imagex.
func peer(args ...string) (stdout string, code int) {
	cmd := exec.Command(wimtest.Wimlib, args...)
	out, _ := cmd.Output()
	return string(out), cmd.ProcessState.ExitCode()
}

// TestPropertiesLikeWimlib sets properties of an image, also meaningless ones, and compares the output, and what info of both programs
// shows for both archives.
func TestPropertiesLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	archive, changed := smallArchive(t)
	for _, property := range []string{
		"WINDOWS/ARCH=0", "WINDOWS/ARCH=1", "WINDOWS/ARCH=2", "WINDOWS/ARCH=5", "WINDOWS/ARCH=6", "WINDOWS/ARCH=9", "WINDOWS/ARCH=12", "WINDOWS/ARCH=13",
		"WINDOWS/ARCH=65535", "WINDOWS/ARCH=-1", "WINDOWS/ARCH=x", "WINDOWS/ARCH= 9", "WINDOWS/ARCH=9x", "WINDOWS/ARCH=09", "WINDOWS/ARCH=0x9",
		"WINDOWS/ARCH=+9", "WINDOWS/ARCH=4294967305", "WINDOWS/ARCH=18446744073709551625", "WINDOWS/ARCH=", "windows/arch=9",
		"DIRCOUNT=12abc", "DIRCOUNT= 12", "DIRCOUNT=010", "DIRCOUNT=99999999999999999999999", "TOTALBYTES=7", "HARDLINKBYTES=18446744073709551614",
		"CREATIONTIME/HIGHPART=01DD80BD", "CREATIONTIME/HIGHPART=0x1DD80BDzz", "CREATIONTIME/LOWPART=-1", "CREATIONTIME/HIGHPART=",
		"CREATIONTIME/HIGHPART=0x0fffffff", "CREATIONTIME=x", "WIMBOOT=1", "WIMBOOT=2", "WIMBOOT=01", "WIMBOOT=0", "WIMBOOT=yes",
		"WINDOWS/VERSION/MAJOR=10", "WINDOWS/VERSION/BUILD=abc", "WINDOWS/VERSION=6", "WINDOWS/VERSION/SPLEVEL=1", "WINDOWS=x", "WINDOWS/LANGUAGES=x",
		"WINDOWS/LANGUAGES/LANGUAGE= de ", "WINDOWS/LANGUAGES/DEFAULT= de ", "WINDOWS/LANGUAGES/LANGUAGE[2]=x", "WINDOWS/EDITIONID= ",
		"WINDOWS/PRODUCTNAME=Microsoft® 日本", "WINDOWS/PRODUCTSUITE=a&<b", "WINDOWS/INSTALLATIONTYPE=", "WINDOWS/HAL=acpi", "WINDOWS/SYSTEMROOT=WINDOWS",
		"NAME=", "NAME= one", "NAME=one", "NAME=x=y", "NAME[1]=q", "NAME[2]=q", "NAME= a\nb ", "DISPLAYNAME= x ", "DISPLAYDESCRIPTION=d", "DESCRIPTION=",
		"DESCRIPTION=a\"b'c<d>&amp;\\", "FLAGS= ", "A/B/C[1]/D=x", "A=b",
	} {
		shown := func(by string) string {
			var said strings.Builder
			for _, args := range [][]string{{"info", changed}, {"info", changed, "1"}} {
				out := ""
				if by == "wimx" {
					out = mustWimx(t, args...)
				} else {
					out, _ = peer(args...)
				}
				said.WriteString(out)
			}
			return said.String()
		}
		args := []string{"info", changed, "1", "--image-property", property}
		copyFile(t, archive, changed)
		wantSaid, wantCode := peer(args...)
		want := shown(wimtest.Wimlib)
		if d := firstLine(want, shown("wimx")); d != "" {
			t.Errorf("%q: wimx info: %s", property, d)
		}
		copyFile(t, archive, changed)
		said, errs, code := wimx("", args...)
		if code != wantCode || said != wantSaid {
			t.Errorf("%q: status %d, %q; want %d, %q\n%s", property, code, said, wantCode, wantSaid, errs)
		}
		// The XML document counts towards the archive's size, and is appended after the old one.
		if d := firstLine(steadyInfo(want, false), steadyInfo(shown(wimtest.Wimlib), false)); d != "" {
			t.Errorf("%q: wimlib-imagex info of ours: %s", property, d)
		}
	}
}

// TestImageArgumentLikeWimlib chooses images by many texts, in an archive whose image names have outer spaces or are shared.
func TestImageArgumentLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	archive, changed := smallArchive(t)
	tree := filepath.Join(filepath.Dir(archive), "tree")
	for _, name := range []string{" one ", "one ", "", "", "7", "all", "  ", "a\tb", "two"} {
		wimtest.MustRun(t, "", wimtest.Wimlib, "append", tree, archive, name)
	}
	rename(t, archive, "two", "one")
	for _, arg := range []string{
		"one", " one ", "one ", " one", "", " ", "  ", " 1", "\t+2", "01", "1 ", "+1", "-1", "- 1", "1_0", "7", "10", "11", "0", "00", "99999999999999999999",
		"0x1", "ALL", "all", " all", "*", "a\tb", "a b", "One", "two",
	} {
		for _, verb := range []string{"dir", "info", "extract"} {
			args := []string{verb, archive, "--", arg}
			if verb == "extract" {
				args = []string{verb, archive, "--to-stdout", "--nullglob", "--", arg, "/*"}
			}
			want, wantCode := peer(args...)
			got, errs, code := wimx("", args...)
			if d := firstLine(want, got); d != "" || code != wantCode {
				t.Errorf("%s %q: status %d, want %d: %s\n%s", verb, arg, code, wantCode, d, errs)
			}
		}
	}
	// All images go to a new archive under their names; none is exported where its name is taken.
	for _, by := range []string{"wimx", wimtest.Wimlib} {
		export := func(image string) (code int) {
			args := []string{"export", archive, image, changed + by}
			if by == "wimx" {
				_, _, code = wimx("", args...)
				return code
			}
			_, code = peer(args...)
			return code
		}
		if code := export("all"); code != 0 {
			t.Fatalf("%s export all: status %d", by, code)
		}
		if code := export("all"); code != exitNameTaken {
			t.Errorf("%s export all once more: status %d, want %d", by, code, exitNameTaken)
		}
		if code := export("10"); code != exitNameTaken {
			t.Errorf("%s export of an image with a name that two have: status %d, want %d", by, code, exitNameTaken)
		}
		if code := export("4"); code != 0 {
			t.Errorf("%s export of an image without a name: status %d", by, code)
		}
	}
	want, _ := peer("info", changed+wimtest.Wimlib)
	got, _ := peer("info", changed+"wimx")
	if d := firstLine(steadyInfo(want, true), steadyInfo(got, true)); d != "" {
		t.Errorf("what was exported: %s", d)
	}
}

// rename changes the name of an image to one of the same length directly in the file: programs refuse a name that is taken.
func rename(t *testing.T, archive, from, to string) {
	t.Helper()
	b, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	element := func(name string) []byte {
		var b []byte
		for _, u := range units("<NAME>" + name + "</NAME>") {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return b
	}
	if err := os.WriteFile(archive, bytes.ReplaceAll(b, element(from), element(to)), 0o644); err != nil {
		t.Fatal(err)
	}
}
