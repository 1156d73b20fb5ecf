// Command sample makes the archive that the page offers as a sample: two small images that look like Windows editions, with one of
// everything that the page can show.
//
//	go run ./wim/wimtest/sample -o web/static/sample.wim
//
// It makes the trees by hand, applies them with wimlib-imagex to NTFS volumes in files (nothing is mounted), and captures those. So
// wimlib writes the archive, and it has what only NTFS can hold. The same versions of the tools make the same bytes: random and
// current values (the GUID, the time of capture) are replaced by fixed ones.
package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"wimscope/wim/wimtest"
)

const maxSize = 60 << 10

func main() {
	out := flag.String("o", "sample.wim", "file to write")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	dir, err := os.MkdirTemp("", "sample")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	archive := filepath.Join(dir, "sample.wim")
	for i, e := range editions() {
		volume, err := wimtest.NewNTFS(filepath.Join(dir, fmt.Sprintf("%d.img", i)), 8)
		if err != nil {
			return err
		}
		hand := filepath.Join(dir, "hand.wim")
		if err := os.WriteFile(hand, wimtest.One(e.tree(), security()...).Bytes(), 0o644); err != nil {
			return err
		}
		if err := volume.Apply(hand, 1, ""); err != nil {
			return err
		}
		verb := []string{"append", string(volume), archive, e.name, e.description, "--check", "--norpfix"}
		if i == 0 {
			verb[0] = "capture"
			verb = append(verb, "--compress=LZX")
		}
		if _, err := wimtest.Run(dir, wimtest.Wimlib, verb...); err != nil {
			return err
		}
		args := []string{"info", archive, fmt.Sprint(i + 1)}
		for _, p := range e.properties() {
			args = append(args, "--image-property", p)
		}
		if i == 0 {
			args = append(args, "--boot")
		}
		if _, err := wimtest.Run(dir, wimtest.Wimlib, args...); err != nil {
			return err
		}
	}
	// Rewrite the archive without the unused bytes that changes in place leave.
	if _, err := wimtest.Run(dir, wimtest.Wimlib, "optimize", archive, "--recompress", "--compress=LZX:100", "--check"); err != nil {
		return err
	}
	b, err := os.ReadFile(archive)
	if err != nil {
		return err
	}
	settle(b)
	if len(b) > maxSize {
		return fmt.Errorf("%d bytes, want at most %d", len(b), maxSize)
	}
	if err := os.WriteFile(archive, b, 0o644); err != nil {
		return err
	}
	if _, err := wimtest.Run(dir, wimtest.Wimlib, "verify", archive); err != nil {
		return err
	}
	if err := os.WriteFile(out, b, 0o644); err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes\n", out, len(b))
	return nil
}

// settle sets the GUID and the times in the XML document. The integrity table covers neither.
func settle(b []byte) {
	copy(b[0x18:], "wimscope-sample.")
	off, size := binary.LittleEndian.Uint64(b[0x50:]), binary.LittleEndian.Uint64(b[0x48:])&(1<<56-1)
	xml := b[off : off+size]
	for part, value := range map[string]string{"HIGHPART": "0x01DBF2A4", "LOWPART": "0x5C8B2680"} {
		for _, at := range regexp.MustCompile(wide("<"+part+">")).FindAllIndex(xml, -1) {
			copy(xml[at[1]:], wide(value))
		}
	}
}

// wide returns ASCII text in UTF-16LE.
func wide(s string) string {
	var b bytes.Buffer
	for i := range len(s) {
		b.WriteByte(s[i])
		b.WriteByte(0)
	}
	return b.String()
}
