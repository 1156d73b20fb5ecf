//go:build !js

package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// Results for an abbreviation that does not stand for an option.
const (
	ambiguous    = "ambiguous"
	unrecognized = "unrecognized"
)

// TestAbbreviationsLikeWimlib resolves every prefix of every option. It compares two of each with wimlib-imagex: the shortest that wimx
// accepts, and one letter less. `make campaign` compares all.
func TestAbbreviationsLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	all := os.Getenv("WIMSCOPE_CAMPAIGN") != ""
	for _, v := range verbs() {
		theirs := wimlibOptions(v.name)
		if len(theirs) == 0 {
			continue // verbs that only wimx has, such as reorder
		}
		t.Run(v.name, func(t *testing.T) {
			asked := map[string]string{}
			ask := func(abbreviation string) string {
				if _, ok := asked[abbreviation]; !ok {
					asked[abbreviation] = wimlibOption(t, v.name, abbreviation)
				}
				return asked[abbreviation]
			}
			for _, name := range theirs {
				if !slices.ContainsFunc(v.opts, func(o option) bool { return o.name == name }) {
					t.Errorf("wimx has no option --%s", name)
				}
				if got := ask(name); got != name {
					t.Errorf("wimlib-imagex: --%s is %s", name, got)
				}
				shortest := len(name)
				for shortest > 1 && wimxOption(v, name[:shortest-1]) == name {
					shortest--
				}
				for n := 1; n < len(name); n++ {
					if !all && n != shortest && n != shortest-1 {
						continue
					}
					if got, want := wimxOption(v, name[:n]), ask(name[:n]); got != want {
						t.Errorf("--%s: %s, want %s", name[:n], got, want)
					}
				}
			}
			for _, o := range v.opts {
				if !slices.Contains(theirs, o.name) {
					if got := ask(o.name); got != unrecognized {
						t.Errorf("wimlib-imagex knows --%s (%s); wimlibOptions does not", o.name, got)
					}
				}
			}
			// No option is unknown here: a letter is answered with the names that it begins.
			for c := 'a'; c <= 'z'; c++ {
				for _, argument := range []string{"=x", ""} {
					out, _ := exec.Command(wimtest.Wimlib, v.name, "--"+string(c)+argument).CombinedOutput()
					said, _, _ := strings.Cut(string(out), "\n")
					for _, m := range regexp.MustCompile(`'--([a-z-]{2,})'`).FindAllStringSubmatch(said, -1) {
						if !slices.Contains(theirs, m[1]) {
							t.Errorf("wimlib-imagex has --%s; wimlibOptions does not", m[1])
						}
					}
					if strings.Contains(said, "option") {
						break
					}
				}
			}
		})
	}
}

// wimxOption returns the option that an abbreviation means to wimx.
func wimxOption(v verb, abbreviation string) string {
	o, err := findOption(append(v.opts, option{name: "help"}, option{name: "quiet"}), wimlibOptions(v.name), abbreviation)
	switch {
	case err == nil:
		return o.name
	case strings.Contains(err.Error(), ambiguous):
		return ambiguous
	}
	return unrecognized
}

// wimlibOption returns the same for wimlib-imagex, which names the option if an argument is missing or not allowed.
func wimlibOption(t *testing.T, verb, abbreviation string) string {
	t.Helper()
	said := ""
	for _, argument := range []string{"=x", ""} {
		out, _ := exec.Command(wimtest.Wimlib, verb, "--"+abbreviation+argument).CombinedOutput()
		said, _, _ = strings.Cut(string(out), "\n")
		switch m := regexp.MustCompile(`option '--([a-z-]+)' (doesn't allow|requires) an argument`).FindStringSubmatch(said); {
		case m != nil:
			return m[1]
		case strings.Contains(said, "is ambiguous"):
			return ambiguous
		case strings.Contains(said, "unrecognized option"):
			return unrecognized
		}
	}
	t.Fatalf("wimlib-imagex %s --%s: %s", verb, abbreviation, said)
	return ""
}
