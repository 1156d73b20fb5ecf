package ntname

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatcher(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		exact, fold   bool
	}{
		{"", "x", true, true},
		{"kern", "kernel32.dll", true, true},
		{"EL32", "kernel32.dll", false, true},
		{"kernel32.dll", "KERNEL32.DLL", false, true},
		{"dlll", "kernel32.dll", false, false},
		{"aab", "aaab", true, true},
		{"*.dll", "kernel32.dll", true, true},
		{"*.DLL", "kernel32.dll", false, true},
		{"*.dll", "kernel32.dll.mui", false, false},
		{"k*l??.d*", "kernel32.dll", true, true},
		{"?", "ab", false, false},
		{"*", "", true, true},
		{"*a*b*", "xxaxxbxx", true, true},
		{"*a*b", "axbxa", false, false},
		{"ü", "ÜBER", false, true},
		{"Ü*", "über", false, true},
		{"kernel", "ſkernel", true, true},
		{"k", "\u212a", false, false}, // to NTFS, the Kelvin sign is not a k
		{"ab", "a\u0162", false, false},
		{"日本", "大日本", true, true},
		{"i", "ı", false, false},
	} {
		e, f := NewPattern(tt.pattern, false), NewPattern(tt.pattern, true)
		if got := e.Match(u16(tt.name)); got != tt.exact {
			t.Errorf("%q matches %q: %v", tt.pattern, tt.name, got)
		}
		if got := f.MatchString(tt.name); got != tt.fold {
			t.Errorf("%q matches %q ignoring case: %v", tt.pattern, tt.name, got)
		}
	}
	lone := NewPattern("␛D800", true)
	if !lone.Match([]byte{'a', 0, 0, 0xd8}) || lone.Match([]byte{'a', 0, 0, 0xd9}) {
		t.Error("an escaped surrogate is not found")
	}
	// A pattern that makes backtracking matchers hang.
	slow := NewPattern(strings.Repeat("*a", 50)+"b", true)
	if slow.Match(u16(strings.Repeat("a", 5000))) {
		t.Error("it matches")
	}
}

// FuzzGlob compares globs with the equivalent regular expressions.
func FuzzGlob(f *testing.F) {
	f.Add("*.dll", "kernel32.dll")
	f.Add("a*b?c", "aXXbYc")
	f.Add("**", "")
	f.Add("?日*", "x日本")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 30 || len(name) > 200 || strings.ContainsAny(pattern+name, "\ufffd␛\n") || !utf8.ValidString(pattern) || !utf8.ValidString(name) {
			return
		}
		for _, r := range pattern + name {
			if r > 0xffff {
				return // ? stands for one UTF-16 unit
			}
		}
		expr := strings.NewReplacer(`\*`, "[^\n]*", `\?`, "[^\n]").Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile("^" + expr + "$").MatchString(name)
		m := NewGlob(pattern, false)
		if got := m.Match(u16(name)); got != want {
			t.Fatalf("%q matches %q: %v, want %v", pattern, name, got, want)
		}
		ASCII := strings.IndexFunc(pattern+name, func(r rune) bool { return r >= 0x80 }) < 0
		if ASCII {
			m := NewGlob(pattern, true)
			want := regexp.MustCompile("^(?i:" + expr + ")$").MatchString(name)
			if got := m.Match(u16(name)); got != want {
				t.Fatalf("%q matches %q ignoring case: %v, want %v", pattern, name, got, want)
			}
			sub := NewText(pattern, true)
			if got, want := sub.index(u16(name)) >= 0, strings.Contains(strings.ToUpper(name), strings.ToUpper(pattern)); got != want {
				t.Fatalf("%q is in %q: %v, want %v", pattern, name, got, want)
			}
		}
	})
}
