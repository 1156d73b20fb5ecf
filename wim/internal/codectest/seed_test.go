package codectest_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the fuzz seeds of the codecs, with wimlib-imagex")

// seedFiles returns small files of different kinds: text, x86-like calls, runs, and numbers.
func seedFiles() map[string][]byte {
	var text, calls, numbers bytes.Buffer
	for i := range 60 {
		fmt.Fprintf(&text, "%d bottles hang on the wall, and if %d of them should fall, there are %d.\n", 99-i, i%3+1, 98-i-i%3)
		calls.Write([]byte{0x55, 0x48, 0x89, 0xE5, 0xE8, byte(64 - i), byte(i % 2), 0, 0, 0x8B, 0x45, byte(i * 7), 0xC3})
	}
	for i := range 900 {
		fmt.Fprintf(&numbers, "%d,", i*i%1009)
	}
	return map[string][]byte{
		"text": text.Bytes(), "calls": calls.Bytes(), "numbers": numbers.Bytes(),
		"runs": []byte(strings.Repeat("\x00", 700) + strings.Repeat("ab", 300) + strings.Repeat("xyz", 200)),
	}
}

// TestSeeds: the committed fuzz seeds, chunks of small files packed by wimlib-imagex, decode to those files. With -update it makes
// the seeds.
func TestSeeds(t *testing.T) {
	for _, v := range variants() {
		if s := v.String(); s != "XPRESS/4K" && s != "LZX/32K" && s != "LZX/64K" {
			continue
		}
		folder := filepath.Join("..", "..", strings.ToLower(v.codec), "testdata", "fuzz", "FuzzDecode")
		for name, plain := range seedFiles() {
			file := filepath.Join(folder, fmt.Sprintf("wimlib-%s-%dK", name, v.size>>10))
			plain = plain[:min(len(plain), v.size)]
			if *update {
				dir := t.TempDir()
				if err := os.WriteFile(filepath.Join(dir, name), plain, 0o600); err != nil {
					t.Fatal(err)
				}
				eachBlob(t, capture(t, dir, v.codec, v.size), func(_ []byte, chunks []chunk) {
					c := chunks[0]
					if len(c.plain) != len(plain) {
						return // the metadata
					}
					text := fmt.Sprintf("go test fuzz v1\nuint32(%d)\n[]byte(%q)\n", len(plain), c.packed)
					if v.codec == "LZX" {
						order := 0
						for 32768<<order < v.size {
							order++
						}
						text = strings.Replace(text, "v1\n", fmt.Sprintf("v1\nbyte(%q)\n", rune(order)), 1)
					}
					if err := os.MkdirAll(folder, 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				})
			}
			packed := readSeed(t, file)
			got := make([]byte, len(plain))
			if err := v.make().Decode(got, packed); err != nil {
				t.Errorf("%s: %v", file, err)
			} else if !bytes.Equal(got, plain) {
				t.Errorf("%s: decodes to other bytes", file)
			}
		}
	}
}

// readSeed returns the bytes in the last line of a fuzz seed.
func readSeed(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var b []byte
	if _, err := fmt.Sscanf(lines[len(lines)-1], "[]byte(%q)", &b); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return b
}
