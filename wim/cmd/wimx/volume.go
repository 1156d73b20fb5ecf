package main

import (
	"io"
	"io/fs"
	"os"
)

// ntfsVolume says that a file or block device holds an NTFS volume: its boot sector has the file system's name at 3,
// see [MS-FSCC] and any description of NTFS.
func ntfsVolume(name string, mode fs.FileMode) bool {
	if !mode.IsRegular() && mode.Type() != fs.ModeDevice {
		return false // others may wait for somebody when they are opened
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

// targetFolder refuses what no image can be written to, before anything is done. What is not there will be made.
func targetFolder(name string) error {
	fi, err := os.Stat(name)
	switch {
	case err != nil || fi.IsDir():
		return nil
	case ntfsVolume(name, fi.Mode()):
		return codef(exitUnsupported, "%q holds an NTFS volume, and this program does not write NTFS volumes\n"+
			"       Mount it (mount -t ntfs3, or ntfs-3g) and give the folder where it is mounted, or use wimlib-imagex\n"+
			"       or DISM: they write security descriptors, named streams, attributes and short names too.", name)
	case fi.Mode().Type() == fs.ModeDevice:
		return codef(exitUnsupported, "%q is a block device, and this program writes into folders only\n"+
			"       Format and mount it, and give the folder where it is mounted.", name)
	}
	return codef(exitNotDirectory, "%q is not a folder: an image is written into one", name)
}

// sourceFolder refuses what is no root for an image, before it is scanned.
func sourceFolder(name string) error {
	fi, err := os.Stat(name)
	switch {
	case err != nil || fi.IsDir():
		return nil
	case ntfsVolume(name, fi.Mode()):
		return codef(exitUnsupported, "%q holds an NTFS volume, and this program does not read NTFS volumes\n"+
			"       Mount it (mount -t ntfs3, or ntfs-3g) and capture the folder where it is mounted, or use wimlib-imagex\n"+
			"       or DISM: they read security descriptors, named streams, attributes and short names too.", name)
	}
	return codef(exitNotDirectory, "%q is not a folder, so that it cannot become the root of an image; --source-list has places for single files", name)
}
