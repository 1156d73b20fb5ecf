package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

func units(s string) []uint16 { return utf16.Encode([]rune(s)) }

func TestNativeName(t *testing.T) {
	for _, c := range []struct {
		in   []uint16
		want string
	}{
		{units("plain ü 日 𝒜"), "plain ü 日 𝒜"},
		{[]uint16{'x', 0xD800, 'y'}, "x\xed\xa0\x80y"},
		{[]uint16{0xDFFF}, "\xed\xbf\xbf"},
		{[]uint16{0xD835}, "\xed\xa0\xb5"},
		{nil, ""},
	} {
		if got := nativeName(c.in); got != c.want {
			t.Errorf("%x: got %q, want %q", c.in, got, c.want)
		}
		if got := nativeUnits(c.want); !slices.Equal(got, c.in) {
			t.Errorf("%q: got %x, want %x", c.want, got, c.in)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, c := range []struct {
		name         string
		unix, window bool
	}{
		{"a", true, true}, {"", false, false}, {".", false, false}, {"..", false, false}, {"...", true, false}, {"a/b", false, false},
		{`a\b`, true, false}, {`..\..\x`, true, false}, {"a:b", true, false}, {"a\x00b", false, false}, {"con", true, false},
		{"Con.txt", true, false}, {"console", true, true}, {"COM1", true, false}, {"com10", true, true}, {"x ", true, false},
		{"x.", true, false}, {"tab\t", true, false}, {"aux .h", true, false}, {".x", true, true},
	} {
		if got := checkName(units(c.name), false); got != c.unix {
			t.Errorf("%q elsewhere: got %v, want %v", c.name, got, c.unix)
		}
		if got := checkName(units(c.name), true); got != c.window {
			t.Errorf("%q on Windows: got %v, want %v", c.name, got, c.window)
		}
	}
}

func TestPatternTexts(t *testing.T) {
	for _, c := range []struct{ in, glob, query string }{
		{`/a\b*//ü?/`, "/a/b*/ü?", "/a/b*//ü?/"},
		{"x\xed\xa0\x80*", "/x␛D800*", "x␛D800*"}, // an unpaired surrogate, as nativeName writes it
		{"..", "/␛002E␛002E", "␛002E␛002E"},       // not valid as a name: it matches nothing
		{"␛", "/␛241B", "␛241B"},
		{"", "", ""},
	} {
		if got := globText(c.in); got != c.glob {
			t.Errorf("%q as a path: %q, want %q", c.in, got, c.glob)
		}
		if got := queryText(c.in); got != c.query {
			t.Errorf("%q as a query: %q, want %q", c.in, got, c.query)
		}
	}
}

func TestParseOptions(t *testing.T) {
	opts := []option{
		{name: "check"}, {name: "ref", value: true}, {name: "recover-data"}, {name: "no-acls"}, {name: "noacls", same: "no-acls"},
		{name: "check-more"}, {name: "nothing"}, {name: "json"}, {name: "dry-run"}, {name: "dry"}, {name: "trees", same: "threads"}, {name: "threads"},
		{name: "tea"}, // ours
	}
	wimlib := []string{"check", "ref", "recover-data", "no-acls", "noacls"}
	for _, c := range []struct {
		line string
		args string
		set  string
		err  string
	}{
		{"a b", "a|b", "", ""},
		{"a --check b", "a|b", "check=", ""},
		{"-check --ref=x --ref y", "", "check= ref=x,y", ""},
		{"--chec a", "a", "check=", ""},
		{"--re=1", "", "", "ambiguous"},
		{"--no", "", "", "ambiguous; possibilities: '--no-acls' '--noacls'"}, // although both mean the same, as in wimlib-imagex
		{"--no-", "", "no-acls=", ""},
		{"--noa", "", "no-acls=", ""},
		{"-c", "", "check=", ""}, // not --check-more, which only wimx has
		{"-check-", "", "check-more=", ""},
		{"-rec -ref=x -re", "", "", "ambiguous"},
		{"-rec -ref=x -ref -y", "", "ref=x,-y recover-data=", ""},
		{"-ref=", "", "ref=", ""},
		{"-not", "", "nothing=", ""},
		{"-j", "", "json=", ""},
		{"-dr", "", "", "ambiguous"},
		{"-dry", "", "dry=", ""},
		{"-tr", "", "threads=", ""},
		{"-t", "", "", "ambiguous"},
		{"-", "-", "", ""},
		{"--=x", "", "", "ambiguous"},
		{"--check=1", "", "", "doesn't allow"},
		{"--ref", "", "", "requires"},
		{"--bogus", "", "", "unrecognized"},
		{"-- --check -", "--check|-", "", ""},
		{"- --check", "-", "check=", ""},
	} {
		p, err := parseOptions(opts, wimlib, strings.Fields(c.line))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v, want %q", c.line, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
			continue
		}
		var set []string
		for _, o := range opts {
			if p.has(o.name) {
				set = append(set, o.name+"="+strings.Join(p.all(o.name), ","))
			}
		}
		if got := strings.Join(p.args, "|"); got != c.args {
			t.Errorf("%q: arguments %q, want %q", c.line, got, c.args)
		}
		if got := strings.Join(set, " "); got != c.set {
			t.Errorf("%q: options %q, want %q", c.line, got, c.set)
		}
	}
}
