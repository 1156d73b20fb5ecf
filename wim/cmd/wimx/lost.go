package main

import (
	"errors"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
)

// What apply and extract, to a folder and to a ZIP or TAR, select and report in the same way.

// pick selects the entries that paths named: without their structure each goes to the top, under its own name.
func pick(sel *extract.Selection, nodes []wim.Node, keep []bool) {
	bases := make([]wim.Node, len(nodes))
	for i, n := range nodes {
		if !keep[i] {
			bases[i] = sel.Image.Parent(n)
		}
	}
	sel.SetRoots(nodes, bases)
}

// damageError returns the error for a damaged file or link.
func damageError(path, why string) error {
	return hinted{codef(exitHash, "%q is damaged: %s", path, why), "--recover-data writes what can be read of it"}
}

// unreadable returns the error for a content or link data that cannot be read.
func unreadable(arc *wim.Archive, im *wim.Image, n wim.Node, err error) error {
	if !errors.Is(err, blobs.ErrMissing) {
		return err
	}
	hash := format.Hash{}
	if e := (*blobs.MissingError)(nil); errors.As(err, &e) {
		hash = e.Hash
	}
	return missingError(arc, im, n, hash)
}

// missingContent returns an error if no open archive has the blob.
func missingContent(arc *wim.Archive, im *wim.Image, n wim.Node, h format.Hash) error {
	if _, ok := arc.Store().Blob(h); ok || h.IsZero() {
		return nil
	}
	return missingError(arc, im, n, h)
}

func missingError(arc *wim.Archive, im *wim.Image, n wim.Node, h format.Hash) error {
	hint := "If this is a delta WIM, use the --ref argument to specify the WIM(s) on which it is based."
	if len(arc.Info().Missing) > 0 {
		hint = "This is part of a split WIM. Use --ref to specify the other parts."
	}
	return codef(exitMissingContent, "%s: blob %s not found\n       %s", nativePath(im, n), h, hint)
}

// warnLost reports what was not written, to files or, with packed, to a ZIP or TAR.
func (t *tool) warnLost(l *extract.LostFacts, packed bool) {
	unix, xattrs := "UNIX metadata (uid/gid/mode/rdev) of %d files\n          (use --unix-data mode to extract these)", "extended attributes of %d files\n          (use --unix-data mode to extract these)"
	if packed {
		unix, xattrs = "UNIX owners and devices of %d files", "extended attributes of %d files"
	}
	for _, x := range []struct {
		n    int
		what string
	}{
		{l.Encrypted, "Ignoring EFS-encrypted data of %d files\n          (these files are empty now; only Windows can decrypt them, on NTFS)"},
		{l.EncryptedFolders, "Ignoring FILE_ATTRIBUTE_ENCRYPTED of %d directories"}, {l.Streams, "Ignoring named data streams of %d files"},
		{l.ReadOnly, "Ignoring FILE_ATTRIBUTE_READONLY of %d files"}, {l.Hidden, "Ignoring FILE_ATTRIBUTE_HIDDEN of %d files"},
		{l.System, "Ignoring FILE_ATTRIBUTE_SYSTEM of %d files"}, {l.Reparse, "Ignoring reparse data of %d non-symlink/junction files"},
		{l.Security, "Ignoring Windows NT security descriptors of %d files"},
		{l.Unix, "Ignoring " + unix}, {l.Xattrs, "Ignoring " + xattrs},
		{l.ObjectIDs, "Ignoring object IDs of %d files"}, {l.ShortNames, "Ignoring DOS names of %d files"},
	} {
		if x.n > 0 {
			t.warn(x.what, x.n)
		}
	}
}
