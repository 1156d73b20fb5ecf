package wimtest

import (
	"crypto/sha1"
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"wimscope/wim/format"
)

// HandEntry is a directory entry of a hand-made archive. Every field is written as it is, valid or not.
type HandEntry struct {
	Name     string
	RawName  []uint16 // if not nil, used instead of Name: for unpaired surrogates and the like
	Short    string   // 8.3 name
	Attrs    uint32   // FILE_ATTRIBUTE bits; 0: 0x10 with Children, else 0x80
	Security int32    // index of the security descriptor plus 1; 0: none; below 0: written as it is
	Created  uint64   // 100-ns units since 1601
	Accessed uint64
	Modified uint64
	Data     []byte   // content; it becomes a blob of the archive
	Hash     [20]byte // if not zero, used instead of the SHA-1 of Data
	Tag      uint32   // reparse tag, with Attrs 0x400; Data is then the reparse data
	NotFixed bool     // the reparse flag of a link whose target was not changed at capture
	Link     uint64   // hard-link group
	Streams  []HandStream
	Items    []HandItem
	Children []*HandEntry
	Dir      bool                           // a folder even without Children
	Subdir   func(off map[string]int) int64 // returns the offset of the list of children, given the offsets of all lists by folder name
	Mangle   func(dentry []byte) []byte     // a last change to the bytes of the entry
}

// HandStream is an extra stream entry. One without a name holds reparse data or content.
type HandStream struct {
	Name string
	Data []byte
	Hash [20]byte
}

// HandItem is a tagged item after a dentry.
type HandItem struct {
	Tag  uint32
	Data []byte
}

// Folder returns a folder of the entries.
func Folder(name string, children ...*HandEntry) *HandEntry {
	return &HandEntry{Name: name, Dir: true, Children: children, Modified: handTime}
}

// TextFile returns a file.
func TextFile(name, text string) *HandEntry {
	return &HandEntry{Name: name, Data: []byte(text), Modified: handTime}
}

// handTime is 2024-05-06 07:08:09.1234567 UTC.
const handTime = 133594672891234567

func (e *HandEntry) isDir() bool { return e.Dir || e.Children != nil }

func (e *HandEntry) units() []uint16 {
	if e.RawName != nil {
		return e.RawName
	}
	return utf16.Encode([]rune(e.Name))
}

// blobHash returns the hash of data in a dentry: set if that is not zero, or zero if there is no data.
func blobHash(data []byte, set [20]byte) [20]byte {
	if set != ([20]byte{}) || len(data) == 0 {
		return set
	}
	return sha1.Sum(data)
}

// HandMetadata returns a metadata resource: security data, root, and the lists of children in breadth-first order of their
// folders.
func HandMetadata(root *HandEntry, security [][]byte) []byte {
	sec := format.NewSecurityData(security)
	b := sec.Append(nil)
	b = append(b, make([]byte, int(sec.RootOff())-len(b))...)

	// The first pass finds the offset of each list, the second writes them.
	lists := map[*HandEntry]int{}
	named := map[string]int{}
	var out []byte
	for pass := range 2 {
		out = append([]byte(nil), b...)
		place := func(e *HandEntry) int64 {
			if e.Subdir != nil && pass == 1 {
				return e.Subdir(named)
			}
			return int64(lists[e])
		}
		out = appendDentry(out, root, place(root))
		out = format.AppendEndOfDirectory(out)
		queue := []*HandEntry{root}
		for len(queue) > 0 {
			e := queue[0]
			queue = queue[1:]
			if !e.isDir() {
				continue
			}
			lists[e] = len(out)
			named[e.Name] = len(out)
			for _, c := range e.Children {
				out = appendDentry(out, c, place(c))
			}
			out = format.AppendEndOfDirectory(out)
			queue = append(queue, e.Children...)
		}
	}
	return out
}

// appendDentry writes one dentry with its extra streams.
func appendDentry(out []byte, e *HandEntry, subdir int64) []byte {
	attrs := e.Attrs
	if attrs == 0 {
		attrs = 0x80
		if e.isDir() {
			attrs = 0x10
		}
	}
	sec := e.Security
	if sec >= 0 {
		sec--
	}
	hash := blobHash(e.Data, e.Hash)
	streams := e.Streams
	if len(streams) > 0 && !e.isDir() {
		// If there is an extra stream, the content is one too, and the main hash is zero.
		streams = append([]HandStream{{Data: e.Data, Hash: e.Hash}}, streams...)
		hash = [20]byte{}
	}
	d := format.Dentry{
		Attributes: attrs,
		SecurityID: sec,
		SubdirOff:  uint64(subdir),
		Created:    e.Created,
		Accessed:   e.Accessed,
		Modified:   e.Modified,
		Hash:       hash,
		Link:       e.Link,
		NumStreams: uint16(len(streams)),
		Name:       utf16Bytes(e.units()),
		ShortName:  utf16Bytes(utf16.Encode([]rune(e.Short))),
	}
	if attrs&0x400 != 0 {
		d.Link = uint64(e.Tag)
		if e.NotFixed {
			d.Link |= 1 << 48
		}
	}
	for _, it := range e.Items {
		d.Items = format.TaggedItem{Tag: it.Tag, Data: it.Data}.Append(d.Items)
	}
	b := d.Append(nil)
	for _, s := range streams {
		b = format.StreamEntry{Hash: blobHash(s.Data, s.Hash), Name: utf16Bytes(utf16.Encode([]rune(s.Name)))}.Append(b)
	}
	if e.Mangle != nil {
		b = e.Mangle(b)
	}
	return append(out, b...)
}

// contents returns the blobs that the entries of a tree refer to, each once, in tree order, with their reference counts.
func contents(root *HandEntry, seen map[[20]byte]*HandBlob, out []*HandBlob) []*HandBlob {
	add := func(data []byte, set [20]byte) {
		if len(data) == 0 {
			return
		}
		h := blobHash(data, set)
		if b := seen[h]; b != nil {
			b.RefCount++
			return
		}
		b := &HandBlob{Data: data, Hash: h, RefCount: 1}
		seen[h] = b
		out = append(out, b)
	}
	// No recursion: a browser's stack is too small for the deepest tree.
	for stack := []*HandEntry{root}; len(stack) > 0; {
		e := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		add(e.Data, e.Hash)
		for _, s := range e.Streams {
			add(s.Data, s.Hash)
		}
		for _, c := range slices.Backward(e.Children) {
			stack = append(stack, c)
		}
	}
	return out
}

// utf16Bytes returns text as names are stored: UTF-16LE.
func utf16Bytes(units []uint16) []byte {
	var b []byte
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}
