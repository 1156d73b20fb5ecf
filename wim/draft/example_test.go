package draft_test

import (
	"fmt"
	"testing/fstest"

	"wimscope/wim/config"
	"wimscope/wim/draft"
)

// Scan a folder, and change the draft before it is written. A folder on disk is os.DirFS(path).
func ExampleScan() {
	folder := fstest.MapFS{
		"boot.ini":           {Data: []byte("timeout=30")},
		"pagefile.sys":       {Data: make([]byte, 1<<20)},
		"Windows/notes.txt":  {Data: []byte("hello")},
		"Windows/backup.bak": {Data: []byte("old")},
	}
	exclude := config.DefaultCapture() // which excludes pagefile.sys
	exclude.Exclusion = append(exclude.Exclusion, "*.bak")
	d, report, err := draft.Scan(nil, folder, ".", &draft.ScanOptions{Config: exclude})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Files, "files,", report.Excluded, "excluded")

	if n, ok := d.Lookup("/Windows", false); ok {
		if err := d.Rename(n, d.Root(), "WINNT"); err != nil {
			fmt.Println(err)
		}
	}
	notes := d.AddContent(draft.Content{Bytes: []byte("changed")})
	if _, err := d.Add(d.Root(), draft.Entry{Name: "new.txt", Streams: []draft.Stream{{Content: notes}}}); err != nil {
		fmt.Println(err)
	}
	for _, n := range d.Children(d.Root()) {
		fmt.Println(d.Path(n), d.IsDir(n))
	}
	fmt.Println(d.Stats().TotalBytes, "bytes in", d.Len(), "entries")
	// Output:
	// 2 files, 2 excluded
	// /boot.ini false
	// /new.txt false
	// /WINNT true
	// 22 bytes in 5 entries
}
