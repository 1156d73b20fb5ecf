package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed licenses/lucide.txt
var lucide []byte

// notices gathers the licences of all third-party work in the product: Go itself, each module that is linked into one
// of the programs, and the icons.
func notices(goroot string) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("Wimscope contains third-party work. These are the notices.\n")
	add := func(title string, text []byte) {
		fmt.Fprintf(&out, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 72), title, bytes.TrimSpace(text))
	}
	text, err := readLicences(goroot)
	if err != nil {
		return nil, err
	}
	add("The Go programming language and its standard library", text)

	modules, err := linkedModules()
	if err != nil {
		return nil, err
	}
	for _, m := range modules {
		text, err := readLicences(m.dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		add(m.name, text)
	}
	add("Lucide icons", lucide)
	return out.Bytes(), nil
}

type module struct{ name, dir string }

// linkedModules lists the modules of all packages that the programs are built from, without our own, in order.
func linkedModules() ([]module, error) {
	args := []string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}"}
	for _, p := range programs {
		args = append(args, p.pkg)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.Stderr = os.Stderr
	list, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var modules []module
	for line := range strings.Lines(string(list)) {
		if name, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			modules = append(modules, module{name, dir})
		}
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.name, b.name) })
	return slices.Compact(modules), nil
}

// readLicences returns the texts of the licence files in a folder. It returns an error if there is none.
func readLicences(dir string) ([]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.IsDir() || !(strings.HasPrefix(name, "LICEN") || strings.HasPrefix(name, "COPYING") || strings.HasPrefix(name, "NOTICE")) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, bytes.TrimSpace(text))
	}
	if texts == nil {
		return nil, fmt.Errorf("no licence found in %s", filepath.Base(dir))
	}
	return bytes.Join(texts, []byte("\n\n")), nil
}
