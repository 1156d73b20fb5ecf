package wim_test

import (
	"fmt"
	"io/fs"
	"log"
	"os"

	"wimscope/wim"
)

// Open an archive, list its images, and read a file of one: an image is a file system like any other.
func ExampleOpen() {
	file, err := os.Open("../web/static/sample.wim")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		log.Fatal(err)
	}
	a, err := wim.Open([]wim.Part{{Name: "sample.wim", R: file, Size: info.Size()}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, i := range a.Images() {
		fmt.Println(i.Index, i.Name)
	}
	im, err := a.Image(1)
	if err != nil {
		log.Fatal(err)
	}
	names, err := fs.Glob(im.FS(), "Windows/*.exe")
	fmt.Println(names, err)
	text, err := fs.ReadFile(im.FS(), "Windows/win.ini")
	fmt.Println(len(text), "bytes", err)
	// Output:
	// 1 Sample Home
	// 2 Sample Professional
	// [Windows/notepad.exe] <nil>
	// 49 bytes <nil>
}

// Look up an entry, and see what an image knows about it beyond io/fs.
func ExampleImage_Lookup() {
	im := sample()
	n, ok := im.Lookup(`\windows\system32\ntoskrnl.exe`) // names are compared exactly, then ignoring case
	if !ok {
		log.Fatal("not found")
	}
	fmt.Println(im.Path(n), im.Size(n), "bytes, SHA-1", im.Hash(n))
	fmt.Println("names of this file:", im.HardLinkCount(n), "streams:", len(im.Streams(n)))
	// Output:
	// /Windows/System32/ntoskrnl.exe 2048 bytes, SHA-1 8e3e5e88f1df620fbd8180b18e05486279cab87a
	// names of this file: 1 streams: 0
}

// List a folder as a file manager does: folders first, then by size.
func ExampleImage_List() {
	im := sample()
	n, _ := im.Lookup("Windows")
	for _, c := range im.List(n, wim.BySize, true, nil) {
		fmt.Println(im.Name(c), im.IsDir(c))
	}
	// Output:
	// Fonts true
	// INF true
	// Logs true
	// Panther true
	// System32 true
	// notepad.exe false
	// win.ini false
}

// sample returns the first image of the page's sample.
func sample() *wim.Image {
	file, err := os.Open("../web/static/sample.wim") // stays open
	if err != nil {
		log.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		log.Fatal(err)
	}
	a, err := wim.Open([]wim.Part{{Name: "sample.wim", R: file, Size: info.Size()}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		log.Fatal(err)
	}
	return im
}
