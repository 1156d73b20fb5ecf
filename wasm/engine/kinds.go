package engine

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
)

// fileType returns a short description of a file's type. It goes by the first bytes, then by the name, and returns ""
// if neither is known. whole reports whether head is the whole file.
func fileType(name string, head []byte, whole bool) string {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	switch {
	case has(0, "MZ"):
		return executable(head, ext)
	case has(0, "\x7fELF"):
		return "Linux program"
	case has(0, "MSWIM\x00\x00\x00"), has(0, "WLPWM\x00\x00\x00"):
		return "WIM archive"
	case has(0, "MSCF"):
		return "Cabinet archive"
	case has(0, "PK\x03\x04"):
		return "ZIP archive"
	case has(0, "7z\xbc\xaf\x27\x1c"):
		return "7-Zip archive"
	case has(0, "\x1f\x8b"):
		return "Gzip archive"
	case has(0, "regf"):
		return "Registry hive"
	case has(0, "%PDF-"):
		return "PDF document"
	case has(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		if ext == "msi" || ext == "msp" {
			return "Windows Installer package"
		}
		return "Compound document"
	case has(0, "\x00\x01\x00\x00\x00"), has(0, "OTTO"), has(0, "ttcf"):
		return "Font"
	case has(0, "RIFF") && has(8, "WAVE"):
		return "Sound"
	case has(0, "RIFF") && has(8, "AVI "):
		return "Video"
	case has(0, "ITSF"):
		return "Compiled HTML help"
	case has(0, "DCM\x01"), has(0, "PA30"), has(0, "DCN\x01"), has(0, "DCS\x01"), has(0, "DCD\x01"):
		return "Compressed manifest"
	case has(0, "ElfFile\x00"):
		return "Event log"
	}
	switch pictureType(head) {
	case "image/png":
		return "PNG picture"
	case "image/jpeg":
		return "JPEG picture"
	case "image/gif":
		return "GIF picture"
	case "image/bmp":
		return "Bitmap"
	case "image/webp":
		return "WebP picture"
	case "image/x-icon":
		return "Icon"
	case "image/avif":
		return "AVIF picture"
	}
	if t := typeByName[ext]; t != "" {
		return t
	}
	if len(head) == 0 {
		return ""
	}
	enc := detect(head, whole)
	if enc == "" {
		return ""
	}
	if text, _ := decodeText(head, 0, enc, whole); isMarkup(text) {
		return "XML document"
	}
	return "Text, " + enc
}

// executable returns the type of a PE file, from its headers and extension. [PE format] "COFF File Header".
func executable(head []byte, ext string) string {
	const unknown = "MS-DOS program"
	if len(head) < 0x40 {
		return unknown
	}
	at := int64(binary.LittleEndian.Uint32(head[0x3c:]))
	if at+26 > int64(len(head)) || !bytes.Equal(head[at:at+4], []byte("PE\x00\x00")) {
		return unknown
	}
	what := "Windows program"
	if flags := binary.LittleEndian.Uint16(head[at+22:]); flags&0x2000 != 0 {
		what = "Windows library"
	}
	switch ext {
	case "sys":
		what = "Windows driver"
	case "efi":
		what = "EFI program"
	case "mui":
		what = "Language resources"
	case "scr":
		what = "Screen saver"
	case "cpl":
		what = "Control panel item"
	}
	switch binary.LittleEndian.Uint16(head[at+4:]) {
	case 0x014c:
		return what + ", x86"
	case 0x8664:
		return what + ", x64"
	case 0x01c0, 0x01c4:
		return what + ", ARM"
	case 0xaa64:
		return what + ", ARM64"
	case 0x0200:
		return what + ", Itanium"
	}
	return what
}

// typeByName maps an extension to a type, for files that the first bytes do not identify.
var typeByName = map[string]string{
	"txt": "Text", "log": "Log", "ini": "Settings", "inf": "Setup information", "xml": "XML document", "manifest": "Manifest",
	"mum": "Update package", "cat": "Security catalogue", "htm": "Web page", "html": "Web page", "css": "Style sheet",
	"js": "Script", "vbs": "Script", "ps1": "PowerShell script", "psm1": "PowerShell module", "psd1": "PowerShell data",
	"cmd": "Batch file", "bat": "Batch file", "reg": "Registry file", "json": "JSON", "svg": "SVG picture",
	"lnk": "Shortcut", "url": "Internet shortcut", "dat": "Data", "evtx": "Event log", "etl": "Trace log", "pnf": "Precompiled setup information",
	"nls": "Language data", "mof": "Management schema", "admx": "Policy template", "adml": "Policy texts", "xsl": "Style sheet",
	"wim": "WIM archive", "esd": "WIM archive", "swm": "WIM archive, split", "cer": "Certificate", "rtf": "Rich text", "sh": "Script", "md": "Text",
}
