package core

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

// plainArchive is an archive with one small file.
func plainArchive() *wimtest.HandArchive {
	return wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "text")))
}

// editHeader gives the archive with another header.
func editHeader(b []byte, f func(h *format.Header)) []byte {
	h, err := format.ParseHeader(b)
	if err != nil {
		panic(err)
	}
	f(&h)
	return append(h.Append(nil), b[format.HeaderSize:]...)
}

// editEntry changes entry i of the blob table.
func editEntry(b []byte, i int, f func(e *format.BlobEntry)) []byte {
	h, err := format.ParseHeader(b)
	if err != nil {
		panic(err)
	}
	b = bytes.Clone(b)
	at := int(h.BlobTable.Off) + i*format.BlobEntrySize
	e, err := format.ParseBlobEntry(b[at:])
	if err != nil {
		panic(err)
	}
	f(&e)
	copy(b[at:], e.Append(nil))
	return b
}

func symlink(name, target string, relative bool) *wimtest.HandEntry {
	return &wimtest.HandEntry{Name: name, Attrs: format.AttrReparsePoint, Tag: format.TagSymlink, Data: wimtest.SymlinkData(target, strings.TrimPrefix(target, `\??\`), relative)}
}

func junction(name, target string) *wimtest.HandEntry {
	return &wimtest.HandEntry{Name: name, Attrs: format.AttrReparsePoint | format.AttrDirectory, Tag: format.TagMountPoint, Data: wimtest.JunctionData(target, strings.TrimPrefix(target, `\??\`))}
}

// fewer says that this run repeats, with 32-bit integers or in a browser, what the native run tries in full. There a test
// that goes through many cases or much data tries some of each kind.
func fewer() bool { return testing.Short() || runtime.GOOS == "js" }

// allocated is how many bytes f allocates.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// bigContent is n bytes that XPRESS makes shorter in the given share of chunks.
func bigContent(n int, packable func(chunk int) bool) []byte {
	b := make([]byte, n)
	x := uint64(88172645463325252)
	for i := 0; i+8 <= n; i += 8 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		if !packable(i >> 15) {
			binary.LittleEndian.PutUint64(b[i:], x)
		}
	}
	return b
}
