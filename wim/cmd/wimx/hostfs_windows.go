package main

import (
	"io/fs"
	"os"
	"syscall"
	"unsafe"

	"wimscope/wim/draft"
	"wimscope/wim/format"
)

// keptAttributes are the attributes that describe the file and not how it is stored on the disk.
const keptAttributes = settable | format.AttrDirectory

// Open opens a file.
func (h hostFS) Open(name string) (fs.File, error) { return os.Open(h.path(name)) }

// FileFacts returns attributes and times. Reparse points other than links, named streams and security descriptors are not
// read.
func (h hostFS) FileFacts(name string, want draft.FactsWanted) (f draft.Facts, err error) {
	look := os.Lstat
	if want.Follow {
		look = os.Stat
	}
	fi, err := look(h.path(name))
	if err != nil {
		return f, err
	}
	d, ok := fi.Sys().(*syscall.Win32FileAttributeData)
	if !ok {
		return f, &fs.PathError{Op: "attributes of", Path: h.path(name), Err: fs.ErrInvalid}
	}
	moment := func(t syscall.Filetime) format.Filetime {
		return format.Filetime(t.HighDateTime)<<32 | format.Filetime(t.LowDateTime)
	}
	f.Created, f.Accessed, f.Modified = moment(d.CreationTime), moment(d.LastAccessTime), moment(d.LastWriteTime)
	f.Attributes = d.FileAttributes & keptAttributes
	if !fi.IsDir() && f.Attributes == 0 {
		f.Attributes = format.AttrNormal
	}
	return f, nil
}

// usableMemory returns 0: it is not known here.
func usableMemory() int64 { return 0 }

// freeSpace returns how many bytes the user may still write to the folder. ok is false if that is not known.
func freeSpace(dir string) (n int64, ok bool) {
	p, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	proc := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")
	r, _, _ := proc.Call(uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&n)), 0, 0)
	return n, r != 0
}
