package wasmflow

import (
	"bytes"
	"compress/flate"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wimscope/wim/wimtest"
)

// TestStandardLibrary runs some of Go's own tests through the pass: of features that enter functions in the middle
// (goroutines, panics, deferred calls, stack growth, callbacks) and of loops. They all pass before the pass.
func TestStandardLibrary(t *testing.T) {
	wimtest.Need(t, "go", "node")
	goroot, err := wimtest.Run(".", "go", "env", "GOROOT")
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(goroot))
	dir := t.TempDir()
	for _, test := range []struct {
		pkg       string
		run, skip string
		least     int // tests that pass
	}{
		// The skipped test counts finalizers and expects those of certain tests to have run before it.
		{"runtime", "Panic|Recover|Defer|Goexit|Stack|Chan|Select|Caller|Traceback|GC|Gosched|Finalizer|Map|Timer|Conversion|Memmove|Append", "ReadMetrics", 250},
		{"reflect", ".", "-", 350},
		{"sync", ".", "-", 50},
		{"iter", ".", "-", 25},
		{"syscall/js", ".", "-", 40},
		{"encoding/json", ".", "-", 500},
		{"compress/flate", ".", "-", 60},
	} {
		if testing.Short() && test.pkg != "iter" {
			continue
		}
		t.Run(test.pkg, func(t *testing.T) {
			binary := filepath.Join(dir, "test.wasm")
			build := exec.Command("go", "test", "-c", "-vet=off", "-o", binary, test.pkg)
			build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			linked, err := os.ReadFile(binary)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			out, stats, err := Transform(linked)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes to %d in %v: %v", len(linked), len(out), time.Since(began), stats)
			if stats.Rewritten == 0 || stats.Left[noDispatcher] != stats.Functions-stats.Rewritten {
				t.Errorf("functions with a dispatcher were left: %v", stats)
			}
			checkSigpanic(t, linked)
			if err := os.WriteFile(binary, out, 0o666); err != nil {
				t.Fatal(err)
			}
			if n := passed(t, root, test.pkg, binary, "-test.run="+test.run, "-test.skip="+test.skip); n < test.least {
				t.Errorf("only %d tests passed, want %d", n, test.least)
			}
			switch test.pkg { // their tests check no lines
			case "iter", "sync", "compress/flate":
			default:
				return
			}
			bare, err := DropLines(out)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(binary, bare, 0o666); err != nil {
				t.Fatal(err)
			}
			if n := passed(t, root, test.pkg, binary, "-test.run="+test.run, "-test.skip="+test.skip); n < test.least {
				t.Errorf("without lines only %d tests passed, want %d", n, test.least)
			}
		})
	}
}

// TestPrograms checks that every function of the site's programs is understood, and that the result is valid.
func TestPrograms(t *testing.T) {
	wimtest.Need(t, "go", "node")
	for _, pkg := range []string{"wimscope/wasm", "wimscope/web"} {
		binary := filepath.Join(t.TempDir(), "program.wasm")
		build := exec.Command("go", "build", "-o", binary, pkg)
		build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		linked, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		out, stats, err := Transform(linked)
		if err != nil {
			t.Fatalf("%s: %v", pkg, err)
		}
		if before, after := deflated(t, linked), deflated(t, out); stats.Rewritten == 0 || stats.Left[noDispatcher] != stats.Functions-stats.Rewritten || after >= before {
			t.Errorf("%s: %d bytes to %d, compressed, %v", pkg, before, after, stats)
		}
		bare, err := DropLines(out)
		if err != nil {
			t.Fatalf("%s: %v", pkg, err)
		}
		if before, after := deflated(t, out), deflated(t, bare); after > before*95/100 {
			t.Errorf("%s without lines: %d bytes to %d, compressed", pkg, before, after)
		}
		for _, program := range [][]byte{out, bare} {
			if err := os.WriteFile(binary, program, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := wimtest.Run(".", "node", "-e", `new WebAssembly.Module(require("fs").readFileSync(process.argv[1]))`, binary); err != nil {
				t.Error(err)
			}
		}
	}
}

// deflated returns the size after a quick compression.
func deflated(t *testing.T, b []byte) int {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, 5)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// passed runs a test binary in its package's folder like Go's own go_js_wasm_exec, and returns the number of tests
// that passed. It fails if any failed.
func passed(t *testing.T, root, pkg, binary string, args ...string) int {
	t.Helper()
	cmd := exec.Command("node", append([]string{"--stack-size=8192", filepath.Join(root, "lib", "wasm", "wasm_exec_node.js"), binary,
		"-test.v", "-test.short", "-test.timeout=5m"}, args...)...)
	cmd.Dir = filepath.Join(root, "src", filepath.FromSlash(pkg))
	// Arguments and environment together have room for 8 KiB.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(), "GOROOT=" + root}
	out, err := cmd.CombinedOutput()
	if err != nil {
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "--- FAIL") || strings.Contains(line, "panic: ") || strings.Contains(line, "RuntimeError") {
				t.Log(strings.TrimSpace(line))
			}
		}
		t.Errorf("%v\n%s", err, out[max(0, len(out)-2000):])
	}
	return bytes.Count(out, []byte("--- PASS: "))
}

// checkSigpanic checks by name the function after which nothing is resumed.
func checkSigpanic(t *testing.T, linked []byte) {
	t.Helper()
	m, err := parseModule(linked)
	if err != nil {
		t.Fatal(err)
	}
	names := functionNames(t, m.tail)
	found := 0
	for i, body := range m.bodies {
		_, calls, _, _, err := parse(body, i, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, callee := range calls {
			if name := names[uint32(callee)]; name != "runtime.sigpanic" {
				t.Fatalf("function %d calls %q like sigpanic", i, name)
			}
			found++
		}
	}
	if found == 0 {
		t.Error("no call of sigpanic was found")
	}
}

// functionNames reads the name section, which comes after the code.
func functionNames(t *testing.T, sections []byte) map[uint32]string {
	t.Helper()
	r := &reader{b: sections}
	for r.off < len(sections) {
		id := r.byte()
		s := &reader{b: r.take(r.unsigned())}
		if id != 0 || string(s.take(s.unsigned())) != "name" {
			continue
		}
		if s.byte() != 1 { // names of functions
			break
		}
		s.unsigned()
		names := make(map[uint32]string)
		for range s.unsigned() {
			i := s.unsigned()
			names[i] = string(s.take(s.unsigned()))
		}
		if s.err != nil {
			t.Fatal(s.err)
		}
		return names
	}
	t.Fatal("no names")
	return nil
}
