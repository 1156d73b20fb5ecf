package wimtest

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"wimscope/wim/format"
)

// PlainArchive is an archive with one small file.
func PlainArchive() *HandArchive {
	return One(Folder("", TextFile("a", "text")))
}

// EditHeader gives the archive with another header.
func EditHeader(b []byte, f func(h *format.Header)) []byte {
	h, err := format.ParseHeader(b)
	if err != nil {
		panic(err)
	}
	f(&h)
	return append(h.Append(nil), b[format.HeaderSize:]...)
}

// EditEntry changes entry i of the blob table.
func EditEntry(b []byte, i int, f func(e *format.BlobEntry)) []byte {
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

func SymlinkEntry(name, target string, relative bool) *HandEntry {
	return &HandEntry{Name: name, Attrs: format.AttrReparsePoint, Tag: format.TagSymlink, Data: SymlinkData(target, strings.TrimPrefix(target, `\??\`), relative)}
}

func JunctionEntry(name, target string) *HandEntry {
	return &HandEntry{Name: name, Attrs: format.AttrReparsePoint | format.AttrDirectory, Tag: format.TagMountPoint, Data: JunctionData(target, strings.TrimPrefix(target, `\??\`))}
}

// Fewer says that this run repeats, with 32-bit integers or in a browser, what the native run tries in full. There a test
// that goes through many cases or much data tries some of each kind.
func Fewer() bool { return testing.Short() || runtime.GOOS == "js" }

// Allocated is how many bytes f allocates.
func Allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// BigContent is n bytes that XPRESS makes shorter in the given share of chunks.
func BigContent(n int, packable func(chunk int) bool) []byte {
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
