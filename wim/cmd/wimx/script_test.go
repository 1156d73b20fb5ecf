//go:build !js

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

func TestMain(m *testing.M) {
	commands := map[string]func(){"wimx": main}
	for _, v := range verbs() {
		commands["wim"+v.name] = main
	}
	testscript.Main(m, commands)
}

// TestScript runs testdata/script. The page's sample is available as sample.wim, and the command "sample NAME" writes a
// handmade archive, so the scripts need no other program.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			b, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "static", "sample.wim"))
			if err != nil {
				return err
			}
			e.Setenv("WIMLIB_IMAGEX_IGNORE_CASE", "")
			if err := writeBig(filepath.Join(e.WorkDir, "big.wim")); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "sample.wim"), b, 0o644)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"sample": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) == 1 && args[0] == "flagged" {
					ts.Check(writeFlagged(ts.MkAbs))
					return
				}
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
			// glob runs wimx with arguments that are file name patterns: testscript has no shell.
			"glob": func(ts *testscript.TestScript, neg bool, args []string) {
				var all []string
				for _, a := range args {
					names, err := filepath.Glob(ts.MkAbs(a))
					ts.Check(err)
					if len(names) == 0 || !strings.Contains(a, "*") {
						names = []string{a}
					}
					all = append(all, names...)
				}
				if err := ts.Exec("wimx", all...); (err != nil) != neg {
					ts.Fatalf("wimx %v: %v", all, err)
				}
			},
			// windows writes a folder with the files of a Windows installation.
			"windows": func(ts *testscript.TestScript, neg bool, args []string) {
				for name, b := range wimtest.Windows10().Files() {
					p := filepath.Join(ts.MkAbs(args[0]), name)
					ts.Check(os.MkdirAll(filepath.Dir(p), 0o755))
					ts.Check(os.WriteFile(p, b, 0o644))
				}
			},
			// damage changes a letter of a text in a file, stored as UTF-16.
			"damage": func(ts *testscript.TestScript, neg bool, args []string) {
				b := []byte(ts.ReadFile(args[0]))
				at := bytes.Index(b, wimtest.HiveText("", args[1]).Data)
				if at < 0 {
					ts.Fatalf("%s is not there", args[1])
				}
				b[at] ^= 1
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
			},
			// same compares two files byte by byte, including binary ones.
			"same": func(ts *testscript.TestScript, neg bool, args []string) {
				a, b := ts.ReadFile(args[0]), ts.ReadFile(args[1])
				if (a == b) == neg {
					ts.Fatalf("%s and %s: same is %v", args[0], args[1], a == b)
				}
			},
		},
	})
}

// writeBig writes an archive of five incompressible contents of 300 KiB, and a small one.
func writeBig(name string) error {
	root := wimtest.Folder("", wimtest.TextFile("small", "small"))
	r := rand.NewChaCha8([32]byte{1})
	for i := range 5 {
		data := make([]byte, 300<<10)
		r.Read(data)
		root.Children = append(root.Children, &wimtest.HandEntry{Name: fmt.Sprint("random", i), Data: data})
	}
	return os.WriteFile(name, wimtest.One(root).Bytes(), 0o644)
}

// writeFlagged writes archives whose headers do not allow changes.
func writeFlagged(at func(string) string) error {
	for name, flag := range map[string]uint32{"read-only.wim": format.FlagReadOnly, "unfinished.wim": format.FlagWriteInProgress} {
		b := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "text"))).Bytes()
		flags := binary.LittleEndian.Uint32(b[16:])
		binary.LittleEndian.PutUint32(b[16:], flags|flag)
		if err := os.WriteFile(at(name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
