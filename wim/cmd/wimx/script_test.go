//go:build !js

package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"wimscope/wim/wimtest"
)

func TestMain(m *testing.M) {
	main := func() { os.Exit(run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr)) }
	testscript.Main(m, map[string]func(){"wimx": main, "wiminfo": main, "wimdir": main, "wimextract": main, "wimapply": main, "wimverify": main})
}

// TestScript runs testdata/script. The page's sample is there as sample.wim, and the command "sample NAME" writes a
// hand-made archive; so the scripts need no other program.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			b, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "static", "sample.wim"))
			if err != nil {
				return err
			}
			e.Setenv("WIMLIB_IMAGEX_IGNORE_CASE", "")
			return os.WriteFile(filepath.Join(e.WorkDir, "sample.wim"), b, 0o644)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"sample": func(ts *testscript.TestScript, neg bool, args []string) {
				for _, s := range wimtest.Samples() {
					if len(args) == 1 && s.Name == args[0] {
						for _, p := range append(s.Parts, s.Refs...) {
							ts.Check(os.WriteFile(ts.MkAbs(p.Name), p.Bytes, 0o644))
						}
						return
					}
				}
				ts.Fatalf("usage: sample NAME, of wimtest.Samples")
			},
			// same compares two files byte by byte, also such as are no text.
			"same": func(ts *testscript.TestScript, neg bool, args []string) {
				a, b := ts.ReadFile(args[0]), ts.ReadFile(args[1])
				if (a == b) == neg {
					ts.Fatalf("%s and %s: same is %v", args[0], args[1], a == b)
				}
			},
		},
	})
}
