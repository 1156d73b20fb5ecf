package windows_test

import (
	"fmt"
	"io/fs"
	"testing/fstest"

	"wimscope/wim/draft"
	"wimscope/wim/wimtest"
	"wimscope/wim/windows"
	"wimscope/wim/xmldoc"
)

// Read the facts about the Windows in a scanned folder, and write them to the XML document of its image.
func ExampleOfDraft() {
	folder := fstest.MapFS{}
	for path, data := range wimtest.Windows10().Files() {
		folder[path] = &fstest.MapFile{Data: data}
	}
	d, _, err := draft.Scan(nil, folder, ".", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	info := windows.OfDraft(d, []fs.FS{folder}, nil)
	fmt.Println(info.Root, info.Build, info.Branch, info.Problems)

	image := &xmldoc.Node{Name: "IMAGE"}
	info.Fill(image)
	fmt.Println(image.Content("DISPLAYNAME"), image.Content("WINDOWS", "VERSION", "BUILD"), image.Content("WINDOWS", "LANGUAGES", "DEFAULT"))
	// Output:
	// /Windows 10.0.19045.3803 vb_release []
	// Windows 10 Pro 19045 en-US
}
