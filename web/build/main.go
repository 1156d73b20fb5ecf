// Command build makes the folder that a server serves: the WebAssembly programs, optimised by package wasmflow, their
// loaders, the page's static files, third-party notices, and the compressed form of each. Run it in the module's root:
//
//	go run ./web/build [-out dist] [-fast] [-budget]
//
// Unchanged files are not written again, so a second run takes little more than Go's build cache needs. -fast skips
// compression, which takes half a minute and gains nothing on one machine. -budget makes the build fail if a program,
// or the shell around them, exceeds its size budget.
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

// program is a package that is compiled to WebAssembly.
type program struct {
	pkg    string
	flags  []string
	lines  bool // its stack traces show files and lines
	budget int  // bytes after brotli
}

// programs are the WebAssembly programs, by file name: the page, the workers' program that reads, which every visitor
// loads too, and the one that also builds, which a page loads when it first builds something. Code that need not be
// fast is compiled without inlining, which makes it a tenth smaller after compression: in the page nearly everything,
// in the workers what engineSmall lists. The workers' line tables are removed, which saves an eighth of a megabyte.
var programs = map[string]program{
	"page.wasm":    {"./web", small("wimscope/...", "github.com/...", "encoding/json", "fmt", "time"), true, 1_240_000},
	"reader.wasm":  {"./wasm", engineSmall, false, 990_000},
	"builder.wasm": {"./wasm/builder", engineSmall, false, 1_240_000},
}

// engineSmall is for the engine's code that answers questions, plans jobs, lays out their outputs, reads registries,
// documents and descriptors, and formats text. The runtime is compiled as usual, and so are the archive's other
// packages and the codecs, whose loops determine the product's speed.
var engineSmall = small("wimscope/worker/...", "wimscope/wasm/...", "wimscope/wim/apply", "wimscope/wim/config", "wimscope/wim/draft",
	"wimscope/wim/extract", "wimscope/wim/internal/wire", "wimscope/wim/pe", "wimscope/wim/regf", "wimscope/wim/security",
	"wimscope/wim/verify", "wimscope/wim/windows", "wimscope/wim/write", "wimscope/wim/xmldoc", "github.com/...", "fmt",
	"time", "strings", "strconv", "internal/strconv", "reflect", "os/...", "io/...", "syscall", "path/...", "context")

// small returns go build's flags to compile packages without inlining.
func small(packages ...string) []string {
	flags := make([]string, len(packages))
	for i, p := range packages {
		flags[i] = "-gcflags=" + p + "=-l"
	}
	return flags
}

func main() {
	out := flag.String("out", "dist", "write the site to this folder")
	fast := flag.Bool("fast", false, "skip compression")
	budget := flag.Bool("budget", false, "fail if a size budget is exceeded")
	flag.Parse()
	if *fast && *budget {
		fmt.Fprintln(os.Stderr, "build: -fast and -budget exclude each other: sizes are known only after compression")
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

// addStatic adds the files of a folder, except those that are not for browsers: Go, Markdown and hidden files.
func addStatic(files map[string][]byte, static fs.FS) error {
	return fs.WalkDir(static, ".", func(name string, d fs.DirEntry, err error) error {
		base := filepath.Base(name)
		if err != nil || d.IsDir() || strings.HasPrefix(base, ".") || strings.HasSuffix(base, ".go") || strings.HasSuffix(base, ".md") {
			return err
		}
		if _, ok := files[name]; ok {
			return fmt.Errorf("web/static/%s has the name of a generated file", name)
		}
		files[name], err = fs.ReadFile(static, name)
		return err
	})
}

// sizeIndex sets the size of page.wasm in the start page, for its progress bar.
func sizeIndex(files map[string][]byte) error {
	const mark = `data-bytes="0"`
	index, ok := files["index.html"]
	if !ok || bytes.Count(index, []byte(mark)) != 1 {
		return fmt.Errorf("web/static/index.html: want %s exactly once", mark)
	}
	size := strconv.Itoa(len(files["page.wasm"]))
	files["index.html"] = bytes.Replace(index, []byte(mark), []byte(`data-bytes="`+size+`"`), 1)
	return nil
}

// size is the size of one file, uncompressed and as a browser loads it.
type size struct {
	name              string
	plain, compressed int
}

// writeAll writes files and their compressed forms to out, two at a time because compression is slow.
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
			compressed, err := write(filepath.Join(out, filepath.FromSlash(name)), content, compress)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && firstErr == nil {
				firstErr = err
			}
			sizes = append(sizes, size{name, len(content), compressed})
		})
	}
	wait.Wait()
	slices.SortFunc(sizes, func(a, b size) int { return strings.Compare(a.name, b.name) })
	return sizes, firstErr
}

// prune removes files of earlier builds from out.
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

// shellBudget is for the files around the programs, in bytes after brotli.
const shellBudget = 60_000

// report prints the sizes that a browser loads, and returns an error if a budget is exceeded.
func report(w *os.File, sizes []size) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	shell := 0
	var over []string
	for _, s := range sizes {
		switch filepath.Ext(s.name) {
		case ".wasm":
			fmt.Fprintf(table, "%s\t%d\t%d\tbrotli\t\n", s.name, s.plain, s.compressed)
			if budget := programs[s.name].budget; s.compressed > budget {
				over = append(over, fmt.Sprintf("%s has %d bytes, the budget is %d", s.name, s.compressed, budget))
			}
		case ".html", ".css", ".js", ".svg":
			shell += s.compressed
		}
	}
	fmt.Fprintf(table, "HTML, CSS, JS, SVG\t\t%d\tbrotli\t\n", shell)
	if err := table.Flush(); err != nil {
		return err
	}
	if shell > shellBudget {
		over = append(over, fmt.Sprintf("the shell has %d bytes, the budget is %d", shell, shellBudget))
	}
	if over != nil {
		return fmt.Errorf("over budget: %s", strings.Join(over, "; "))
	}
	return nil
}
