// Command shrink rewrites what vugugen has generated in the current folder into less code that does the same: the helpers
// of package ui (build.go) make the nodes, and the indentation of templates, which web/render drops, is left out. The
// page's program becomes a quarter smaller.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	files, err := filepath.Glob("*_gen.go")
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no *_gen.go here")
	}
	for _, name := range files {
		if err == nil {
			err = shrink(name)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shrink:", err)
		os.Exit(1)
	}
}

func shrink(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	out, err := rewrite(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(out), 0o666)
}

var (
	indentation = regexp.MustCompile(`(?m)^\s*vgn = &vugu\.VGNode\{Type: vugu\.VGNodeType\(1\), Data: "(?:\\n|\\t| )*"\}\n\s*vgparent\.AppendChild\(vgn\)\n`)
	noContent   = regexp.MustCompile(`(?m)^\s*vgn\.SetInnerHTML\(vugu\.HTML\("(?:\\n|\\t| )*"\)\)\n`)
	element     = regexp.MustCompile(`vgn = &vugu\.VGNode\{Type: vugu\.VGNodeType\(3\), Namespace: ("[a-z]*"), Data: ("[a-z0-9]+"), Attr: \[\]vugu\.VGAttribute(\(nil\)|\{.*\})\}\n\s*vgparent\.AppendChild\(vgn\)\n`)
	attribute   = regexp.MustCompile(`Namespace: "", Key: ("(?:[^"\\]|\\.)*"), Val: ("(?:[^"\\]|\\.)*")\}`)
	content     = regexp.MustCompile(`(?m)vgn\.SetInnerHTML\((.*)\)$`)
	property    = regexp.MustCompile(`\{\n\s*b, err := vjson\.Marshal\((.*)\)\n\s*if err != nil \{\n\s*panic\(err\)\n\s*\}\n\s*vgn\.Prop = append\(vgn\.Prop, vugu\.VGProperty\{Key: ("[a-zA-Z]+"), JSONVal: vjson\.RawMessage\(b\)\}\)\n\s*\}`)
	handler     = regexp.MustCompile(`vgn\.DOMEventHandlerSpecList = append\(vgn\.DOMEventHandlerSpecList, vugu\.DOMEventHandlerSpec\{\n\s*EventType: ("[a-z]+"),\n\s*Func:\s+(func\(event vugu\.DOMEvent\) \{.*\}),\n\s*// TODO: .*\n\s*\}\)`)
	dynamic     = regexp.MustCompile(`vgn\.AddAttrInterface\(`)
	child       = regexp.MustCompile(`vgcompKey := vugu\.MakeCompKey\((0x[0-9A-F]+)\^vgin\.CurrentPositionHash\(\), vgiterkey\)\n\s*// .*\n\s*vgcomp, _ := vgin\.BuildEnv\.CachedComponent\(vgcompKey\)\.\(\*(\w+)\)\n\s*if vgcomp == nil \{\n\s*// .*\n\s*vgcomp = new\(\w+\)\n\s*vgin\.BuildEnv\.WireComponent\(vgcomp\)\n\s*\}\n\s*vgin\.BuildEnv\.UseComponent\(vgcompKey, vgcomp\).*\n((?:\s*vgcomp\.\w+ = .*\n)*)\s*vgout\.Components = append\(vgout\.Components, vgcomp\)\n\s*vgn = &vugu\.VGNode\{Component: vgcomp\}\n\s*vgparent\.AppendChild\(vgn\)\n`)
	unused      = regexp.MustCompile(`(?m)^(\s*)vgn = ((?:element|drawing)\(vgparent, ".*"\)\n)(\s*(?:\}|vgn = |component\(|child\(|if |for ))`)
	component   = regexp.MustCompile(`\{\n\s*var vgcomp vugu\.Builder = (.*)\n\s*if vgcomp != nil \{\n\s*vgin\.BuildEnv\.WireComponent\(vgcomp\)\n\s*vgout\.Components = append\(vgout\.Components, vgcomp\)\n\s*vgn = &vugu\.VGNode\{Component: vgcomp\}\n\s*vgparent\.AppendChild\(vgn\)\n\s*\}\n\s*\}`)
)

// rewrite shrinks the text of one file. It fails if it does not find what every component has, or leaves what it should
// have replaced: vugugen then writes other code than this version.
func rewrite(s string) (string, error) {
	s = indentation.ReplaceAllString(s, "")
	s = noContent.ReplaceAllString(s, "")
	s = element.ReplaceAllStringFunc(s, func(m string) string {
		p := element.FindStringSubmatch(m)
		// One string instead of many: "p\x00class\x00muted".
		var tag strings.Builder
		tag.WriteString(strings.Trim(p[2], `"`))
		for _, a := range attribute.FindAllStringSubmatch(p[3], -1) {
			tag.WriteString(`\x00` + strings.TrimSuffix(strings.TrimPrefix(a[1], `"`), `"`) + `\x00` + strings.TrimSuffix(strings.TrimPrefix(a[2], `"`), `"`))
		}
		if p[1] == `"svg"` {
			return `vgn = drawing(vgparent, "` + tag.String() + "\")\n"
		}
		return `vgn = element(vgparent, "` + tag.String() + "\")\n"
	})
	s = child.ReplaceAllStringFunc(s, func(m string) string {
		p := child.FindStringSubmatch(m)
		call := "child(vgin, vgout, vgparent, " + p[1] + ", vgiterkey, func() vugu.Builder { return new(" + p[2] + ") })"
		if p[3] == "" {
			return call + "\n"
		}
		return "vgn = " + call + "\nvgcomp := vgn.Component.(*" + p[2] + ")\n" + p[3]
	})
	s = dynamic.ReplaceAllString(s, "attribute(vgn, ")
	s = content.ReplaceAllString(s, "content(vgn, $1)")
	s = property.ReplaceAllString(s, "property(vgn, $2, $1)")
	s = handler.ReplaceAllString(s, "on(vgn, $1, $2)")
	s = component.ReplaceAllString(s, "component(vgin, vgout, vgparent, $1)")
	for range 2 { // a match may end where the next begins
		s = unused.ReplaceAllString(s, "$1$2$3")
	}
	for _, left := range []string{"SetInnerHTML", "vjson.Marshal", "DOMEventHandlerSpec{", "var vgcomp vugu.Builder", "vugu.HTML(", "VGNodeType(1)", "AddAttrInterface", "MakeCompKey"} {
		if strings.Contains(s, left) {
			return "", fmt.Errorf("%s is left", left)
		}
	}
	if !strings.Contains(s, "vgn = element(vgparent") && !strings.Contains(s, "child(vgin,") {
		return "", fmt.Errorf("no element was found")
	}
	return s, nil
}
