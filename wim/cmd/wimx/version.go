package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version prints the version, commit and Go version of the program.
func (t *tool) version() {
	b, _ := debug.ReadBuildInfo()
	fmt.Fprintln(t.stdout, versionLine(b))
	fmt.Fprintln(t.stdout, "Reads and writes Windows Imaging archives; command-line syntax of wimlib-imagex 1.13.")
}

// versionLine formats the build information, which may be nil.
func versionLine(b *debug.BuildInfo) string {
	version, commit, changed := "(devel)", "unknown", ""
	if b != nil {
		if b.Main.Version != "" {
			version = b.Main.Version
		}
		for _, s := range b.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = " with changes"
			}
		}
	}
	return fmt.Sprintf("wimx (Wimscope) %s, commit %s%s, %s %s/%s", version, commit, changed, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
