package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// filePlace is the destination of an output: a regular file, or something else that is written through, such as a device.
type filePlace struct {
	name    string      // of the file, links followed
	there   fs.FileInfo // nil if nothing is there
	through bool        // written through, and never replaced
	own     bool        // it is standard output
}

// placeFor returns the destination of an output. A link stays: the file that it leads to is replaced or created.
func (t *tool) placeFor(name string) (filePlace, error) {
	refuse := func(why error) (filePlace, error) {
		return filePlace{}, coded(exitOpen, &fs.PathError{Op: "write", Path: name, Err: why})
	}
	at := filePlace{name: name}
	fi, err := os.Stat(name)
	switch {
	case name == "":
		return refuse(err)
	case errors.Is(err, fs.ErrNotExist):
		if at.name, err = followLinks(name); err != nil {
			return refuse(err)
		}
		dir, err := os.Stat(filepath.Dir(at.name))
		if err == nil && !dir.IsDir() {
			err = syscall.ENOTDIR
		}
		if errors.Is(err, fs.ErrNotExist) && name != "" {
			return filePlace{}, hinted{codef(exitOpen, "cannot write %q: the folder %q does not exist", name, filepath.Dir(at.name)), "create that folder first"}
		}
		if err != nil {
			return refuse(cause(err))
		}
		return at, nil
	case err != nil:
		return refuse(cause(err))
	case fi.IsDir():
		return refuse(syscall.EISDIR)
	case isBlockDevice(fi):
		return filePlace{}, codef(exitOpen, "%q is a disk or a partition: name a file; wimx does not overwrite disks", name)
	}
	at.there, at.own = fi, t.isOutput(fi)
	if at.through = !fi.Mode().IsRegular(); at.through {
		return at, nil
	}
	// A file without a name can be written by its descriptor (/dev/fd/3), but not replaced.
	if at.name, err = filepath.EvalSymlinks(name); err == nil {
		if real, err := os.Stat(at.name); err == nil && os.SameFile(real, fi) {
			return at, nil
		}
	}
	at.name, at.through = name, true
	return at, nil
}

// followLinks returns the end of a chain of links that leads to nothing.
func followLinks(name string) (string, error) {
	for range 40 {
		target, err := os.Readlink(name)
		if err != nil {
			return name, nil
		}
		if !filepath.IsAbs(target) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(name))
			if err != nil {
				return "", cause(err)
			}
			target = filepath.Join(dir, target)
		}
		name = target
	}
	return "", syscall.ELOOP
}

// isBlockDevice reports whether a file is a disk or a partition.
func isBlockDevice(fi fs.FileInfo) bool {
	return fi.Mode()&fs.ModeDevice != 0 && fi.Mode()&fs.ModeCharDevice == 0
}

// isOutput reports whether a file is standard output. The null device does not count: nobody reads it.
func (t *tool) isOutput(fi fs.FileInfo) bool {
	if t.out == nil {
		return false
	}
	out, err := t.out.Stat()
	if err != nil || !os.SameFile(out, fi) {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(null, fi)
}

// carriesData reports whether an output goes to standard output, so that messages cannot.
func (t *tool) carriesData(name string) bool {
	if name == "-" {
		return true
	}
	fi, err := os.Stat(name)
	return err == nil && t.isOutput(fi)
}

// folder returns the folder of the file, "" if the output takes no disk space.
func (p filePlace) folder() string {
	if p.through {
		return ""
	}
	return filepath.Dir(p.name)
}

// needFile refuses anything but a regular file.
func (p filePlace) needFile(what string) error {
	if p.through {
		return codef(exitOpen, "%q is %s: %s needs a regular file", p.name, kindWord(p.there), what)
	}
	return nil
}

// needFiles is needFile for several names.
func (t *tool) needFiles(what string, names ...string) error {
	for _, name := range names {
		at, err := t.placeFor(name)
		if err == nil {
			err = at.needFile(what)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// needArchive refuses to write an archive to a pipe, unless it is pipable: only such a one is written from front to back.
func (p filePlace) needArchive(pipable bool) error {
	if !p.through || pipable || p.seekable() {
		return nil
	}
	return codef(exitWrite, "%q is %s, which is written sequentially: only a pipable archive can be written to it (--pipable)", p.name, kindWord(p.there))
}

// seekable reports whether a device can be written at any offset, as the null device can.
func (p filePlace) seekable() bool {
	if p.there.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0 {
		return false // opening a pipe would wait for a reader
	}
	if p.name == os.DevNull {
		return true
	}
	f, err := os.OpenFile(p.name, os.O_WRONLY, 0)
	if err != nil {
		return true // opening it again will report the error
	}
	defer f.Close()
	_, err = f.Seek(0, io.SeekCurrent)
	return err == nil
}

// kindWord names the kind of a file that is not regular.
func kindWord(fi fs.FileInfo) string {
	switch m := fi.Mode(); {
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeCharDevice != 0:
		return "a device"
	case m.IsRegular():
		return "a file without a name"
	}
	return "not a regular file"
}

// openThrough opens a device or a pipe for writing. Opening a pipe waits for a reader, until the run is interrupted.
func (t *tool) openThrough(p filePlace) (io.WriteCloser, error) {
	if p.own {
		return keptOpen{t.stdout}, t.asData()
	}
	type result struct {
		f   *os.File
		err error
	}
	done := make(chan result, 1)
	go func() {
		f, err := os.OpenFile(p.name, os.O_WRONLY|os.O_TRUNC, 0)
		done <- result{f, err}
	}()
	select {
	case r := <-done:
		return r.f, coded(exitOpen, r.err)
	case <-t.ctx.Done():
		return nil, codef(exitInterrupted, "interrupted")
	}
}

// keptOpen is a writer whose Close leaves it open.
type keptOpen struct{ io.Writer }

func (keptOpen) Close() error { return nil }

// writeThrough writes to a device, or to a pipe, which it passes to write as a *pipe.
func (t *tool) writeThrough(p filePlace, write func(io.WriterAt) error) error {
	w, err := t.openThrough(p)
	if err != nil {
		return err
	}
	var to io.WriterAt = &pipe{w: w}
	if f, ok := w.(*os.File); ok && p.seekable() {
		to = throughAt{f}
	}
	err = write(to)
	if cerr := w.Close(); err == nil {
		err = coded(exitWrite, cerr)
	}
	return err
}

// throughAt hides all methods of a device but WriteAt: it can be neither truncated nor synced.
type throughAt struct{ io.WriterAt }

// writeFile writes a small output. A regular file appears whole or not at all.
func (t *tool) writeFile(name string, data []byte) error {
	at, err := t.placeFor(name)
	if err != nil {
		return err
	}
	if at.own { // even if it is a regular file: others may write to it before and after
		if err := t.asData(); err != nil {
			return coded(exitWrite, err)
		}
		_, err := t.stdout.Write(data)
		return coded(exitWrite, err)
	}
	if at.through {
		w, err := t.openThrough(at)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		if cerr := w.Close(); err == nil {
			err = cerr
		}
		return coded(exitWrite, err)
	}
	f, err := t.newFile(at)
	if err != nil {
		return err
	}
	defer f.drop()
	if _, err := f.Write(data); err != nil {
		return coded(exitWrite, err)
	}
	return f.keep()
}
