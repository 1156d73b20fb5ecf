package main

import (
	"io"
	"os"
	"strings"

	"wimscope/wim/config"
	"wimscope/wim/ntname"
)

// cleanPath splits a path in an image into names. Slashes and backslashes both separate names; leading and repeated ones are
// ignored.
func cleanPath(p string) []string {
	return strings.FieldsFunc(p, func(r rune) bool { return r == '/' || r == '\\' })
}

// globText converts a path with wildcards to the engine's form: escaped names, separated by slashes.
func globText(p string) string {
	var b strings.Builder
	for _, step := range cleanPath(p) {
		b.WriteString("/" + ntname.Escape(nativeUnits(step)))
	}
	return b.String()
}

// queryText does the same for a text to search for, where slashes at either end have a meaning.
func queryText(s string) string {
	steps := strings.Split(strings.ReplaceAll(s, `\`, "/"), "/")
	for i := range steps {
		steps[i] = ntname.Escape(nativeUnits(steps[i]))
	}
	return strings.Join(steps, "/")
}

// listFile reads the paths of a list file, one per line; "-" is standard input.
func (t *tool) listFile(name string) ([]string, error) {
	var b []byte
	var err error
	if name == "-" {
		t.say("Reading pathlist file from standard input...\n")
		b, err = io.ReadAll(t.stdin)
	} else {
		b, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, coded(exitOpen, err)
	}
	return config.ParseList(b), nil
}

// ignoreCase reports whether paths are matched ignoring case: by WIMLIB_IMAGEX_IGNORE_CASE, or else by the system's default. As in
// wimlib-imagex, an unknown value only gets a warning; an empty one counts as unset.
func (t *tool) ignoreCase() bool {
	const name = "WIMLIB_IMAGEX_IGNORE_CASE"
	switch v := os.Getenv(name); v {
	case "":
	case "no", "0":
		return false
	case "yes", "1":
		return true
	default:
		t.warn("%s=%q has no effect; it may be \"yes\", \"no\", \"1\" or \"0\"", name, v)
	}
	return onWindows
}
