package main

import (
	"io"
	"io/fs"
	"os"
)

// ntfsVolume reports whether a file or block device holds an NTFS volume: the OEM ID at offset 3 of its boot sector is "NTFS".
func ntfsVolume(name string, mode fs.FileMode) bool {
	if !mode.IsRegular() && mode.Type() != fs.ModeDevice {
		return false // opening anything else may block
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	var b [11]byte
	_, err = io.ReadFull(f, b[:])
	return err == nil && string(b[3:]) == "NTFS    "
}

// targetFolder refuses a target to which an image cannot be written, before anything is done. A missing folder will be
// created.
func targetFolder(name string) error {
	fi, err := os.Stat(name)
	switch {
	case err != nil || fi.IsDir():
		return nil
	case ntfsVolume(name, fi.Mode()):
		return codef(exitUnsupported, "%q holds an NTFS volume, and wimx does not write NTFS volumes\n"+
			"       Mount it (mount -t ntfs3, or ntfs-3g) and give the folder where it is mounted, or use wimlib-imagex\n"+
			"       or DISM: they write security descriptors, named streams, attributes and short names too.", name)
	case fi.Mode().Type() == fs.ModeDevice:
		return codef(exitUnsupported, "%q is a block device, and wimx writes to folders only\n"+
			"       Format and mount it, and give the folder where it is mounted.", name)
	}
	return codef(exitNotDirectory, "%q is not a folder: an image is applied to a folder", name)
}

// sourceFolder refuses a source that cannot become the root of an image, before it is scanned.
func sourceFolder(name string) error {
	fi, err := os.Stat(name)
	switch {
	case err != nil || fi.IsDir():
		return nil
	case ntfsVolume(name, fi.Mode()):
		return codef(exitUnsupported, "%q holds an NTFS volume, and wimx does not read NTFS volumes\n"+
			"       Mount it (mount -t ntfs3, or ntfs-3g) and capture the folder where it is mounted, or use wimlib-imagex\n"+
			"       or DISM: they read security descriptors, named streams, attributes and short names too.", name)
	}
	return codef(exitNotDirectory, "%q is not a folder, so it cannot become the root of an image; use --source-list to capture single files", name)
}
