package write

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// withBlocks appends an integrity table with another block size to an archive.
func withBlocks(t *testing.T, b []byte, size int) []byte {
	t.Helper()
	h, err := format.ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	covered := b[format.HeaderSize : h.BlobTable.Off+h.BlobTable.PackedSize]
	var table format.IntegrityTable
	for block := range slices.Chunk(covered, size) {
		table.Hashes = append(table.Hashes, sha1.Sum(block))
	}
	table.Count, table.ChunkSize = uint32(len(table.Hashes)), uint32(size)
	table.Size = 12 + 20*table.Count
	raw := table.Append(nil)
	h.Integrity = format.ResourceHeader{PackedSize: uint64(len(raw)), Off: uint64(len(b)), Size: uint64(len(raw))}
	return append(h.Append(nil), append(b[format.HeaderSize:len(b):len(b)], raw...)...)
}

// TestIntegrityBeforeChange checks that a change in place does not give damaged bytes a new hash: it fails before it writes
// anything, or keeps the old hash of the block.
func TestIntegrityBeforeChange(t *testing.T) {
	files := map[string][]byte{"/a": bytes.Repeat([]byte("some text "), 3000), "/b": bytes.Repeat([]byte("b"), 5000)}
	small, _ := write(t, fileBuilder(t, files), &Options{Integrity: true}, files, 1)
	big := map[string][]byte{"/big": make([]byte, 2*integrityBlock+5000)}
	large, _ := write(t, fileBuilder(t, big), &Options{Integrity: true}, big, 1)
	more := map[string][]byte{"/more": []byte("more")}

	for _, c := range []struct {
		name   string
		b      []byte
		damage int // offset of the byte that is changed
		block  int // the block reported; -1: none, the block keeps its old hash
	}{
		{"the only block", small, 300, 0},
		{"the last of many small blocks", withBlocks(t, small, 4096), 0x8000, 7},
		{"the first of many small blocks", withBlocks(t, small, 4096), 300, 0},
		{"a whole block", large, 300, -1},
		{"the last block", large, 2*integrityBlock + 4000, 2},
	} {
		for _, how := range []struct {
			name string
			plan func(*Builder, *Options) (*Plan, error)
		}{{"append", (*Builder).PlanAppend}, {"compact", (*Builder).PlanCompact}} {
			for _, integrity := range []bool{true, false} {
				bad := slices.Clone(c.b)
				bad[c.damage] ^= 1
				e := editing(t, bad)
				if _, err := e.AddDraft(fileDraft(t, more), nil); err != nil {
					t.Fatal(err)
				}
				p, err := how.plan(e, &Options{Integrity: integrity})
				if err != nil {
					t.Fatal(err)
				}
				w := &writes{start: bad}
				live := &liveFile{w: w}
				live.B = slices.Clone(bad)
				p.archives[0].Store().Parts[0].R = live
				_, err = Run(context.Background(), p, memContents{func() *Plan { return p }, more}, live, nil)
				var ie *blobs.IntegrityError
				switch {
				case !integrity:
					if err != nil {
						t.Errorf("%s, %s without a table: %v", c.name, how.name, err)
					}
				case c.block >= 0:
					if !errors.As(err, &ie) || ie.Block != c.block || int64(c.damage) < ie.Off || int64(c.damage) >= ie.End || !errors.Is(err, format.ErrChecksum) {
						t.Errorf("%s, %s: %v", c.name, how.name, err)
					}
					if !bytes.Equal(live.B, bad) {
						t.Errorf("%s, %s: the archive was changed", c.name, how.name)
					}
				case how.name == "append":
					if err != nil {
						t.Fatal(err)
					}
					if r := jobtest.Verify(t, archivetest.OpenWritten(t, live.B), 1); r.Integrity[0].State != "bad" {
						t.Errorf("%s, %s: the integrity table is %q", c.name, how.name, r.Integrity[0].State)
					}
				}
			}
		}
	}
	// An undamaged archive can be changed, whatever the block size.
	e := editing(t, withBlocks(t, small, 4096))
	if _, err := e.AddDraft(fileDraft(t, more), nil); err != nil {
		t.Fatal(err)
	}
	p, err := e.PlanAppend(&Options{Integrity: true})
	if err != nil {
		t.Fatal(err)
	}
	m := archivetest.MemFile{B: withBlocks(t, small, 4096)}
	run(t, p, more, &m, nil)
	jobtest.Sound(t, m.B, true)
}
