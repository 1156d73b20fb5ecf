// Package e2e tests the product as a whole: its layout here, its journeys in real browsers in the packages below.
package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "wimscope"

// A floor says what the packages of some rooms may import. Patterns are import paths, ours without the module's
// name; "x/..." is x and all below it; "std" is the whole standard library, "ours" the whole module, "others" all
// the rest. Only imports of the package itself count, not those of its tests nor what the imports need in turn.
type floor struct {
	name   string
	rooms  []string
	except []string // rooms that the floor does not bind
	allow  []string // everything else is refused
	deny   []string // refused even if allowed
}

var floors = []floor{
	{
		name:   "1: the engine is pure",
		rooms:  []string{"wim/..."},
		except: []string{"wim/wimtest/...", "wim/cmd/..."},
		allow:  []string{"std", "wim/...", "github.com/hack-pad/hackpadfs"},
		deny: []string{"os/...", "path/filepath", "net/...", "syscall/...", "os/exec",
			"wim/wimtest/...", "wim/cmd/..."},
	},
	{
		name:  "1: tests and the command line are native",
		rooms: []string{"wim/wimtest/...", "wim/cmd/..."},
		allow: []string{"std", "wim/...", "worker/visible", "others"},
		deny:  []string{"syscall/js"},
	},
	{
		name:  "1: codecs do not know archives",
		rooms: []string{"wim/xpress/...", "wim/lzx/...", "wim/lzms/...", "wim/internal/..."},
		allow: []string{"std", "wim/internal/..."},
	},
	{
		name:  "1: names do not know what is named",
		rooms: []string{"wim/ntname"},
		allow: []string{"std"},
	},
	{
		name:  "1: the codecs' switch knows chunks only",
		rooms: []string{"wim/codec"},
		allow: []string{"std", "wim/format", "wim/xpress", "wim/lzx", "wim/lzms"},
	},
	{
		name:  "1: documents, descriptors and programs do not know archives",
		rooms: []string{"wim/xmldoc", "wim/security", "wim/config", "wim/pe"},
		allow: []string{"std", "wim/format", "wim/ntname", "wim/internal/..."},
		deny:  []string{"io/fs"},
	},
	{
		name:  "1: the registry does not know archives",
		rooms: []string{"wim/regf"},
		allow: []string{"std", "wim/ntname"},
	},
	{
		name:  "1: records do no I/O",
		rooms: []string{"wim/format"},
		allow: []string{"std", "wim/ntname"},
		deny:  []string{"bufio", "io", "io/fs", "os/...", "net/..."},
	},
	{
		name:  "2: JSON stands alone",
		rooms: []string{"worker/json"},
		allow: []string{"std"},
		deny:  []string{"syscall/js", "encoding/json"}, // which it is there to save
	},
	{
		name:  "2: the protocol stands alone",
		rooms: []string{"worker/protocol"},
		allow: []string{"std", "worker/json"},
		deny:  []string{"syscall/js"},
	},
	{
		name:  "2: what makes names visible stands alone",
		rooms: []string{"worker/visible"},
		allow: []string{"std"},
		deny:  []string{"os/...", "net/...", "syscall/...", "unicode"}, // its tables would be in every program
	},
	{
		name:  "2: the pool is pure Go",
		rooms: []string{"worker/pool"},
		allow: []string{"std", "worker/protocol", "worker/json"},
		deny:  []string{"syscall/js"},
	},
	{
		name:  "2: the port joins pool and browser",
		rooms: []string{"worker/port"},
		allow: []string{"std", "worker/protocol", "worker/json", "worker/pool", "worker/jsx", "others"},
		deny:  []string{"github.com/vugu/..."},
	},
	{
		name:  "2: promises know nothing of ours",
		rooms: []string{"worker/jsx"},
		allow: []string{"std", "others"},
		deny:  []string{"github.com/vugu/..."},
	},
	{
		name:  "3: the engine room joins archive and protocol",
		rooms: []string{"wasm/engine"},
		allow: []string{"std", "wim/...", "worker/protocol", "worker/json", "worker/visible", "github.com/hack-pad/hackpadfs"},
		deny:  []string{"syscall/js", "wim/wimtest/...", "wim/cmd/..."},
	},
	{
		name:  "3: workers do not know the page",
		rooms: []string{"wasm/..."},
		allow: []string{"std", "wim/...", "worker/...", "wasm/...", "others"},
		deny:  []string{"wim/wimtest/...", "wim/cmd/...", "github.com/vugu/..."},
	},
	{
		name:  "4: the page does not carry the engine",
		rooms: []string{"web/..."},
		allow: []string{"std", "web/...", "worker/...", "others"},
	},
	{
		name:  "4: state is plain",
		rooms: []string{"web/state"},
		allow: []string{"std", "worker/protocol", "worker/pool", "web/words", "worker/visible"},
		deny:  []string{"syscall/js"},
	},
	{
		name:  "5: the server serves files",
		rooms: []string{"server/..."},
		allow: []string{"std", "server/site", "others"},
		deny:  []string{"github.com/vugu/..."},
	},
}

// browserRooms may import syscall/js anywhere; other packages in files named main_js.go only (floor 6).
var browserRooms = []string{"worker/port", "worker/jsx", "wasm/fsa/...", "web/platform/..."}

// pkg is what go list tells of one package on one platform.
type pkg struct {
	Dir        string
	ImportPath string
	GoFiles    []string
	Imports    []string
}

func TestFloors(t *testing.T) {
	platforms := [][2]string{{"linux", "amd64"}, {"js", "wasm"}}
	lists := make([][]pkg, len(platforms))
	errs := make([]error, len(platforms))
	done := make(chan int)
	for i, p := range platforms {
		go func() {
			lists[i], errs[i] = listPackages(p[0], p[1])
			done <- i
		}()
	}
	for range platforms {
		<-done
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	used := make(map[string]bool)
	for i, p := range platforms {
		for _, broken := range check(lists[i], used) {
			t.Errorf("%s/%s: %s", p[0], p[1], broken)
		}
	}
	// A room that was renamed would leave its floor holding nothing.
	for _, f := range floors {
		for _, room := range f.rooms {
			if !used[room] {
				t.Errorf("floor %q binds %s, which has no package", f.name, room)
			}
		}
	}
}

// TestFloorsCatch gives the checker what each floor is there to refuse.
func TestFloorsCatch(t *testing.T) {
	for _, test := range []struct{ room, imports string }{
		{"wim/core", "os"},
		{"wim/core", "path/filepath"},
		{"wim/core", "net/http"},
		{"wim/core", "syscall/js"},
		{"wim/core", "github.com/hack-pad/hackpadfs/os"},
		{"wim/core", "wimscope/worker/protocol"},
		{"wim/lzx", "wimscope/wim/core"},
		{"wim/xpress", "github.com/hack-pad/hackpadfs"},
		{"wim/format", "io"},
		{"worker/protocol", "wimscope/wim/core"},
		{"worker/pool", "wimscope/worker/port"},
		{"worker/port", "wimscope/wim/core"},
		{"wasm/engine", "wimscope/worker/pool"},
		{"wasm", "wimscope/web/state"},
		{"web/ui", "wimscope/wim/core"},
		{"web/ui", "syscall/js"},
		{"web/state", "github.com/vugu/vugu"},
		{"server", "wimscope/wim/core"},
	} {
		p := pkg{ImportPath: path.Join(module, test.room), Imports: []string{test.imports}}
		if len(check([]pkg{p}, map[string]bool{})) == 0 {
			t.Errorf("%s may import %s", test.room, test.imports)
		}
	}
}

// check returns every breach in packages, and notes in used the rooms that it saw.
func check(packages []pkg, used map[string]bool) []string {
	var broken []string
	for _, p := range packages {
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		for _, f := range floors {
			if matchAny(f.except, room) {
				continue
			}
			bound := false
			for _, r := range f.rooms {
				if match(r, room) {
					bound, used[r] = true, true
				}
			}
			if !bound {
				continue
			}
			for _, im := range p.Imports {
				if !matchAny(f.allow, im) || matchAny(f.deny, im) {
					broken = append(broken, fmt.Sprintf("%s imports %s (floor %s)", room, im, f.name))
				}
			}
		}
		if slices.Contains(p.Imports, "syscall/js") && !matchAny(browserRooms, room) {
			broken = append(broken, strayJS(p, room)...)
		}
	}
	return broken
}

// strayJS names the files of p that import syscall/js and are not its main_js.go.
func strayJS(p pkg, room string) []string {
	if len(p.GoFiles) == 0 {
		return []string{room + " imports syscall/js (floor 6)"}
	}
	var broken []string
	for _, name := range p.GoFiles {
		if name == "main_js.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ImportsOnly)
		if err != nil {
			broken = append(broken, err.Error())
			continue
		}
		for _, im := range file.Imports {
			if s, _ := strconv.Unquote(im.Path.Value); s == "syscall/js" {
				broken = append(broken, fmt.Sprintf("%s/%s imports syscall/js (floor 6)", room, name))
			}
		}
	}
	return broken
}

func matchAny(patterns []string, im string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, im) })
}

// match reports whether pattern, as described at floor, covers the import path im.
func match(pattern, im string) bool {
	first, _, _ := strings.Cut(im, "/")
	ours := first == module
	switch pattern {
	case "std":
		return !ours && !strings.Contains(first, ".")
	case "ours":
		return ours
	case "others":
		return strings.Contains(first, ".")
	}
	im = strings.TrimPrefix(im, module+"/")
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return im == tree || strings.HasPrefix(im, tree+"/")
	}
	return im == pattern
}

func listPackages(goos, goarch string) ([]pkg, error) {
	// Every package of the module, wherever the test was started; -e because what does not build is another test's affair.
	cmd := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,GoFiles,Imports", module+"/...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list for %s/%s: %w\n%s", goos, goarch, err, &stderr)
	}
	var packages []pkg
	for dec := json.NewDecoder(&out); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}
