// Command build makes the folder that a server serves: both WebAssembly programs, made faster by package wasmflow,
// what starts them, the page's static files, third-party notices, and each of them compressed. It is run from the
// module's root:
//
//	go run ./web/build [-out dist] [-fast] [-budget]
//
// Files that have not changed are left as they are, so that a second run takes no longer than Go's build cache
// needs. With -fast what has changed is not compressed, which takes half a minute and gains nothing on one machine.
// With -budget it fails if a program or the shell around them has outgrown its size.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"

	"wimscope/web/build/wasmflow"
)

// program is a package that becomes WebAssembly.
type program struct {
	pkg   string
	flags []string
	lines bool // stacks that it prints name files and lines
}

// programs are what becomes WebAssembly, by file name. Code that is not in a hurry is not inlined, which makes it a
// tenth smaller after compression: of the page nearly all, of the engine what answers questions, reads registries,
// documents and descriptors, and formats text. The runtime stays as it is, and so do the archive's other packages and the codecs, whose loops are the product's speed.
// What the engine knows of lines goes: an eighth of a megabyte for each who opens the page.
var programs = map[string]program{
	"page.wasm": {"./web", small("wimscope/...", "github.com/...", "encoding/json", "fmt", "time"), true},
	"engine.wasm": {"./wasm", small("wimscope/worker/...", "wimscope/wasm/...", "wimscope/wim/regf",
		"wimscope/wim/xmldoc", "wimscope/wim/config", "wimscope/wim/security", "wimscope/wim/pe", "wimscope/wim/internal/wire", "github.com/...", "fmt", "time",
		"strings", "strconv", "internal/strconv", "reflect", "os/...", "io/...", "syscall", "path/...", "context"), false},
}

// small makes go build's flags for packages that are compiled without inlining.
func small(packages ...string) []string {
	flags := make([]string, len(packages))
	for i, p := range packages {
		flags[i] = "-gcflags=" + p + "=-l"
	}
	return flags
}

func main() {
	out := flag.String("out", "dist", "folder to make")
	fast := flag.Bool("fast", false, "do not compress")
	budget := flag.Bool("budget", false, "fail if something has outgrown its size")
	flag.Parse()
	if *fast && *budget {
		fmt.Fprintln(os.Stderr, "build: sizes are known only after compression: -fast or -budget")
		os.Exit(2)
	}
	if err := run(*out, !*fast, *budget); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(out string, compress, budget bool) error {
	files, err := gather()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	sizes, err := writeAll(out, files, compress)
	if err != nil {
		return err
	}
	if err := prune(out, files); err != nil {
		return err
	}
	if !compress {
		return nil
	}
	over := report(os.Stdout, sizes)
	if budget {
		return over
	}
	return nil
}

// gather returns every file of the site by its slash-separated name.
func gather() (map[string][]byte, error) {
	files := make(map[string][]byte)
	temp, err := os.MkdirTemp("", "wimscope-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	for name, p := range programs {
		to := filepath.Join(temp, name)
		args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", to}, p.flags...)
		cmd := exec.Command("go", append(args, p.pkg)...)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		linked, err := os.ReadFile(to)
		if err != nil {
			return nil, err
		}
		if files[name], _, err = wasmflow.Transform(linked); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if p.lines {
			continue
		}
		if files[name], err = wasmflow.DropLines(files[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	root := strings.TrimSpace(string(goroot))
	if files["wasm_exec.js"], err = os.ReadFile(filepath.Join(root, "lib", "wasm", "wasm_exec.js")); err != nil {
		return nil, err
	}
	if files["notices.txt"], err = notices(root); err != nil {
		return nil, err
	}
	if err := addStatic(files, os.DirFS("web/static")); err != nil {
		return nil, err
	}
	return files, sizeIndex(files)
}

// addStatic adds the files of a folder, except what is not for a browser: Go, Markdown and hidden files.
func addStatic(files map[string][]byte, static fs.FS) error {
	return fs.WalkDir(static, ".", func(name string, d fs.DirEntry, err error) error {
		base := filepath.Base(name)
		if err != nil || d.IsDir() || strings.HasPrefix(base, ".") || strings.HasSuffix(base, ".go") || strings.HasSuffix(base, ".md") {
			return err
		}
		if _, ok := files[name]; ok {
			return fmt.Errorf("web/static/%s stands in the way of a file that is made", name)
		}
		files[name], err = fs.ReadFile(static, name)
		return err
	})
}

// sizeIndex tells the start page how many bytes it is going to load, for its progress bar.
func sizeIndex(files map[string][]byte) error {
	const mark = `data-bytes="0"`
	index, ok := files["index.html"]
	if !ok || bytes.Count(index, []byte(mark)) != 1 {
		return fmt.Errorf("web/static/index.html: want %s in it once", mark)
	}
	size := strconv.Itoa(len(files["page.wasm"]))
	files["index.html"] = bytes.Replace(index, []byte(mark), []byte(`data-bytes="`+size+`"`), 1)
	return nil
}

// size is what one file takes, plain and as a browser loads it.
type size struct {
	name          string
	plain, packed int
}

// writeAll writes files and their compressed forms into out, two at a time because compression takes its time.
func writeAll(out string, files map[string][]byte, compress bool) ([]size, error) {
	var mu sync.Mutex
	var sizes []size
	var firstErr error
	var wait sync.WaitGroup
	room := make(chan struct{}, 2)
	for name, content := range files {
		wait.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			packed, err := write(filepath.Join(out, filepath.FromSlash(name)), content, compress)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && firstErr == nil {
				firstErr = err
			}
			sizes = append(sizes, size{name, len(content), packed})
		})
	}
	wait.Wait()
	slices.SortFunc(sizes, func(a, b size) int { return strings.Compare(a.name, b.name) })
	return sizes, firstErr
}

// prune removes what an earlier build left in out.
func prune(out string, files map[string][]byte) error {
	return filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(out, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		for _, suffix := range []string{"", ".br", ".gz"} {
			if of, ok := strings.CutSuffix(name, suffix); ok && files[of] != nil {
				return nil
			}
		}
		return os.Remove(path)
	})
}

// Budgets, in bytes after brotli.
const (
	programBudget = 1_240_000
	shellBudget   = 60_000
)

// report prints what a browser loads, and returns an error if that is too much.
func report(w *os.File, sizes []size) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	shell := 0
	var over []string
	for _, s := range sizes {
		switch filepath.Ext(s.name) {
		case ".wasm":
			fmt.Fprintf(table, "%s\t%d\t%d\tbrotli\t\n", s.name, s.plain, s.packed)
			if s.packed > programBudget {
				over = append(over, fmt.Sprintf("%s is %d bytes, %d are allowed", s.name, s.packed, programBudget))
			}
		case ".html", ".css", ".js", ".svg":
			shell += s.packed
		}
	}
	fmt.Fprintf(table, "HTML, CSS, JS, SVG\t\t%d\tbrotli\t\n", shell)
	if err := table.Flush(); err != nil {
		return err
	}
	if shell > shellBudget {
		over = append(over, fmt.Sprintf("the shell is %d bytes, %d are allowed", shell, shellBudget))
	}
	if over != nil {
		return fmt.Errorf("over budget: %s", strings.Join(over, "; "))
	}
	return nil
}
