package jsx

import (
	"math"
	"syscall/js"
	"time"
)

// Outputs are files in a folder of the origin private file system (OPFS). A worker writes each of them; then it is
// offered as a download. No browser reports when a download has ended.

// outputFolder is the name of the folder in the root.
const outputFolder = "wimscope-output"

// OriginRoot returns the root of the OPFS. Browsers that have it still refuse it where they store nothing for a site:
// with site data blocked, and in Firefox's private windows.
func OriginRoot() (js.Value, error) {
	storage, err := Path("navigator", "storage")
	if err != nil {
		return storage, err
	}
	if storage.Type() != js.TypeObject || storage.Get("getDirectory").Type() != js.TypeFunction {
		return js.Undefined(), &Error{Name: "NotSupportedError", Message: "this browser has no private file system"}
	}
	return Call(storage, "getDirectory")
}

// OutputFolder returns the folder of outputs.
func OutputFolder() (js.Value, error) {
	root, err := OriginRoot()
	if err != nil {
		return root, err
	}
	return Call(root, "getDirectoryHandle", outputFolder, map[string]any{"create": true})
}

// Room returns how many more bytes the browser reports it can store for this origin, or -1 if it does not report it.
func Room() int64 {
	storage, err := Path("navigator", "storage")
	if err != nil || storage.Type() != js.TypeObject || storage.Get("estimate").Type() != js.TypeFunction {
		return -1
	}
	e, err := Call(storage, "estimate")
	if err != nil || e.Type() != js.TypeObject {
		return -1
	}
	quota, usage := e.Get("quota"), e.Get("usage")
	if quota.Type() != js.TypeNumber || usage.Type() != js.TypeNumber {
		return -1
	}
	return int64(min(max(quota.Float()-usage.Float(), 0), math.MaxInt64/2))
}

// HandOver returns the time after which a download of size bytes must have read its file: a minute, because a dialog
// may be open, plus the time that a slow disk takes.
func HandOver(size int64) time.Duration {
	const slow = 20 << 20 // bytes a second
	return time.Minute + time.Duration(size/slow)*time.Second
}

// RemoveOutput removes the output whose File has this name. The file stays if it is being written, or if a browser
// locks it while it reads; other browsers read a removed file to its end.
func RemoveOutput(name string) error {
	folder, err := OutputFolder()
	if err == nil {
		_, err = Call(folder, "removeEntry", name)
	}
	return err
}

// RemoveOutputs removes the outputs for which old returns true, given their size and the time since they were
// finished.
func RemoveOutputs(old func(size int64, age time.Duration) bool) error {
	folder, err := OutputFolder()
	if err != nil {
		return err
	}
	entries, err := CallNow(folder, "values")
	if err != nil {
		return err
	}
	for {
		next, err := Call(entries, "next")
		if err != nil || next.Get("done").Bool() {
			return err
		}
		entry := next.Get("value")
		if entry.Get("kind").String() != "file" {
			continue
		}
		file, err := Call(entry, "getFile")
		if err != nil {
			continue // it is being written
		}
		age := time.Since(time.UnixMilli(int64(file.Get("lastModified").Float())))
		if old(int64(file.Get("size").Float()), age) {
			_, _ = Call(folder, "removeEntry", entry.Get("name").String()) // it is locked, or was removed meanwhile
		}
	}
}
