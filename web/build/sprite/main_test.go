package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestMakeSprite(t *testing.T) {
	dir := t.TempDir()
	icon := "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"24\" viewBox=\"0 0 24 24\"\n>\n  <path d=\"M1 1\" />\n</svg>\n"
	if err := os.WriteFile(filepath.Join(dir, "dot.svg"), []byte(icon), 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := makeSprite(dir, []string{"dot"})
	want := `<symbol id="dot" viewBox="0 0 24 24"><path d="M1 1" /></symbol>`
	if err != nil || !strings.Contains(got, want) {
		t.Errorf("%v, no %s in %s", err, want, got)
	}
	if _, err := makeSprite(dir, []string{"dot", "dash"}); err == nil {
		t.Error("a missing icon is not an error")
	}
}

// TestIconsAreListed checks that components show only icons that are in the sprite.
func TestIconsAreListed(t *testing.T) {
	files, err := filepath.Glob("../../ui/*.vugu")
	if err != nil || len(files) == 0 {
		t.Fatalf("no components: %v", err)
	}
	sources, err := filepath.Glob("../../ui/*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(list)
	if !slices.IsSorted(names) {
		t.Error("icons.txt is not in order")
	}
	shown := regexp.MustCompile(`icon\("([a-z0-9-]+)"\)`)
	for _, file := range append(files, sources...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(names, m[1]) {
				t.Errorf("%s shows the icon %s, which is not in icons.txt", filepath.Base(file), m[1])
			}
		}
	}
}
