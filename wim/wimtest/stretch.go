package wimtest

import (
	"errors"
	"fmt"
	"io"
	"os"

	"wimscope/wim/format"
)

// Stretch copies the archive src to dst and inserts gap unused bytes after its header. They are a hole in the file, so an archive of any
// length takes no more space on disk. The copy has no integrity table. Pipable archives, and those whose blob table is packed, cannot be
// stretched.
func Stretch(dst, src string, gap int64) (err error) {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	head := make([]byte, format.HeaderSize)
	if _, err := io.ReadFull(in, head); err != nil {
		return err
	}
	h, err := format.ParseHeader(head)
	if err != nil {
		return err
	}
	if _, _, pipable, _ := format.Probe(head); pipable || h.BlobTable.Flags&format.ResCompressed != 0 {
		return fmt.Errorf("stretch %s: the archive is pipable, or its blob table is packed", src)
	}
	table := make([]byte, h.BlobTable.Size)
	if _, err := in.ReadAt(table, int64(h.BlobTable.Off)); err != nil {
		return err
	}
	var moved []byte
	for at := 0; at+format.BlobEntrySize <= len(table); at += format.BlobEntrySize {
		e, err := format.ParseBlobEntry(table[at : at+format.BlobEntrySize])
		if err != nil {
			return err
		}
		// The offset of a blob in a solid resource counts from the start of that resource, and does not change.
		if r := &e.Resource; r.Flags&format.ResSolid == 0 || r.Size == format.SolidMagicSize {
			r.Off += uint64(gap)
		}
		moved = e.Append(moved)
	}
	for _, r := range []*format.ResourceHeader{&h.BlobTable, &h.XML, &h.BootMetadata} {
		if !r.IsZero() {
			r.Off += uint64(gap)
		}
	}
	h.Integrity = format.ResourceHeader{}

	out, err := os.Create(dst)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := out.WriteAt(h.Append(nil), 0); err != nil {
		return err
	}
	if _, err := in.Seek(format.HeaderSize, io.SeekStart); err != nil {
		return err
	}
	if _, err := out.Seek(format.HeaderSize+gap, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	_, err = out.WriteAt(moved, int64(h.BlobTable.Off))
	return err
}
