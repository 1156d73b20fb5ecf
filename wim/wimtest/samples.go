package wimtest

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"wimscope/wim/format"
)

// Outcome is how a reader should handle a sample.
type Outcome string

const (
	Opens       Outcome = "opens"        // it opens, and image 1 has Files
	Warns       Outcome = "warns"        // the same, with a warning
	BadImage    Outcome = "bad image"    // it opens, but the tree of image 1 is refused
	Damaged     Outcome = "damaged"      // it opens, and verification finds damage
	NotWIM      Outcome = "not a WIM"    // refused as something else
	OldVersion  Outcome = "old version"  // refused, with the version
	Encrypted   Outcome = "encrypted"    // refused as encrypted, or opened and marked so
	Truncated   Outcome = "truncated"    // refused as truncated
	Malformed   Outcome = "malformed"    // refused as malformed
	NeedsOthers Outcome = "needs others" // it opens; blobs are in other archives
)

// Sample is a hand-made archive, of one part or several.
type Sample struct {
	Name    string
	Parts   []SamplePart
	Refs    []SamplePart // other archives that the parts need
	Outcome Outcome
	Files   map[string]string // content by path in image 1, of the readable files; folders end in /
	About   string
}

// SamplePart is a file of a sample.
type SamplePart struct {
	Name  string
	Bytes []byte
}

func one(name string, about string, outcome Outcome, b []byte, files map[string]string) Sample {
	return Sample{Name: name, About: about, Outcome: outcome, Files: files, Parts: []SamplePart{{name + ".wim", b}}}
}

// plainTree returns the tree of most samples.
func plainTree() *HandEntry {
	return Folder("", TextFile("hello.txt", "hello, world\n"), Folder("sub", TextFile("inner.txt", "inside\n")))
}

func plainFiles() map[string]string {
	return map[string]string{"/hello.txt": "hello, world\n", "/sub/": "", "/sub/inner.txt": "inside\n"}
}

// Samples returns all samples. The first ones are what no available tool writes.
func Samples() []Sample {
	ss := []Sample{
		one("plain", "the others are variations of this one", Opens, One(plainTree()).Bytes(), plainFiles()),
		one("raw-chunks", "resources with chunk tables whose chunks are all stored raw", Opens, rawChunks(), plainFiles()),
		one("xpress2-flag", "header flag 0x200000 stands for XPRESS too", Opens, xpress2(), plainFiles()),
		one("metadata-refcount-0", "a metadata entry with reference count 0 is skipped and belongs to no image", Opens, refcountZero(), plainFiles()),
		one("shared-metadata", "two images have table entries with the same metadata resource", Opens, sharedMetadata(), plainFiles()),
		one("wrong-refcounts", "the table's reference counts are too low and too high", Opens, wrongRefcounts(), plainFiles()),
		one("other-part-entries", "table entries of another part are ignored", Opens, otherParts(), plainFiles()),
		one("duplicate-hash", "of two table entries with the same hash the first is used", Opens, duplicateHash(), plainFiles()),
		one("zero-and-empty-entries", "table entries with a zero hash or size 0 are ignored", Opens, zeroEntries(), plainFiles()),
		one("solid-flag-in-1.13", "resource flag 0x10 has no meaning in version 1.13", Opens, solidFlag113(), plainFiles()),
		one("solid", "a solid resource of raw chunks, with a blob across two of them", Opens, solidPlain(), solidFiles()),
		one("solid-two-resources", "one run over two solid resources, numbered as one", Opens, solidTwo(), solidFiles()),
		one("integrity", "an integrity table of small blocks", Opens, withIntegrity(), plainFiles()),
		one("sha1-of-empty", "an empty file whose hash is da39a3ee… instead of zero", Opens, sha1OfEmpty(), map[string]string{"/empty": "", "/full": "x"}),
		one("no-image", "an archive without images", Opens, (&HandArchive{}).Bytes(), map[string]string{}),
		one("encrypted-marker", "an ESD marked encrypted in its XML document", Encrypted, encrypted(), nil),
		one("unused-bytes", "bytes that nothing refers to", Opens, unusedBytes(), plainFiles()),
		one("windows-facts", "short names, security, streams, links, object ids, tagged items", Opens, windowsFacts(), windowsFiles()),
	}
	ss = append(ss, oldHeaders()...)
	ss = append(ss, treeSamples()...)
	ss = append(ss, splitSamples()...)
	ss = append(ss, pairSamples()...)
	return append(ss, damagedSamples()...)
}

func rawChunks() []byte {
	a := One(plainTree())
	a.Flags, a.Chunks, a.ChunkSize = format.FlagCompression|format.FlagXPRESS, 4096, 4096
	return a.Bytes()
}

func xpress2() []byte {
	a := One(plainTree())
	a.Flags, a.Chunks, a.ChunkSize = format.FlagCompression|format.FlagXPRESS2, 8192, 8192
	return a.Bytes()
}

func refcountZero() []byte {
	a := One(plainTree())
	dead := HandMeta{Data: HandMetadata(Folder("", TextFile("ghost", "boo")), nil), RefCount: 0}
	a.Metadata = append([]HandMeta{dead}, a.Metadata...)
	return a.Bytes()
}

func sharedMetadata() []byte {
	a := One(plainTree())
	a.Metadata = append(a.Metadata, HandMeta{RefCount: 1, Shared: true})
	return a.Bytes()
}

func wrongRefcounts() []byte {
	root := plainTree()
	root.Children = append(root.Children, TextFile("again.txt", "hello, world\n"))
	a := One(root)
	a.Blobs[0].RefCount = 1
	a.Blobs[1].RefCount = 77
	return a.Bytes()
}

func otherParts() []byte {
	a := One(plainTree())
	a.Blobs = append(a.Blobs, &HandBlob{Data: []byte("not of this part"), Hash: [20]byte{1}, RefCount: 1, Part: 2})
	return a.Bytes()
}

func duplicateHash() []byte {
	a := One(plainTree())
	again := *a.Blobs[0]
	again.Data = []byte("HELLO, WORLD\n")
	a.Blobs = append(a.Blobs, &again)
	return a.Bytes()
}

func zeroEntries() []byte {
	a := One(plainTree())
	for _, r := range []format.ResourceHeader{
		{PackedSize: 4, Off: 208, Size: 4}, // and a zero hash
		{},                                 // and a hash
	} {
		e := format.BlobEntry{Resource: r, Part: 1, RefCount: 1}
		if r.Size == 0 {
			e.Hash = sha1.Sum([]byte("no such bytes"))
		}
		a.Extra = append(a.Extra, e.Append(nil))
	}
	return a.Bytes()
}

func solidFlag113() []byte {
	b := One(plainTree()).Bytes()
	h, _ := format.ParseHeader(b)
	// Set the flag on every entry that is not metadata.
	for off := h.BlobTable.Off; off < h.BlobTable.Off+h.BlobTable.PackedSize; off += format.BlobEntrySize {
		if b[off+7]&format.ResMetadata == 0 {
			b[off+7] |= format.ResSolid
		}
	}
	return b
}

// solidTree returns a tree in which one file lies across the boundary of two chunks of 32 KiB.
func solidTree() *HandEntry {
	return Folder("", TextFile("a", strings.Repeat("a", 30000)), TextFile("b", strings.Repeat("bc", 5000)), TextFile("c", "end"))
}

func solidFiles() map[string]string {
	return map[string]string{"/a": strings.Repeat("a", 30000), "/b": strings.Repeat("bc", 5000), "/c": "end"}
}

// run concatenates blobs, starting at off, and returns the bytes and the entries.
func run(blobs []*HandBlob, off int64) (bytes []byte, out []HandSolidBlob) {
	for _, b := range blobs {
		out = append(out, HandSolidBlob{HandBlob: *b, Off: off, Size: int64(len(b.Data))})
		bytes = append(bytes, b.Data...)
		off += int64(len(b.Data))
	}
	return bytes, out
}

func solidPlain() []byte {
	a := One(solidTree())
	b, blobs := run(a.Blobs, 0)
	a.Blobs, a.Solid = nil, []HandSolid{{Bytes: b, ChunkSize: 32768, Blobs: blobs}}
	return a.Bytes()
}

func solidTwo() []byte {
	a := One(solidTree())
	b, blobs := run(a.Blobs, 0)
	// Each blob is in one resource: the second resource starts with c.
	cut := len(b) - 3
	a.Blobs = nil
	a.Solid = []HandSolid{{Bytes: b[:cut], ChunkSize: 32768, Blobs: blobs[:2]}, {Bytes: b[cut:], ChunkSize: 32768, Blobs: blobs[2:]}}
	return a.Bytes()
}

func withIntegrity() []byte {
	a := One(plainTree())
	a.Integrity = 100
	return a.Bytes()
}

func sha1OfEmpty() []byte {
	empty := TextFile("empty", "")
	empty.Hash = sha1.Sum(nil)
	return One(Folder("", empty, TextFile("full", "x"))).Bytes()
}

func encrypted() []byte {
	a := One(plainTree())
	a.XML = `<WIM><TOTALBYTES>TOTALBYTES_HERE</TOTALBYTES><ESD><ENCRYPTED><KEY>AAAA</KEY></ENCRYPTED></ESD><IMAGE INDEX="1"><NAME>secret</NAME></IMAGE></WIM>`
	// Without the key, the metadata is noise.
	a.Metadata[0].Data = bytes.Repeat([]byte{0x5A, 0xC3, 0x91}, 80)
	return a.Bytes()
}

func unusedBytes() []byte {
	a := One(plainTree())
	a.Unused = []byte("left over from an image that was deleted")
	return a.Bytes()
}

// sid returns a security identifier S-1-authority-subs.
func sid(authority byte, subs ...uint32) []byte {
	b := []byte{1, byte(len(subs)), 0, 0, 0, 0, 0, authority}
	for _, s := range subs {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	return b
}

// Descriptor returns a self-relative security descriptor: owner Administrators, group SYSTEM, and a DACL that allows SYSTEM and
// Administrators everything, and Users to read.
func Descriptor() []byte {
	admins, system, users := sid(5, 32, 544), sid(5, 18), sid(5, 32, 545)
	ace := func(mask uint32, who []byte) []byte {
		b := []byte{0, 3} // allow; inherited by files and folders
		b = binary.LittleEndian.AppendUint16(b, uint16(8+len(who)))
		b = binary.LittleEndian.AppendUint32(b, mask)
		return append(b, who...)
	}
	var aces []byte
	aces = append(aces, ace(0x1F01FF, system)...)
	aces = append(aces, ace(0x1F01FF, admins)...)
	aces = append(aces, ace(0x1200A9, users)...)
	acl := []byte{2, 0}
	acl = binary.LittleEndian.AppendUint16(acl, uint16(8+len(aces)))
	acl = append(acl, 3, 0, 0, 0)
	acl = append(acl, aces...)
	b := []byte{1, 0, 0x04, 0x80}
	off := uint32(20)
	b = binary.LittleEndian.AppendUint32(b, off+uint32(len(acl)))
	b = binary.LittleEndian.AppendUint32(b, off+uint32(len(acl)+len(admins)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, off)
	b = append(b, acl...)
	b = append(b, admins...)
	return append(b, system...)
}

// SymlinkData returns the reparse data of a symbolic link, without the 8-byte header.
func SymlinkData(target, print string, relative bool) []byte {
	t, p := utf16Bytes(utf16Of(target)), utf16Bytes(utf16Of(print))
	var b []byte
	for _, v := range []int{0, len(t), len(t), len(p)} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	flags := uint32(0)
	if relative {
		flags = 1
	}
	b = binary.LittleEndian.AppendUint32(b, flags)
	return append(append(b, t...), p...)
}

// JunctionData returns the reparse data of a junction, without the 8-byte header.
func JunctionData(target, print string) []byte {
	t, p := utf16Bytes(utf16Of(target)), utf16Bytes(utf16Of(print))
	var b []byte
	for _, v := range []int{0, len(t), len(t) + 2, len(p)} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	b = append(append(b, t...), 0, 0)
	return append(append(b, p...), 0, 0)
}

// Reparse tags.
const (
	TagSymlink  = 0xA000000C
	TagJunction = 0xA0000003
	TagOther    = 0x8000001B // APPEXECLINK: has no target in the file system
)

// WindowsTree returns a tree with at least one of everything that a Windows file system stores about files, and its security
// descriptors.
func WindowsTree() (root *HandEntry, security [][]byte) {
	object := make([]byte, 64)
	for i := range object {
		object[i] = byte(i * 3)
	}
	var xattr []byte
	xattr = binary.LittleEndian.AppendUint16(xattr, 5)
	xattr = append(xattr, 6, 0)
	xattr = append(xattr, "MYATTR\x00value"...)
	long := &HandEntry{
		Name: "A Long File Name.txt", Short: "ALONGF~1.TXT", Attrs: 0x23, Security: 1, Data: []byte("long\n"),
		Created: handTime - 30_000_000_000, Accessed: handTime + 5, Modified: handTime, Link: 7,
	}
	twin := *long
	twin.Name, twin.Short = "second name.txt", ""
	root = Folder("",
		long, &twin,
		&HandEntry{Name: "streams.bin", Data: []byte("main"), Attrs: 0x20, Security: 1, Modified: handTime,
			Streams: []HandStream{{Name: "Zone.Identifier", Data: []byte("[ZoneTransfer]\r\nZoneId=3\r\n")}, {Name: "empty"}}},
		&HandEntry{Name: "object.id", Data: []byte("id"), Items: []HandItem{{format.TagObjectID, object}}},
		&HandEntry{Name: "attr", Data: []byte("ea"), Items: []HandItem{{format.TagXattrs, xattr}}},
		&HandEntry{Name: "unix", Data: []byte("ux"), Items: []HandItem{{format.TagUnixData, format.UnixData{UID: 1000, GID: 100, Mode: 0o100640}.Append(nil)}}},
		&HandEntry{Name: "unknown item", Data: []byte("?"), Items: []HandItem{{0x12345678, []byte("keep me, whatever I am")}}},
		&HandEntry{Name: "old time", Data: []byte("1601"), Created: 0, Modified: 1, Accessed: 1 << 63},
		&HandEntry{Name: "relative link", Attrs: 0x400, Tag: TagSymlink, Data: SymlinkData(`sub\inner.txt`, `sub\inner.txt`, true), Modified: handTime},
		&HandEntry{Name: "absolute link", Attrs: 0x400, Tag: TagSymlink, Data: SymlinkData(`\??\C:\sub`, `C:\sub`, false), NotFixed: true, Modified: handTime},
		&HandEntry{Name: "junction", Attrs: 0x410, Tag: TagJunction, Data: JunctionData(`\??\C:\sub`, `C:\sub`), Modified: handTime},
		&HandEntry{Name: "app link", Attrs: 0x420, Tag: TagOther, Data: []byte("opaque"), Modified: handTime},
		&HandEntry{Name: "hidden", Attrs: 0x26, Data: []byte("h")},
		Folder("sub", TextFile("inner.txt", "inside\n")),
	)
	root.Security = 1
	return root, [][]byte{Descriptor()}
}

func windowsFacts() []byte {
	root, security := WindowsTree()
	return One(root, security...).Bytes()
}

func windowsFiles() map[string]string {
	return map[string]string{
		"/A Long File Name.txt": "long\n", "/second name.txt": "long\n", "/streams.bin": "main", "/object.id": "id", "/attr": "ea",
		"/unix": "ux", "/unknown item": "?", "/old time": "1601", "/hidden": "h", "/sub/": "", "/sub/inner.txt": "inside\n",
	}
}

// oldHeaders returns archives of versions before 1.13. Only their headers are real.
func oldHeaders() []Sample {
	var out []Sample
	for _, v := range []struct {
		name    string
		version uint32
		size    int
	}{{"1.09", 0x10900, 0x60}, {"1.10", 0x10A00, 0x60}, {"1.11", 0x10B00, 0x60}, {"1.12", 0x10C00, 0x74}} {
		b := []byte(format.Magic)
		for _, n := range []uint32{uint32(v.size), v.version, 0, 32768} {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		if v.size == 0x74 {
			b = append(b, bytes.Repeat([]byte{7}, 16)...)
			b = append(b, 1, 0, 1, 0)
		}
		for range 3 {
			b = format.ResourceHeader{Off: uint64(v.size)}.Append(b)
		}
		out = append(out, one("version-"+v.name, "a header of version "+v.name, OldVersion, append(b, make([]byte, 200)...), nil))
	}
	return out
}

// treeSamples returns archives with bad trees.
func treeSamples() []Sample {
	named := func(name string, about string, outcome Outcome, files map[string]string, extra ...*HandEntry) Sample {
		root := plainTree()
		root.Children = append(root.Children, extra...)
		return one(name, about, outcome, One(root).Bytes(), files)
	}
	dots := []*HandEntry{TextFile("..", "up"), TextFile(".", "here"), Folder("..", TextFile("evil.txt", "outside"))}
	nul := &HandEntry{RawName: []uint16{'a', 0, 'b'}, Data: []byte("nul")}
	lone := &HandEntry{RawName: []uint16{'x', 0xD800, 'y'}, Data: []byte("lone")}
	slash := TextFile("a/b", "slash")
	back := TextFile(`..\..\up`, "backslash")
	files := func(more ...string) map[string]string {
		m := plainFiles()
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	cycle := Folder("loop", Folder("down"))
	cycle.Children[0].Subdir = func(at map[string]int) int64 { return int64(at["loop"]) }
	toRoot := Folder("again")
	toRoot.Subdir = func(at map[string]int) int64 { return int64(at[""]) }
	far := Folder("far")
	far.Subdir = func(map[string]int) int64 { return 1 << 40 }
	negative := Folder("negative")
	negative.Subdir = func(map[string]int) int64 { return -8 }
	mangle := func(name string, change func(d []byte) []byte) *HandEntry {
		e := TextFile(name, "mangled")
		e.Mangle = change
		return e
	}
	le := binary.LittleEndian
	huge := mangle("huge", func(d []byte) []byte { le.PutUint64(d, 1<<62); return d })
	nameLong := mangle("name overflow", func(d []byte) []byte { le.PutUint16(d[0x64:], 0xFFFE); return d })
	shortLong := mangle("short overflow", func(d []byte) []byte { le.PutUint16(d[0x62:], 0xFFFE); return d })
	oddName := mangle("odd", func(d []byte) []byte { le.PutUint16(d[0x64:], 5); return d })
	manyStreams := mangle("streams overflow", func(d []byte) []byte { le.PutUint16(d[0x60:], 0xFFFF); return d })
	badSec := &HandEntry{Name: "security 99", Security: 100, Data: []byte("s")}
	dirFile := &HandEntry{Name: "file with children", Data: []byte("f"), Attrs: 0x80, Children: []*HandEntry{TextFile("child", "c")}}
	link1 := &HandEntry{Name: "link a", Data: []byte("one"), Link: 9}
	link2 := &HandEntry{Name: "link b", Data: []byte("two"), Link: 9}
	dirLink1, dirLink2 := Folder("dir link a"), Folder("dir link b")
	dirLink1.Link, dirLink2.Link = 12, 12

	deep := Folder("d")
	for range 20000 {
		deep = Folder("d", deep)
	}
	ss := []Sample{
		named("dotdot", "entries named . and .. are skipped", Warns, plainFiles(), dots...),
		named("nul-name", "a name with a NUL in it is skipped", Warns, plainFiles(), nul),
		named("empty-name", "an entry without a name is skipped", Warns, plainFiles(), TextFile("", "nameless")),
		named("duplicate-names", "of two entries with the same name the first is used", Warns, plainFiles(), TextFile("hello.txt", "second")),
		named("case-twins", "names that differ only in case are kept apart", Opens, files("/HELLO.TXT", "loud"), TextFile("HELLO.TXT", "loud")),
		named("lone-surrogate", "a name that is not valid UTF-16", Opens, nil, lone),
		named("slash-in-name", "names with separators must not escape", Opens, nil, slash, back),
		named("cycle", "a folder has the list of its ancestor", Warns, nil, cycle),
		named("cycle-to-root", "a folder has the list of the root", Warns, nil, toRoot),
		named("list-far-away", "a list that lies past the end", Warns, files("/far/", ""), far),
		named("list-negative", "a list that lies before the start", Warns, files("/negative/", ""), negative),
		named("entry-too-long", "an entry whose length passes the end", Warns, nil, huge),
		named("name-overflow", "a name length that wraps 16-bit sums", Warns, nil, nameLong),
		named("short-name-overflow", "a short name longer than its entry", Warns, nil, shortLong),
		named("odd-name-length", "a name of an odd number of bytes", Warns, nil, oddName),
		named("stream-overflow", "more stream entries than there are bytes", Warns, nil, manyStreams),
		named("security-out-of-range", "a security id without a descriptor", Opens, files("/security 99", "s"), badSec),
		named("children-of-a-file", "a file that has a list of children", Warns, files("/file with children", "f"), dirFile),
		named("false-hard-links", "one link group with different contents: two files", Opens, files("/link a", "one", "/link b", "two"), link1, link2),
		named("folder-hard-links", "folders are never hard links", Opens, files("/dir link a/", "", "/dir link b/", ""), dirLink1, dirLink2),
		named("very-deep", "20,000 folders in one another", Warns, nil, deep),
		one("empty-root", "a root with no list at all", Opens, emptyRoot(), map[string]string{}),
		one("root-not-a-folder", "a root that is a file", BadImage, rootFile(), nil),
		one("metadata-cut", "a metadata resource of four bytes", BadImage, tinyMetadata(), nil),
		one("security-overflow", "a security block that claims four billion descriptors", Warns, securityOverflow(), nil),
	}
	return ss
}

func emptyRoot() []byte {
	root := Folder("")
	root.Subdir = func(map[string]int) int64 { return 0 }
	return One(root).Bytes()
}

func rootFile() []byte {
	root := Folder("", TextFile("x", "x"))
	root.Attrs = 0x80
	return One(root).Bytes()
}

func tinyMetadata() []byte {
	a := One(plainTree())
	a.Metadata[0].Data = []byte{8, 0, 0, 0}
	return a.Bytes()
}

func securityOverflow() []byte {
	a := One(plainTree())
	m := append([]byte(nil), a.Metadata[0].Data...)
	binary.LittleEndian.PutUint32(m[4:], 0xFFFFFFFF)
	a.Metadata[0].Data = m
	return a.Bytes()
}

// splitSamples returns sets of parts, with solid runs in three plausible layouts.
func splitSamples() []Sample {
	tree := solidTree()
	whole := One(tree)
	all, blobs := run(whole.Blobs, 0)
	xml := whole.document(0)
	part := func(n uint16, solid []HandSolid, meta []HandMeta, b []*HandBlob) *HandArchive {
		return &HandArchive{GUID: 5, Version: format.Version014, Flags: format.FlagSpanned | format.FlagCompression | format.FlagLZMS, Part: n, Parts: 2,
			Images: 1, XML: xml, Metadata: meta, Solid: solid, Blobs: b, ChunkSize: 131072}
	}
	set := func(name, about string, p1, p2 []byte) Sample {
		return Sample{Name: name, About: about, Outcome: Opens, Files: solidFiles(),
			Parts: []SamplePart{{name + ".swm", p1}, {name + "2.swm", p2}}}
	}
	// The boundary between the parts' resources is inside b, and is a boundary of chunks.
	const cut = 32768
	first := HandSolid{Bytes: all[:cut], ChunkSize: cut}
	second := HandSolid{Bytes: all[cut:], ChunkSize: cut}

	// First layout: both tables list the whole run, and each resource has the number of the part that holds it.
	lay := func(p1, p2 HandSolid) (a, b []byte) {
		p1.Part, p2.Part = 1, 2
		p1.Off, p2.Off = 0, 0
		place := func(n uint16) []byte {
			x, y := p1, p2
			if n == 1 {
				y.Elsewhere, y.Blobs = true, blobs
				y.Off, y.Packed = 208, int64(len(SolidResource(p2.Bytes, cut)))
			} else {
				x.Elsewhere, y.Blobs = true, blobs
				x.Off, x.Packed = 208+int64(len(whole.Metadata[0].Data)), int64(len(SolidResource(p1.Bytes, cut)))
			}
			for i := range y.Blobs {
				y.Blobs[i].Part = 1
				if y.Blobs[i].Off >= cut {
					y.Blobs[i].Part = 2
				}
			}
			meta := whole.Metadata
			if n == 2 {
				meta = nil
			}
			return part(n, []HandSolid{x, y}, meta, nil).Bytes()
		}
		return place(1), place(2)
	}
	a1, a2 := lay(first, second)

	// Second layout: each table lists its own part's resource and the blobs that start in it; offsets count over all parts.
	own := func(list []HandSolidBlob, n uint16) (out []HandSolidBlob) {
		for _, b := range list {
			b.Part = n
			out = append(out, b)
		}
		return out
	}
	b1, b2 := first, second
	b1.Blobs, b2.Blobs = own(blobs[:2], 1), own(blobs[2:], 2)
	o1 := part(1, []HandSolid{b1}, whole.Metadata, nil).Bytes()
	o2 := part(2, []HandSolid{b2}, nil, nil).Bytes()

	// Third layout: each part has a run of its own, and offsets count from its start.
	l1Bytes, l1Blobs := run(whole.Blobs[:2], 0)
	l2Bytes, l2Blobs := run(whole.Blobs[2:], 0)
	l1 := part(1, []HandSolid{{Bytes: l1Bytes, ChunkSize: cut, Blobs: own(l1Blobs, 1)}}, whole.Metadata, nil).Bytes()
	l2 := part(2, []HandSolid{{Bytes: l2Bytes, ChunkSize: cut, Blobs: own(l2Blobs, 2)}}, nil, nil).Bytes()

	plain := set("split-plain", "two parts, nothing solid",
		part(1, nil, whole.Metadata, whole.Blobs[:1]).Bytes(), part(2, nil, nil, whole.Blobs[1:]).Bytes())
	missing := set("split-part-missing", "the second part is missing", part(1, nil, whole.Metadata, whole.Blobs[:1]).Bytes(), nil)
	missing.Parts = missing.Parts[:1]
	missing.Outcome = NeedsOthers
	missing.Files = map[string]string{"/a": strings.Repeat("a", 30000)}
	stranger := part(2, nil, nil, whole.Blobs[1:])
	stranger.GUID = 6
	wrong := set("split-wrong-set", "the second part is of another set", part(1, nil, whole.Metadata, whole.Blobs[:1]).Bytes(), stranger.Bytes())
	wrong.Outcome = Malformed
	return []Sample{
		plain, missing, wrong,
		set("split-solid-whole-tables", "a solid run over both parts; both tables list all of it", a1, a2),
		set("split-solid-own-tables", "a solid run over both parts; each table lists its own share, offsets count over both", o1, o2),
		set("split-solid-local", "each part has a solid run of its own", l1, l2),
	}
}

// pairSamples returns samples that need another archive.
func pairSamples() []Sample {
	whole := One(plainTree())
	meta := &HandArchive{Flags: format.FlagMetadataOnly, GUID: 8, Metadata: whole.Metadata}
	res := &HandArchive{Flags: format.FlagResourceOnly, GUID: 9, Blobs: whole.Blobs}
	delta := &HandArchive{GUID: 3, Metadata: whole.Metadata, Blobs: whole.Blobs[1:]}
	return []Sample{
		{Name: "metadata-only", About: "an image without blobs, and the archive with the blobs", Outcome: NeedsOthers, Files: plainFiles(),
			Parts: []SamplePart{{"image.wim", meta.Bytes()}}, Refs: []SamplePart{{"Res.rwm", res.Bytes()}}},
		{Name: "delta", About: "an archive without the blobs that another one has", Outcome: NeedsOthers, Files: plainFiles(),
			Parts: []SamplePart{{"delta.wim", delta.Bytes()}}, Refs: []SamplePart{{"base.wim", whole.Bytes()}}},
	}
}

// damagedSamples returns archives that are truncated, changed, or no archives at all.
func damagedSamples() []Sample {
	good := One(plainTree()).Bytes()
	h, _ := format.ParseHeader(good)
	flip := func(off uint64) []byte {
		b := append([]byte(nil), good...)
		b[off] ^= 0x40
		return b
	}
	edit := func(change func(h *format.Header)) []byte {
		b := append([]byte(nil), good...)
		x := h
		change(&x)
		copy(b, x.Append(nil))
		return b
	}
	meta := One(plainTree()).Metadata[0].Data
	ss := []Sample{
		one("truncated-table", "the file ends inside its blob table", Truncated, good[:h.BlobTable.Off+20], nil),
		one("truncated-data", "the file ends inside its first resource", Truncated, good[:300], nil),
		one("truncated-header", "100 bytes of header", Truncated, good[:100], nil),
		one("flipped-content", "one bit of a blob is flipped", Damaged, flip(208+uint64(len(meta))+3), nil),
		one("flipped-metadata", "one bit of the tree is flipped", BadImage, flip(208+40), nil),
		one("table-out-of-range", "the blob table lies past the end", Truncated, edit(func(h *format.Header) { h.BlobTable.Off = 1 << 40 }), nil),
		one("table-size-odd", "the size of the blob table is not a multiple of 50", Malformed, edit(func(h *format.Header) {
			h.BlobTable.PackedSize -= 7
			h.BlobTable.Size -= 7
		}), nil),
		one("header-size-wrong", "the header claims a size of 212 bytes", Malformed, edit(func(h *format.Header) { h.Size = 212 }), nil),
		one("version-unknown", "version 9.09", Malformed, edit(func(h *format.Header) { h.Version = 0x90900 }), nil),
		one("images-lie", "the header claims a billion images", Warns, edit(func(h *format.Header) { h.ImageCount = 1 << 30 }), plainFiles()),
		one("boot-index-lies", "the bootable image does not exist", Warns, edit(func(h *format.Header) { h.BootIndex = 9 }), plainFiles()),
		one("part-number-lies", "part 3 of 1", Malformed, edit(func(h *format.Header) { h.PartNumber = 3 }), nil),
		one("empty", "an empty file", NotWIM, nil, nil),
		one("zeros", "4096 zeros", NotWIM, make([]byte, 4096), nil),
		one("text", "a text", NotWIM, []byte(strings.Repeat("This is not an image of anything.\r\n", 20)), nil),
		one("zip", "the beginning of a ZIP", NotWIM, append([]byte("PK\x03\x04\x14\x00\x00\x00\x00\x00"), make([]byte, 300)...), nil),
		one("pe", "the beginning of a program", NotWIM, append([]byte("MZ\x90\x00\x03\x00\x00\x00"), make([]byte, 300)...), nil),
		one("vhdx", "the beginning of a VHDX", NotWIM, append([]byte("vhdxfile"), make([]byte, 300)...), nil),
	}
	iso := make([]byte, 0x8000+2048)
	copy(iso[0x8001:], "CD001\x01")
	return append(ss, one("iso", "the beginning of an ISO 9660 image", NotWIM, iso, nil))
}

func utf16Of(s string) []uint16 { return utf16.Encode([]rune(s)) }
