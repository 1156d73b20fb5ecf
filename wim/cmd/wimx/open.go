package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/xmldoc"
)

// opened is an open archive with all its files.
type opened struct {
	*wim.Archive
	name  string // as given on the command line
	files []*os.File
	hdr   format.Header // of the named file
}

func (a *opened) Close() {
	for _, f := range a.files {
		f.Close()
	}
}

// isOf reports whether a named file is one of the archive's files.
func (a *opened) isOf(name string) bool {
	named, err := os.Stat(name)
	return err == nil && slices.ContainsFunc(a.files, func(f *os.File) bool {
		fi, err := f.Stat()
		return err == nil && os.SameFile(fi, named)
	})
}

// openFile opens a file for reading and returns its size.
func openFile(name string) (*os.File, blobs.Part, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, blobs.Part{}, coded(exitOpen, err)
	}
	fi, err := f.Stat()
	if err == nil && fi.IsDir() {
		err = &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	}
	if err != nil {
		f.Close()
		return nil, blobs.Part{}, coded(exitOpen, err)
	}
	size := fi.Size()
	if !fi.Mode().IsRegular() {
		if size, err = f.Seek(0, io.SeekEnd); err != nil {
			f.Close()
			return nil, blobs.Part{}, codef(exitOpen, "cannot open %q: an archive cannot be read from a pipe or another file that is not seekable: %w", name, cause(err))
		}
	}
	return f, blobs.Part{Name: name, R: f, Size: size}, nil
}

// readHeader reads the full header of a file, which is at the end if the archive is pipable. ok is false if there is none.
func readHeader(p blobs.Part) (h format.Header, ok bool) {
	b := make([]byte, format.HeaderSize)
	if _, err := p.R.ReadAt(b, 0); err != nil {
		return h, false
	}
	// In a pipable archive the header at the end counts; the one at the front may be damaged.
	if _, _, pipable, ok := format.Probe(b); ok && pipable {
		if _, err := p.R.ReadAt(b, p.Size-format.HeaderSize); err != nil {
			return h, false
		}
	}
	h, err := format.ParseHeader(b)
	return h, err == nil
}

// open opens an archive and, by the globs of --ref, the other parts of its set and the archives that it needs. Files with the
// same GUID are parts; all others are references.
func (t *tool) open(name string, refs []string) (*opened, error) {
	return t.openSet(name, refs, &blobs.Options{})
}

// openSet is open with options. It appends to o.References.
func (t *tool) openSet(name string, refs []string, o *blobs.Options) (_ *opened, err error) {
	a := &opened{name: name}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	f, first, err := openFile(name)
	if err != nil {
		return nil, err
	}
	if name == t.spooled {
		a.name, first.Name = "standard input", "standard input"
	}
	a.files = append(a.files, f)
	h, _ := readHeader(first)
	a.hdr = h
	parts := []blobs.Part{first}
	seen := []os.FileInfo{}
	if fi, err := f.Stat(); err == nil {
		seen = append(seen, fi)
	}
	numbers := map[uint16]bool{h.PartNumber: true}
	for _, glob := range refs {
		names, err := filepath.Glob(glob)
		if err != nil {
			return nil, usageError{fmt.Sprintf("--ref=%s: %v", glob, err)}
		}
		if len(names) == 0 {
			if strings.ContainsAny(glob, "*?[") {
				return nil, codef(exitOpen, "found no files for glob %q", glob)
			}
			names = []string{glob}
		}
		sort.Strings(names)
	next:
		for _, n := range names {
			f, p, err := openFile(n)
			if err != nil {
				return nil, err
			}
			a.files = append(a.files, f)
			fi, err := f.Stat()
			if err != nil {
				return nil, coded(exitOpen, err)
			}
			for _, s := range seen {
				if os.SameFile(s, fi) {
					continue next
				}
			}
			seen = append(seen, fi)
			rh, ok := readHeader(p)
			if ok && rh.GUID == h.GUID && rh.TotalParts == h.TotalParts && !numbers[rh.PartNumber] {
				numbers[rh.PartNumber] = true
				parts = append(parts, p)
			} else {
				o.References = append(o.References, p)
			}
		}
	}
	arc, err := wim.Open(parts, o)
	if err != nil {
		return nil, err
	}
	a.Archive = arc
	for _, w := range arc.Info().Warnings {
		t.warn("%s", w)
	}
	return a, nil
}

// needFirst replaces the error for a set that was named by a part other than the first, which holds the images.
func needFirst(err error, name string) error {
	var miss *blobs.MissingPartError
	if errors.As(err, &miss) {
		return codef(exitNotFirstPart, "%q is not the first part of the split WIM; name the first part", name)
	}
	return err
}

// allImages stands for all images.
const allImages = -1

// chooseImage returns the image that an argument names: "all" or "*", an index from 1, or a name; 0 if there is none. As with
// strtol, an index may have leading space and a sign. An image whose name is a number cannot be chosen by name.
func chooseImage(images []xmldoc.ImageInfo, arg string) int {
	if strings.EqualFold(arg, "all") || arg == "*" {
		return allImages
	}
	if n, err := strconv.Atoi(strings.TrimLeft(arg, " \t\n\v\f\r")); err == nil || errors.Is(err, strconv.ErrRange) {
		if err == nil && n > 0 && n <= len(images) {
			return n
		}
		return 0
	}
	if arg == "" {
		return 0
	}
	for _, im := range images {
		if im.Name == arg {
			return im.Index
		}
	}
	return 0
}

// image is chooseImage with errors. If no argument is given it returns the only image.
func (a *opened) image(arg string, given, allowAll bool) (int, error) {
	images := a.Images()
	if !given {
		if len(images) == 0 {
			return 0, usageError{fmt.Sprintf("%q contains no images", a.name)}
		}
		if len(images) != 1 {
			what := "select one"
			if allowAll {
				what = "select one (or all)"
			}
			return 0, usageError{fmt.Sprintf("%q contains %d images; please %s", a.name, len(images), what)}
		}
		return 1, nil
	}
	n := chooseImage(images, arg)
	switch {
	case len(images) == 0 && (n != allImages || !allowAll):
		return 0, codef(exitImage, "%q is not a valid image in %q, which contains no images", arg, a.name)
	case n == 0 || n == allImages && !allowAll:
		return 0, codef(exitImage, "%q is not a valid image in %q; give an index from 1 to %d or a name, as \"info\" lists them", arg, a.name, len(images))
	}
	return n, nil
}

// needImages returns an error for an archive that lost images: the indexes of the remaining ones may be wrong.
func (a *opened) needImages() error {
	if n := a.LostImages(); n > 0 {
		return hinted{codef(exitImageCount, "%d of the %d images in %q are lost: the blob table does not list them, and the remaining ones may have other indexes",
			n, len(a.Images())+n, a.name), "use apply or extract with --recover-data to recover their files"}
	}
	return nil
}

// indexes returns the image indexes of a choice.
func (a *opened) indexes(choice int) []int {
	if choice != allImages {
		return []int{choice}
	}
	var out []int
	for i := range a.Images() {
		out = append(out, i+1)
	}
	return out
}
