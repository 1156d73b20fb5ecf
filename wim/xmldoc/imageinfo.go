package xmldoc

import (
	"strconv"
	"strings"

	"wimscope/wim/format"
)

// ImageInfo is an image as described by the XML document. Some program wrote its counts and times, which may be wrong. What
// is missing in the document is zero.
type ImageInfo struct {
	Index              int // from 1
	Name               string
	Description        string
	DisplayName        string
	DisplayDescription string
	Flags              string
	Edition            string
	InstallationType   string
	ProductName        string
	ProductType        string
	ProductSuite       string
	HAL                string
	Arch               string // "x86", "x64", "ARM64", …
	Languages          []string
	DefaultLanguage    string
	Version            string // "10.0.19041.1"; Archive.ImageVersion reads it from the image itself
	Branch             string
	ServicePack        string // level
	SystemRoot         string
	Dirs               int64
	Files              int64
	Bytes              int64
	HardLinkBytes      int64
	Created            format.Filetime
	Modified           format.Filetime
	Boot               bool
	WIMBoot            bool
	Problem            string // why its tree cannot be read, "" if it can or has not been tried
}

// ReadImageInfo reads an IMAGE element.
func ReadImageInfo(n *Node) ImageInfo {
	w := n.Child("WINDOWS")
	info := ImageInfo{
		Name:               n.Content("NAME"),
		Description:        n.Content("DESCRIPTION"),
		DisplayName:        n.Content("DISPLAYNAME"),
		DisplayDescription: n.Content("DISPLAYDESCRIPTION"),
		Flags:              n.Content("FLAGS"),
		Edition:            w.Content("EDITIONID"),
		InstallationType:   w.Content("INSTALLATIONTYPE"),
		ProductName:        w.Content("PRODUCTNAME"),
		ProductType:        w.Content("PRODUCTTYPE"),
		ProductSuite:       w.Content("PRODUCTSUITE"),
		HAL:                w.Content("HAL"),
		DefaultLanguage:    w.Content("LANGUAGES", "DEFAULT"),
		Branch:             w.Word("VERSION", "BRANCH"),
		ServicePack:        w.Word("VERSION", "SPLEVEL"),
		SystemRoot:         w.Content("SYSTEMROOT"),
		Dirs:               Number(n.Word("DIRCOUNT")),
		Files:              Number(n.Word("FILECOUNT")),
		Bytes:              Number(n.Word("TOTALBYTES")),
		HardLinkBytes:      Number(n.Word("HARDLINKBYTES")),
		Created:            n.Filetime("CREATIONTIME"),
		Modified:           n.Filetime("LASTMODIFICATIONTIME"),
		WIMBoot:            n.Number("WIMBOOT") != 0,
	}
	if arch := w.Word("ARCH"); arch != "" {
		info.Arch = archName(arch)
	}
	if langs := w.Child("LANGUAGES"); langs != nil {
		for _, c := range langs.Children {
			if c.Name == "LANGUAGE" {
				info.Languages = append(info.Languages, c.Content())
			}
		}
	}
	if v := w.Child("VERSION"); v != nil {
		var parts []string
		for _, name := range []string{"MAJOR", "MINOR", "BUILD", "SPBUILD"} {
			s := v.Word(name)
			if s == "" {
				break
			}
			parts = append(parts, s)
		}
		info.Version = strings.Join(parts, ".")
	}
	return info
}

// archName names a processor by its PROCESSOR_ARCHITECTURE number.
func archName(n string) string {
	switch n {
	case "0":
		return "x86"
	case "1":
		return "MIPS"
	case "2":
		return "Alpha"
	case "3":
		return "PowerPC"
	case "5":
		return "ARM"
	case "6":
		return "ia64"
	case "9":
		return "x64"
	case "12":
		return "ARM64"
	}
	return "processor " + n
}

// Number parses a count. It returns 0 if s is not a number.
func Number(s string) int64 {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 0 {
		return 0
	}
	return v
}
