package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"wimscope/wim/extract"
)

// A killed run leaves temporary files behind. The next run that writes into the same folder reports them. It removes those
// that are certainly leftovers of this program: name, owner and content fit, and no process holds the lock that a live run
// has on its files.

// tempArchive matches the names from newFile, tempEntry those from folderTarget.create.
var (
	tempArchive = regexp.MustCompile(`^.+\.wimx-[0-9a-f]{8}\.tmp$`)
	tempEntry   = regexp.MustCompile(`^\.wimx-[0-9]+-[0-9]+\.tmp$`)
)

// tidy looks for leftovers in a folder. path returns the name of a file for messages.
func (t *tool) tidy(dir *os.Root, name *regexp.Regexp, ours func(f *os.File) bool, path func(string) string) {
	d, err := dir.Open(".")
	if err != nil {
		return
	}
	list, _ := d.ReadDir(-1) // a folder that cannot be listed is skipped
	d.Close()
	for _, e := range list {
		if name.MatchString(e.Name()) && e.Type().IsRegular() {
			t.tidyOne(dir, e.Name(), ours, path(e.Name()))
		}
	}
}

func (t *tool) tidyOne(dir *os.Root, name string, ours func(f *os.File) bool, path string) {
	f, err := dir.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return // it belongs to another user, or is gone
	}
	defer closeLocked(f)
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return
	}
	if taken, err := lockFile(f.Fd()); taken || err != nil {
		return // a live run is writing it
	}
	now, err := dir.Lstat(name)
	if err != nil || !os.SameFile(fi, now) {
		return // it was renamed in the meantime: a run does that before it releases the lock
	}
	if !ownFile(fi) || !ours(f) || !lockHeld(f.Fd()) {
		t.warn("%q may be left over from an interrupted run: delete it if no other run is writing it", path)
		return
	}
	if err := dir.Remove(name); err != nil {
		t.warn("%q is left over from an interrupted run, and can be deleted: %v", path, err)
		return
	}
	t.warn("Removed %q, which was left over from an interrupted run", path)
}

// reportLeftovers looks for unfinished archives in the folder of a file.
func (t *tool) reportLeftovers(name string) {
	dir, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return
	}
	defer dir.Close()
	t.tidy(dir, tempArchive, beginsArchive, func(file string) string { return filepath.Join(filepath.Dir(name), file) })
}

// beginsArchive reports whether a file looks like an archive being written: it is empty, or starts with a header or with zeros
// in its place.
func beginsArchive(f *os.File) bool {
	var b [8]byte
	switch n, _ := f.ReadAt(b[:], 0); string(b[:n]) {
	case "", "MSWIM\x00\x00\x00", "WLPWM\x00\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x00":
		return true
	}
	return false
}

// tidyDir looks for unfinished files in an existing folder.
func (w *folderTarget) tidyDir(p extract.Place) {
	d, err := w.dir(p)
	if err != nil {
		return
	}
	w.t.tidy(d.root, tempEntry, func(*os.File) bool { return true }, func(file string) string { return filepath.Join(w.base, w.path(p), file) })
}

// stillThere reports whether a file that was just created and locked was not removed as a leftover before it was locked.
func stillThere(f *os.File, now fs.FileInfo, err error) bool {
	if err != nil {
		return false
	}
	fi, err := f.Stat()
	return err == nil && os.SameFile(fi, now)
}
