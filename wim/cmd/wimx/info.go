package main

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/xmldoc"
)

func infoVerb() verb {
	return verb{
		name: "info",
		usage: "WIMFILE [IMAGE [NEW_NAME [NEW_DESC]]] [--header] [--blobs] [--xml] [--extract-xml=FILE] [--check] [--json]\n" +
			"        [--boot] [--image-property NAME=VALUE] [--include-integrity] [--no-integrity] [--nocheck] [--dry-run] [--verify-after]\n" +
			"        [--windows] [--repair-windows]",
		opts: join(integrityOptions(), runOptionTable(), []option{
			{name: "windows"}, {name: "repair-windows"}, {name: "header"}, {name: "blobs"}, {name: "lookup-table", same: "blobs"}, {name: "xml"}, {name: "extract-xml", value: true},
			{name: "boot"}, {name: "image-property", value: true}, {name: "no-integrity"}, {name: "ref", value: true},
		}),
		run: runInfo,
	}
}

func runInfo(t *tool, o *parsed) error {
	if len(o.args) == 0 || len(o.args) > 4 {
		return usageError{"info takes an archive and optionally an image"}
	}
	if len(o.args) > 2 || o.has("boot") || o.has("image-property") || o.has("include-integrity") || o.has("no-integrity") || o.has("repair-windows") {
		return changeInfo(t, o)
	}
	t.aside = o.has("extract-xml") && t.carriesData(o.get("extract-xml"))
	a, err := t.openSet(o.args[0], o.all("ref"), &blobs.Options{LaterParts: true})
	if err != nil {
		return err
	}
	defer a.Close()
	choice := allImages
	if len(o.args) == 2 {
		if choice, err = a.image(o.args[1], true, true); err != nil {
			return err
		}
	}
	if err := t.checkIntegrity(a, o); err != nil {
		return err
	}
	if o.has("extract-xml") {
		raw, err := a.RawXML()
		if err == nil {
			err = t.writeFile(o.get("extract-xml"), raw)
		}
		if err != nil {
			return err
		}
	}
	if o.has("json") {
		return t.infoJSON(a, choice, o.has("windows"))
	}
	special := o.has("extract-xml")
	if o.has("header") {
		special = true
		printHeader(t.stdout, a.hdr)
	}
	if o.has("blobs") {
		special = true
		if a.hdr.TotalParts > 1 {
			fmt.Fprintf(t.stderr, "Warning: Only showing the blobs for part %d of a %d-part WIM.\n", a.hdr.PartNumber, a.hdr.TotalParts)
		}
		if err := t.printBlobs(a); err != nil {
			return err
		}
	}
	if o.has("xml") {
		special = true
		raw, err := a.RawXML()
		if err != nil {
			return err
		}
		t.stdout.Write(raw)
	}
	if special {
		return nil
	}
	if choice == allImages {
		a.printInfo(t.stdout)
	}
	a.printImages(t.stdout, choice, len(o.args) == 2)
	if o.has("windows") {
		return t.printWindows(a, choice)
	}
	return nil
}

// printInfo prints the lines about the archive as a whole. Names, columns and order are those of wimlib-imagex.
func (a *opened) printInfo(w io.Writer) {
	h := &a.hdr
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-16s%s\n", name+":", fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(w, "WIM Information:\n----------------\n")
	line("Path", "%s", a.name)
	line("GUID", "0x%x", h.GUID)
	line("Version", "%d", h.Version)
	line("Image Count", "%d", h.ImageCount)
	line("Compression", "%s", headerCodec(h))
	line("Chunk Size", "%d bytes", h.ChunkSize)
	line("Part Number", "%d/%d", h.PartNumber, h.TotalParts)
	line("Boot Index", "%d", h.BootIndex)
	line("Size", "%d bytes", a.XMLDoc().Root().Number("TOTALBYTES"))
	var has []string
	for _, f := range []struct {
		is   bool
		name string
	}{
		{h.Pipable(), "Pipable"}, {h.Integrity.PackedSize != 0, "Integrity info"}, {h.Flags&format.FlagReparseFixup != 0, "Relative path junction"},
		{h.Flags&format.FlagResourceOnly != 0, "Resource only"}, {h.Flags&format.FlagMetadataOnly != 0, "Metadata only"},
		{h.Flags&format.FlagReadOnly != 0, "Readonly"},
	} {
		if f.is {
			has = append(has, f.name)
		}
	}
	line("Attributes", "%s", strings.Join(has, ", "))
	fmt.Fprintln(w)
}

func headerCodec(h *format.Header) string {
	switch {
	case h.Flags&format.FlagCompression == 0:
		return "None"
	case h.Flags&format.FlagLZX != 0:
		return "LZX"
	case h.Flags&(format.FlagXPRESS|format.FlagXPRESS2) != 0:
		return "XPRESS"
	case h.Flags&format.FlagLZMS != 0:
		return "LZMS"
	}
	return "None"
}

// printImages prints the lines about images from the XML document: all of them, or the chosen one.
func (a *opened) printImages(w io.Writer, choice int, chosen bool) {
	if !chosen || choice == allImages {
		fmt.Fprintf(w, "Available Images:\n-----------------\n")
	} else {
		title := fmt.Sprintf("Information for Image %d", choice)
		fmt.Fprintf(w, "%s\n%s\n", title, strings.Repeat("-", len(title)))
	}
	for i := range a.Images() {
		if choice == allImages || choice == i+1 {
			printImage(w, i+1, a.ImageElement(i+1))
		}
	}
}

func printImage(w io.Writer, index int, n *xmldoc.Node) {
	line := func(name, value string) { fmt.Fprintf(w, "%-24s%s\n", name+":", value) }
	some := func(name string, path ...string) {
		if v := n.Content(path...); v != "" {
			line(name, v)
		}
	}
	number := func(name string, path ...string) { line(name, fmt.Sprint(n.Number(path...))) }
	line("Index", fmt.Sprint(index))
	line("Name", n.Content("NAME"))
	line("Description", n.Content("DESCRIPTION"))
	some("Display Name", "DISPLAYNAME")
	some("Display Description", "DISPLAYDESCRIPTION")
	number("Directory Count", "DIRCOUNT")
	number("File Count", "FILECOUNT")
	number("Total Bytes", "TOTALBYTES")
	number("Hard Link Bytes", "HARDLINKBYTES")
	line("Creation Time", ctime(n.Filetime("CREATIONTIME")))
	line("Last Modification Time", ctime(n.Filetime("LASTMODIFICATIONTIME")))
	if n.Child("WINDOWS") != nil {
		line("Architecture", archWord(n.Number("WINDOWS", "ARCH")))
	}
	some("Product Name", "WINDOWS", "PRODUCTNAME")
	some("Edition ID", "WINDOWS", "EDITIONID")
	some("Installation Type", "WINDOWS", "INSTALLATIONTYPE")
	some("HAL", "WINDOWS", "HAL")
	some("Product Type", "WINDOWS", "PRODUCTTYPE")
	some("Product Suite", "WINDOWS", "PRODUCTSUITE")
	if langs := n.Child("WINDOWS", "LANGUAGES"); langs != nil {
		var all strings.Builder
		for _, c := range langs.Children {
			if c.Name == "LANGUAGE" {
				all.WriteString(c.Content() + " ")
			}
		}
		line("Languages", all.String())
		some("Default Language", "WINDOWS", "LANGUAGES", "DEFAULT")
	}
	some("System Root", "WINDOWS", "SYSTEMROOT")
	if n.Child("WINDOWS", "VERSION") != nil {
		number("Major Version", "WINDOWS", "VERSION", "MAJOR")
		number("Minor Version", "WINDOWS", "VERSION", "MINOR")
		number("Build", "WINDOWS", "VERSION", "BUILD")
		number("Service Pack Build", "WINDOWS", "VERSION", "SPBUILD")
		number("Service Pack Level", "WINDOWS", "VERSION", "SPLEVEL")
	}
	some("Flags", "FLAGS")
	boot := "no"
	if n.Number("WIMBOOT") != 0 {
		boot = "yes"
	}
	line("WIMBoot compatible", boot)
	fmt.Fprintln(w)
}

// archWord names a processor as wimlib-imagex does. A missing number counts as 0.
func archWord(n uint64) string {
	switch n {
	case 0:
		return "x86"
	case 1:
		return "MIPS"
	case 5:
		return "ARM"
	case 6:
		return "ia64"
	case 9:
		return "x86_64"
	case 12:
		return "ARM64"
	}
	return "unknown"
}

// ctime formats a time as wimlib-imagex does: Sat Nov 21 03:56:27 2026 UTC.
func ctime(t format.Filetime) string { return t.Time().Format("Mon Jan 02 15:04:05 2006 UTC") }

// printHeader prints the header field by field, as wimlib-imagex does.
func printHeader(w io.Writer, h format.Header) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-28s= %s\n", name, fmt.Sprintf(format, args...))
	}
	line("Magic Characters", "%s", strings.ReplaceAll(string(h.Magic[:]), "\x00", `\0`))
	line("Header Size", "%d", h.Size)
	line("Version", "0x%x", h.Version)
	line("Flags", "0x%x", h.Flags)
	for _, f := range []struct {
		bit  uint32
		name string
	}{
		{format.FlagReserved, "RESERVED"}, {format.FlagCompression, "COMPRESSION"}, {format.FlagReadOnly, "READONLY"}, {format.FlagSpanned, "SPANNED"},
		{format.FlagResourceOnly, "RESOURCE_ONLY"}, {format.FlagMetadataOnly, "METADATA_ONLY"}, {format.FlagWriteInProgress, "WRITE_IN_PROGRESS"},
		{format.FlagReparseFixup, "RP_FIX"}, {0x10000, "COMPRESS_RESERVED"}, {format.FlagXPRESS, "COMPRESS_XPRESS"}, {format.FlagLZX, "COMPRESS_LZX"},
		{format.FlagLZMS, "COMPRESS_LZMS"}, {format.FlagXPRESS2, "COMPRESS_XPRESS_2"},
	} {
		if h.Flags&f.bit != 0 {
			fmt.Fprintf(w, "    WIM_HDR_FLAG_%s is set\n", f.name)
		}
	}
	line("Chunk Size", "%d", h.ChunkSize)
	line("GUID", "%s", hex.EncodeToString(h.GUID[:]))
	line("Part Number", "%d", h.PartNumber)
	line("Total Parts", "%d", h.TotalParts)
	line("Image Count", "%d", h.ImageCount)
	res := func(size, flags, off, original string, r format.ResourceHeader) {
		line(size, "%d", r.PackedSize)
		line(flags, "0x%x", r.Flags)
		line(off, "%d", r.Off)
		line(original, "%d", r.Size)
	}
	res("Blob Table Size", "Blob Table Flags", "Blob Table Offset", "Blob Table Original_size", h.BlobTable)
	res("XML Data Size", "XML Data Flags", "XML Data Offset", "XML Data Original Size", h.XML)
	res("Boot Metadata Size", "Boot Metadata Flags", "Boot Metadata Offset", "Boot Metadata Original Size", h.BootMetadata)
	line("Boot Index", "%d", h.BootIndex)
	res("Integrity Size", "Integrity Flags", "Integrity Offset", "Integrity Original_size", h.Integrity)
}

// printBlobs lists the metadata resources of the named part in the order of its table, and then its blobs in the order in
// which wimlib-imagex iterates them: that of a hash table with as many slots as the blob table has entries, rounded up to a
// power of two, indexed by the first eight bytes of a hash, with the latest entry of a slot first.
func (t *tool) printBlobs(a *opened) error {
	h := a.hdr.BlobTable
	slots := uint64(1)
	for slots < h.Size/format.BlobEntrySize {
		slots *= 2
	}
	const most = 1 << 30
	if h.Flags&format.ResCompressed == 0 && h.PackedSize <= most {
		b := make([]byte, h.PackedSize)
		if _, err := a.files[0].ReadAt(b, int64(h.Off)); err != nil {
			return coded(exitRead, err)
		}
		for ; len(b) >= format.BlobEntrySize; b = b[format.BlobEntrySize:] {
			e, err := format.ParseBlobEntry(b)
			if err != nil {
				return err
			}
			if e.Resource.Flags&format.ResMetadata == 0 {
				continue
			}
			fmt.Fprintf(t.stdout, "Hash              = 0x%x\nUncompressed size = %d bytes\nCompressed size   = %d bytes\nOffset in WIM     = %d bytes\n"+
				"Part Number       = %d\nReference Count   = %d\nFlags             = %s\n\n",
				e.Hash, e.Resource.Size, e.Resource.PackedSize, e.Resource.Off, e.Part, e.RefCount, resourceFlags(e.Resource.Flags))
		}
	}
	list := slices.DeleteFunc(a.Store().Blobs(), func(b blobs.Blob) bool { return a.partNumber(b.Part) != int(a.hdr.PartNumber) })
	slot := func(b *blobs.Blob) uint64 { return binary.LittleEndian.Uint64(b.Hash[:]) & (slots - 1) }
	slices.SortFunc(list, func(x, y blobs.Blob) int { return cmp.Or(cmp.Compare(slot(&x), slot(&y)), cmp.Compare(y.ID, x.ID)) })
	for _, b := range list {
		a.printBlob(t.stdout, b)
		fmt.Fprintln(t.stdout)
	}
	return nil
}

func resourceFlags(f uint8) string {
	var s strings.Builder
	for _, x := range []struct {
		bit  uint8
		name string
	}{{format.ResCompressed, "COMPRESSED"}, {format.ResMetadata, "METADATA"}, {format.ResFree, "FREE"}, {format.ResSpanned, "SPANNED"}, {format.ResSolid, "SOLID"}} {
		if f&x.bit != 0 {
			s.WriteString("WIM_RESHDR_FLAG_" + x.name + "  ")
		}
	}
	return s.String()
}

// printBlob prints where a blob is stored.
func (a *opened) printBlob(w io.Writer, b blobs.Blob) {
	s := a.Store().Stored(b)
	fmt.Fprintf(w, "Hash              = 0x%s\nUncompressed size = %d bytes\n", b.Hash, b.Size)
	flags := ""
	if s.Solid {
		flags = resourceFlags(format.ResSolid)
		fmt.Fprintf(w, "Solid resource    = %d => %d bytes @ offset %d\nSolid offset      = %d bytes\n", a.solidSize(s), s.PackedSize, s.Off, s.SolidOff)
	} else {
		if s.Codec != format.None && s.ChunkSize != 0 {
			flags = resourceFlags(format.ResCompressed)
		}
		fmt.Fprintf(w, "Compressed size   = %d bytes\nOffset in WIM     = %d bytes\n", s.PackedSize, s.Off)
	}
	fmt.Fprintf(w, "Part Number       = %d\nReference Count   = %d\nFlags             = %s\n", a.partNumber(b.Part), b.RefCount, flags)
}

// solidSize returns the unpacked size of the solid resource that holds a blob.
func (a *opened) solidSize(s blobs.Stored) uint64 {
	b := make([]byte, format.SolidHeaderSize)
	if _, err := a.Store().Source()[s.Part].ReadAt(b, s.Off); err != nil {
		return 0
	}
	h, err := format.ParseSolidHeader(b)
	if err != nil {
		return 0
	}
	return h.Size
}

func (a *opened) partNumber(i int) int {
	info := a.Info()
	if i < len(info.Parts) {
		return info.Parts[i].Number
	}
	if i -= len(info.Parts); i < len(info.References) {
		return info.References[i].Number
	}
	return 0
}
