package wimtest

import (
	"reflect"
	"strings"
	"testing"
)

func TestRandomIsRepeatable(t *testing.T) {
	for seed := range uint64(16) {
		a, b := Random(seed, nil), Random(seed, nil)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("seed %d gives two different trees", seed)
		}
		if c := Random(seed+16, nil); reflect.DeepEqual(a.Entries, c.Entries) && len(a.Entries) > 0 && a.Shape != "empty" {
			t.Errorf("seeds %d and %d give the same tree", seed, seed+16)
		}
	}
}

// TestRandomHasEverything: 20 consecutive seeds have everything that interop tests rely on.
func TestRandomHasEverything(t *testing.T) {
	seen := map[string]bool{}
	const chunk = 4096
	for seed := range uint64(20) {
		tr := Random(seed, &TreeOptions{Chunk: chunk})
		if len(tr.Entries) == 0 {
			seen["no entry"] = true
		}
		bytesSeen := map[string]bool{}
		for _, e := range tr.Entries {
			switch e.Kind {
			case Dir:
				seen["folder"] = true
			case Hard:
				seen["hard link"] = true
			case Symlink:
				seen["link"] = true
				if strings.HasPrefix(e.Target, "/") {
					seen["absolute link"] = true
				}
				if e.Target == "no such file" {
					seen["dangling link"] = true
				}
			case File:
				switch len(e.Data) {
				case 0, 1, chunk - 1, chunk, chunk + 1:
					seen["size "+string(rune('a'+len(e.Data)%7))] = true
				}
				if e.Sparse {
					seen["sparse"] = true
				}
				if k := string(e.Data); len(k) > 0 {
					if bytesSeen[k] {
						seen["same bytes twice"] = true
					}
					bytesSeen[k] = true
				}
			}
			if strings.Count(e.Path, "/") > 18 {
				seen["deep"] = true
			}
			if strings.HasSuffix(e.Path, ".") {
				seen["trailing dot"] = true
			}
			if strings.HasSuffix(e.Path, "CASE") {
				seen["twins by case"] = true
			}
		}
		if len(tr.Entries) > 170 {
			seen["wide"] = true
		}
	}
	for _, want := range []string{"no entry", "folder", "hard link", "link", "absolute link", "dangling link", "sparse",
		"same bytes twice", "deep", "wide", "trailing dot", "twins by case"} {
		if !seen[want] {
			t.Errorf("20 consecutive seeds have no %s", want)
		}
	}
}
