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

// A floor is a rule about what the packages of some rooms may import. Patterns are import paths, ours without the
// module's name; "x/..." is x and everything below it; "std" is the whole standard library, "ours" the whole module,
// "others" everything else. Only imports of the package itself count, not those of its tests or of its dependencies.
type floor struct {
	name   string
	why    string // shown with a breach
	rooms  []string
	except []string // rooms that the floor does not apply to
	allow  []string // everything else is forbidden
	deny   []string // forbidden even if allowed
}

var floors = []floor{
	{
		name:   "1: the engine is pure",
		why:    "it runs in a browser, where there is neither an os nor a path of one",
		rooms:  []string{"wim/..."},
		except: []string{"wim/wimtest/...", "wim/cmd/..."},
		allow:  []string{"std", "wim/...", "github.com/hack-pad/hackpadfs"},
		deny: []string{"os/...", "path/filepath", "net/...", "syscall/...", "os/exec",
			"wim/wimtest/...", "wim/cmd/..."},
	},
	{
		name:  "1: tests and the command line are native",
		why:   "they run on a machine, or in e2e's harness",
		rooms: []string{"wim/wimtest/...", "wim/cmd/..."},
		allow: []string{"std", "wim/...", "worker/visible", "others"},
		deny:  []string{"syscall/js"},
	},
	{
		name:  "1: codecs do not know archives",
		why:   "a codec is read and tested by itself",
		rooms: []string{"wim/xpress/...", "wim/lzx/...", "wim/lzms/...", "wim/internal/..."},
		allow: []string{"std", "wim/internal/..."},
	},
	{
		name:  "1: names do not know what is named",
		why:   "every room names things",
		rooms: []string{"wim/ntname"},
		allow: []string{"std"},
	},
	{
		name:  "1: the codecs' switch knows chunks only",
		why:   "it is used below the blobs",
		rooms: []string{"wim/codec"},
		allow: []string{"std", "wim/format", "wim/xpress", "wim/lzx", "wim/lzms"},
	},
	{
		name:  "1: documents, descriptors and programs do not know archives",
		why:   "they parse bytes that anybody may hand them",
		rooms: []string{"wim/xmldoc", "wim/security", "wim/config", "wim/pe"},
		allow: []string{"std", "wim/format", "wim/ntname", "wim/internal/..."},
		deny:  []string{"io/fs"},
	},
	{
		name:  "1: the registry does not know archives",
		why:   "it parses bytes that anybody may hand it",
		rooms: []string{"wim/regf"},
		allow: []string{"std", "wim/ntname"},
	},
	{
		name:  "1: records do no I/O",
		why:   "a record explains itself wherever its bytes come from",
		rooms: []string{"wim/format"},
		allow: []string{"std", "wim/ntname"},
		deny:  []string{"bufio", "io", "io/fs", "os/...", "net/..."},
	},
	{
		name:  "1: blobs know no trees",
		why:   "whatever reads bytes needs them, with or without images",
		rooms: []string{"wim/blobs"},
		allow: []string{"std", "wim/codec", "wim/format", "wim/internal/..."},
		deny:  []string{"io/fs"},
	},
	{
		name:  "1: shards know no trees",
		why:   "a worker has only the shard and the file",
		rooms: []string{"wim/shard"},
		allow: []string{"std", "wim/blobs", "wim/codec", "wim/format", "wim/internal/..."},
		deny:  []string{"io/fs"},
	},
	{
		name:  "1: packing stands above shards",
		why:   "a program that only reads runs shards without encoders",
		rooms: []string{"wim/pack"},
		allow: []string{"std", "wim/shard", "wim/blobs", "wim/codec", "wim/format", "wim/internal/..."},
		deny:  []string{"io/fs"},
	},
	{
		name:  "1: the archive knows no verb",
		why:   "every verb imports it, and who reads an archive does not load what writes one",
		rooms: []string{"wim"},
		allow: []string{"std", "github.com/hack-pad/hackpadfs", "wim/blobs", "wim/format", "wim/ntname", "wim/xmldoc", "wim/internal/..."},
	},
	{
		name:  "1: find, draft, verify and extract stand side by side",
		why:   "no verb needs another to be loaded; only extract leaves out what find's globs match",
		rooms: []string{"wim/find", "wim/draft", "wim/verify", "wim/extract"},
		allow: []string{"std", "github.com/hack-pad/hackpadfs", "wim", "wim/blobs", "wim/shard", "wim/find", "wim/config", "wim/format", "wim/ntname", "wim/xmldoc", "wim/internal/..."},
	},
	{
		name:  "1: a folder is written from an extraction",
		why:   "the page and the command line write folders by one algorithm; only their targets differ",
		rooms: []string{"wim/apply"},
		allow: []string{"std", "github.com/hack-pad/hackpadfs", "wim/extract", "wim/shard"},
	},
	{
		name:  "1: trees need no shards",
		why:   "they are browsed and changed by the worker that has the archive open",
		rooms: []string{"wim/find", "wim/draft"},
		allow: []string{"std", "wim", "wim/blobs", "wim/config", "wim/format", "wim/ntname", "wim/xmldoc", "wim/internal/..."},
	},
	{
		name:  "1: facts about Windows are read from trees",
		why:   "images and drafts hold the same Windows; what writes archives asks for its facts",
		rooms: []string{"wim/windows"},
		allow: []string{"std", "wim", "wim/blobs", "wim/draft", "wim/format", "wim/ntname", "wim/pe", "wim/regf", "wim/xmldoc", "wim/internal/..."},
	},
	{
		name:  "1: writing does not extract",
		why:   "what only writes does not load ZIP and TAR, reports or search",
		rooms: []string{"wim/write"},
		allow: []string{"std", "wim", "wim/blobs", "wim/shard", "wim/pack", "wim/codec", "wim/draft", "wim/windows", "wim/format", "wim/ntname", "wim/xmldoc", "wim/internal/..."},
	},
	{
		name:  "2: JSON stands alone",
		why:   "encoding/json is a tenth of the program",
		rooms: []string{"worker/json"},
		allow: []string{"std"},
		deny:  []string{"syscall/js", "encoding/json"}, // which it is there to save
	},
	{
		name:  "2: the protocol stands alone",
		why:   "page and workers share it",
		rooms: []string{"worker/protocol"},
		allow: []string{"std", "worker/json"},
		deny:  []string{"syscall/js"},
	},
	{
		name:  "2: what makes names visible stands alone",
		why:   "every program has it, and the tables of unicode would come with it",
		rooms: []string{"worker/visible"},
		allow: []string{"std"},
		deny:  []string{"os/...", "net/...", "syscall/...", "unicode"}, // its tables would be in every program
	},
	{
		name:  "2: the pool is pure Go",
		why:   "it is tested natively, over connections in memory",
		rooms: []string{"worker/pool"},
		allow: []string{"std", "worker/protocol", "worker/json"},
		deny:  []string{"syscall/js"},
	},
	{
		name:  "2: the port joins pool and browser",
		why:   "only there messages meet the browser",
		rooms: []string{"worker/port"},
		allow: []string{"std", "worker/protocol", "worker/json", "worker/pool", "worker/jsx", "others"},
		deny:  []string{"github.com/vugu/..."},
	},
	{
		name:  "2: promises know nothing of ours",
		why:   "any program for a browser could use them",
		rooms: []string{"worker/jsx"},
		allow: []string{"std", "others"},
		deny:  []string{"github.com/vugu/..."},
	},
	{
		name:  "3: the engine room joins archive and protocol",
		why:   "it is tested natively",
		rooms: []string{"wasm/engine/..."},
		allow: []string{"std", "wim/...", "wasm/engine", "worker/protocol", "worker/json", "worker/visible", "github.com/hack-pad/hackpadfs"},
		deny:  []string{"syscall/js", "wim/wimtest/...", "wim/cmd/..."},
	},
	{
		name:  "3: reading does not build",
		why:   "every visitor loads the program that reads",
		rooms: []string{"wasm", "wasm/engine", "wasm/program", "wasm/fsa"},
		allow: []string{"std", "wim/...", "worker/...", "wasm/...", "others"},
		deny:  []string{"wim/draft", "wim/write", "wim/pack", "wasm/engine/build", "wasm/builder", "wasm/wasmtest"},
	},
	{
		name:  "3: workers do not know the page",
		why:   "they are loaded beside it",
		rooms: []string{"wasm/..."},
		allow: []string{"std", "wim/...", "worker/...", "wasm/...", "others"},
		deny:  []string{"wim/wimtest/...", "wim/cmd/...", "github.com/vugu/..."},
	},
	{
		name:  "4: the page does not carry the engine",
		why:   "its .wasm stays small; the engine loads beside it",
		rooms: []string{"web/..."},
		allow: []string{"std", "web/...", "worker/...", "others"},
	},
	{
		name:  "4: state is plain",
		why:   "it is tested natively",
		rooms: []string{"web/state"},
		allow: []string{"std", "worker/protocol", "worker/pool", "web/words", "worker/visible"},
		deny:  []string{"syscall/js"},
	},
	{
		name:  "5: the server serves files",
		why:   "nothing leaves the machine that opens an archive",
		rooms: []string{"server/..."},
		allow: []string{"std", "server/site", "others"},
		deny:  []string{"github.com/vugu/..."},
	},
}

// browserRooms may import syscall/js anywhere; other packages in files named main_js.go only (floor 6).
var browserRooms = []string{"worker/port", "worker/jsx", "wasm/fsa/...", "wasm/program", "wasm/wasmtest", "web/platform/..."}

// pkg is go list's output for one package on one platform.
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
	// The floor of a renamed room would have no effect.
	for _, f := range floors {
		for _, room := range f.rooms {
			if !used[room] {
				t.Errorf("floor %q binds %s, which has no package", f.name, room)
			}
		}
	}
}

// TestFloorsCatch checks imports that the floors must forbid.
func TestFloorsCatch(t *testing.T) {
	for _, test := range []struct{ room, imports string }{
		{"wim/write", "os"},
		{"wim/write", "path/filepath"},
		{"wim/write", "net/http"},
		{"wim/write", "syscall/js"},
		{"wim/write", "github.com/hack-pad/hackpadfs/os"},
		{"wim", "wimscope/worker/protocol"},
		{"wim", "wimscope/wim/verify"},
		{"wim/blobs", "wimscope/wim"},
		{"wim/blobs", "wimscope/wim/shard"},
		{"wim/shard", "wimscope/wim"},
		{"wim/shard", "wimscope/wim/pack"},
		{"wim/extract", "wimscope/wim/pack"},
		{"wim/extract", "wimscope/wim/apply"},
		{"wasm/engine", "wimscope/wim/pack"},
		{"wim/extract", "wimscope/wim/write"},
		{"wim/verify", "wimscope/wim/extract"},
		{"wim/find", "wimscope/wim/shard"},
		{"wim/draft", "wimscope/wim/write"},
		{"wim/windows", "wimscope/wim/write"},
		{"wim/write", "wimscope/wim/extract"},
		{"wim/lzx", "wimscope/wim"},
		{"wim/xpress", "github.com/hack-pad/hackpadfs"},
		{"wim/format", "io"},
		{"worker/protocol", "wimscope/wim"},
		{"worker/pool", "wimscope/worker/port"},
		{"worker/port", "wimscope/wim"},
		{"wasm/engine", "wimscope/worker/pool"},
		{"wasm/engine", "wimscope/wasm/engine/build"},
		{"wasm/engine", "wimscope/wim/write"},
		{"wasm/engine/build", "syscall/js"},
		{"wasm", "wimscope/wasm/engine/build"},
		{"wasm", "wimscope/web/state"},
		{"web/ui", "wimscope/wim"},
		{"web/ui", "syscall/js"},
		{"web/state", "github.com/vugu/vugu"},
		{"server", "wimscope/wim"},
	} {
		p := pkg{ImportPath: path.Join(module, test.room), Imports: []string{test.imports}}
		if len(check([]pkg{p}, map[string]bool{})) == 0 {
			t.Errorf("%s may import %s", test.room, test.imports)
		}
	}
}

// check returns every violation in packages, and records in used the rooms that it saw.
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
					broken = append(broken, fmt.Sprintf("%s imports %s (floor %s: %s)", room, im, f.name, f.why))
				}
			}
		}
		if slices.Contains(p.Imports, "syscall/js") && !matchAny(browserRooms, room) {
			broken = append(broken, strayJS(p, room)...)
		}
	}
	return broken
}

// strayJS returns the files of p that import syscall/js and are not its main_js.go.
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
