// Command sprite makes web/static/icons.svg, one file with all icons that the page uses, from npm's lucide-static and
// the list in icons.txt:
//
//	go run ./web/build/sprite -icons e2e/node_modules/lucide-static/icons
//
// A page shows one with <svg class="icon"><use href="icons.svg#folder"></use></svg>; CSS sets the colour and width of
// its lines.
package main

import (
	_ "embed"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed icons.txt
var list string

func main() {
	icons := flag.String("icons", "e2e/node_modules/lucide-static/icons", "folder of the icons")
	out := flag.String("out", "web/static/icons.svg", "file to write")
	flag.Parse()
	sprite, err := makeSprite(*icons, strings.Fields(list))
	if err == nil {
		err = os.WriteFile(*out, []byte(sprite), 0o666)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sprite:", err)
		os.Exit(1)
	}
}

// makeSprite joins the named icons of a folder.
func makeSprite(folder string, names []string) (string, error) {
	var b strings.Builder
	b.WriteString("<svg xmlns=\"http://www.w3.org/2000/svg\">\n<!-- Lucide icons, ISC licence: see notices.txt -->\n")
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(folder, name+".svg"))
		if err != nil {
			return "", err
		}
		var icon struct {
			ViewBox string `xml:"viewBox,attr"`
			Inner   string `xml:",innerxml"`
		}
		if err := xml.Unmarshal(text, &icon); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&b, "<symbol id=\"%s\" viewBox=\"%s\">%s</symbol>\n", name, icon.ViewBox, strings.Join(strings.Fields(icon.Inner), " "))
	}
	b.WriteString("</svg>\n")
	return b.String(), nil
}
