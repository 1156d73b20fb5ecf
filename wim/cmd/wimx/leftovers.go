package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// A run that is killed leaves files behind that have no name of their own yet. The next run that writes beside them says
// so, and removes those that are without doubt this program's and nobody's any more: by their names and owner, by what is
// in them, and because nobody has the lock that a run has on its files as long as it lives.

// tempArchive matches the names that newFile gives, tempEntry those that writer.create gives.
var (
	tempArchive = regexp.MustCompile(`^.+\.wimx-[0-9a-f]{8}\.tmp$`)
	tempEntry   = regexp.MustCompile(`^\.wimx-[0-9]+-[0-9]+\.tmp$`)
)

// tidy looks for leftovers in a folder. path gives how a file in it is called in messages.
func (t *tool) tidy(dir *os.Root, name *regexp.Regexp, ours func(f *os.File) bool, path func(string) string) {
	d, err := dir.Open(".")
	if err != nil {
		return
	}
	list, _ := d.ReadDir(-1) // of a folder that cannot be listed nothing is told
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
		return // somebody else's, or gone meanwhile
	}
	defer closeLocked(f)
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return
	}
	if taken, err := lockFile(f.Fd()); taken || err != nil {
		return // a run that lives is writing it
	}
	now, err := dir.Lstat(name)
	if err != nil || !os.SameFile(fi, now) {
		return // it has got its name in between: a run does that before it gives the lock back
	}
	if !ownFile(fi) || !ours(f) || !lockHeld(f.Fd()) {
		t.warn("%q may be left over from a run that was cut off: delete it if no other run is writing it", path)
		return
	}
	if err := dir.Remove(name); err != nil {
		t.warn("%q is left over from a run that was cut off, and can be deleted: %v", path, err)
		return
	}
	t.warn("Removed %q, which is left over from a run that was cut off", path)
}

// tellLeftovers looks for archives that were being written in the folder of that file.
func (t *tool) tellLeftovers(name string) {
	dir, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return
	}
	defer dir.Close()
	t.tidy(dir, tempArchive, beginsArchive, func(file string) string { return filepath.Join(filepath.Dir(name), file) })
}

// beginsArchive says that a file is how an archive looks that is being written: nothing, zeros in the header's place, or a
// header.
func beginsArchive(f *os.File) bool {
	var b [8]byte
	switch n, _ := f.ReadAt(b[:], 0); string(b[:n]) {
	case "", "MSWIM\x00\x00\x00", "WLPWM\x00\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x00":
		return true
	}
	return false
}

// tidyDir looks for files that were being written in a folder that is there already.
func (w *writer) tidyDir(i int32) {
	d, err := w.dir(i)
	if err != nil {
		return
	}
	w.t.tidy(d.root, tempEntry, func(*os.File) bool { return true }, func(file string) string { return filepath.Join(w.base, w.path(i), file) })
}

// stillThere says that a file that was just made and locked has not been taken for a leftover in between.
func stillThere(f *os.File, now fs.FileInfo, err error) bool {
	if err != nil {
		return false
	}
	fi, err := f.Stat()
	return err == nil && os.SameFile(fi, now)
}
