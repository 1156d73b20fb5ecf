package state

import "testing"

func TestRoutes(t *testing.T) {
	for _, r := range []Route{
		{},
		{ID: "a1b2", Tab: TabFiles},
		{ID: "a1b2", Tab: TabFiles, Image: 6, Path: "/Windows/System32/notepad.exe"},
		{ID: "a1b2", Tab: TabFiles, Image: 1, Path: "/a b/ü&%#?=+/x"},
		{ID: "sample", Tab: TabImages},
		{ID: "sample", Tab: TabVerify},
		{ID: "sample", Tab: TabDetails},
		{ID: "a/b", Tab: TabSearch, Query: "*.dll & more"},
	} {
		if got := ParseRoute(r.String()); got != r {
			t.Errorf("ParseRoute(%q) = %+v, want %+v", r.String(), got, r)
		}
	}
	for hash, want := range map[string]Route{
		"":                            {},
		"#":                           {},
		"#/":                          {},
		"#/nonsense":                  {},
		"#/a/":                        {},
		"#/a/x":                       {ID: "x", Tab: TabFiles},
		"#/a/x/anatomy?off=1":         {ID: "x", Tab: TabFiles},
		"#/a/x/files?img=-1&path=":    {ID: "x", Tab: TabFiles},
		"#/a/x/files?img=2&path=%2Fa": {ID: "x", Tab: TabFiles, Image: 2, Path: "/a"},
		"#/a/x/files?%zz":             {ID: "x", Tab: TabFiles},
		"#/a/%zz/files":               {},
	} {
		if got := ParseRoute(hash); got != want {
			t.Errorf("ParseRoute(%q) = %+v, want %+v", hash, got, want)
		}
	}
	if got, want := (Route{ID: "x", Tab: TabFiles, Image: 6, Path: "/Windows"}).String(), "#/a/x/files?img=6&path=/Windows"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}
