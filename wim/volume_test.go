package wim_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"wimscope/wim/format"
	"wimscope/wim/security"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

func TestAgainstWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	t.Run("folder", func(t *testing.T) {
		from := archivetest.OddFolder(t)
		if err := os.Remove(filepath.Join(from, `back\slash`)); err != nil { // its path is told otherwise
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(from, "␛")); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, "folder.wim")
		wimtest.MustRun(t, ".", wimtest.Wimlib, "capture", from, name, "--unix-data", "--compress=none")
		archivetest.CompareDetails(t, archivetest.OpenFile(t, name), name)
	})
	t.Run("hand-made", func(t *testing.T) {
		root, security := wimtest.WindowsTree()
		name := filepath.Join(dir, "hand.wim")
		if err := os.WriteFile(name, wimtest.One(root, security...).Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		archivetest.CompareDetails(t, archivetest.OpenFile(t, name), name)
	})
}

// TestNTFSVolume captures what Linux folders cannot hold: wimlib applies the hand-made tree to an NTFS image, ntfscp adds streams, and
// wimlib captures it again.
func TestNTFSVolume(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib, wimtest.MkNTFS, wimtest.NTFSCopy)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	root, descriptors := wimtest.WindowsTree()
	for name, b := range map[string][]byte{"hand.wim": wimtest.One(root, descriptors...).Bytes(), "volume": nil, "stream": []byte("a stream by ntfscp\n"), "big": bytes.Repeat([]byte("big"), 100000)} {
		if err := os.WriteFile(at(name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(at("volume"), 16<<20); err != nil {
		t.Fatal(err)
	}
	wimtest.MustRun(t, dir, wimtest.MkNTFS, "-F", "-Q", "-q", "-s", "512", "-p", "0", "-H", "255", "-S", "63", "volume")
	wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", "hand.wim", "1", "volume")
	wimtest.MustRun(t, dir, wimtest.NTFSCopy, "-f", "-N", "added", "volume", "stream", "/sub/inner.txt")
	wimtest.MustRun(t, dir, wimtest.NTFSCopy, "-f", "volume", "big", "/sub/big.bin")
	wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", "volume", "made.wim", "--compress=none")

	im := archivetest.OpenFile(t, at("made.wim"))
	archivetest.CompareDetails(t, im, at("made.wim"))
	if err := fstest.TestFS(im.FS(), "sub/inner.txt", "sub/big.bin", "streams.bin", "relative link", "junction"); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"sub/inner.txt:added": "a stream by ntfscp\n", "streams.bin:Zone.Identifier": "[ZoneTransfer]\r\nZoneId=3\r\n", "streams.bin:empty": "",
		"relative link": "inside\n", "junction/inner.txt": "inside\n",
	} {
		if got, err := im.FS().ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
	long, _ := im.Lookup("/A Long File Name.txt")
	if im.ShortName(long) != "ALONGF~1.TXT" || im.HardLinkCount(long) != 2 || im.Modified(long) != format.Filetime(133594672891234567) {
		t.Errorf("short name %q, %d links, modified %v", im.ShortName(long), im.HardLinkCount(long), im.Modified(long))
	}
	if sd, err := security.Parse(im.Security(long)); err != nil || sd.SDDL() != "O:BAG:SYD:(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)" {
		t.Errorf("security %v, %v", sd, err)
	}
	object, _ := im.Lookup("/object.id")
	if id := format.GUIDText(im.Items(object).ObjectID()); id != "{09060300-0f0c-1512-181b-1e2124272a2d}" {
		t.Errorf("object id %s", id)
	}
}
