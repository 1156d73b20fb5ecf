package draft_test

import (
	"fmt"
	"testing/fstest"

	"wimscope/wim/config"
	"wimscope/wim/draft"
)

// A folder becomes a draft, which can be changed before it is written.
func ExampleScan() {
	folder := fstest.MapFS{
		"boot.ini":           {Data: []byte("timeout=30")},
		"pagefile.sys":       {Data: make([]byte, 1<<20)},
		"Windows/notes.txt":  {Data: []byte("hello")},
		"Windows/backup.bak": {Data: []byte("old")},
	}
	config := config.DefaultCapture()
	config.Exclusion = append(config.Exclusion, "*.bak")
	draft, report, err := draft.Scan(nil, folder, ".", &draft.ScanOptions{Config: config})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Files, "files,", report.Excluded, "left out")
	if n, ok := draft.Lookup("/Windows", false); ok {
		if err := draft.Rename(n, draft.Root(), "WINNT"); err != nil {
			fmt.Println(err)
		}
	}
	for _, c := range draft.Contents() {
		fmt.Println(c.Size, "bytes to read from", c.Path)
	}
	fmt.Println(draft.Stats().TotalBytes, "bytes in", draft.Len(), "entries")
	// Output:
	// 2 files, 2 left out
	// 10 bytes to read from boot.ini
	// 5 bytes to read from Windows/notes.txt
	// 15 bytes in 4 entries
}
