//go:build !js

package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/write"
)

// noLoss lists the changes after which a result may differ although nothing was reported: the changed bytes have no checksum,
// neither in the archive nor, except for the first, in an integrity table, and no second copy. What is never shown is not
// compared at all: GUID, boot index, read-only and other flags that do not affect how bytes are read, reserved bytes, the
// metadata resource of the boot image, reference counts, and the XML document with the names and descriptions of images.
var noLoss = []struct {
	what string
	op   string
	off  int  // offset in the header that is used
	mask byte // of the byte there
	why  string
}{
	{"flag that links were fixed", "apply", 0x10, format.FlagReparseFixup, "apply leads absolute links into the target folder or not, by this bit alone; links and data stay as they are"},
}

// flipForms has small archives for every way of packing.
var flipForms = []struct {
	name string
	o    write.Options
}{
	{"none", write.Options{}},
	{"XPRESS", write.Options{Codec: format.XPRESS, ChunkSize: 4 << 10}},
	{"LZX, integrity table", write.Options{Codec: format.LZX, Integrity: true}},
	{"LZMS", write.Options{Codec: format.LZMS, ChunkSize: 32 << 10}},
	{"LZMS solid", write.Options{Codec: format.LZMS, ChunkSize: 32 << 10, Solid: true, SolidCodec: format.LZMS, SolidChunkSize: 32 << 10}},
	{"XPRESS, pipable", write.Options{Codec: format.XPRESS, ChunkSize: 4 << 10, Pipable: true}},
}

// flipArchive makes an archive of two images, with everything that an entry may have.
func flipArchive(t *testing.T, o write.Options) []byte {
	t.Helper()
	text := strings.Repeat("a line of a text that packs well\r\n", 150)
	unix := binary.LittleEndian.AppendUint32(nil, 1000)
	for _, n := range []uint32{1001, 0o100640, 0} {
		unix = binary.LittleEndian.AppendUint32(unix, n)
	}
	link := func(name, target string, relative bool) *wimtest.HandEntry {
		return &wimtest.HandEntry{Name: name, Attrs: 0x400, Tag: format.TagSymlink, Data: wimtest.SymlinkData(target, target, relative), Modified: 133594672891234567}
	}
	first := wimtest.Folder("", &wimtest.HandEntry{
		Name: "dir", Security: 1, Attrs: 0x12, Dir: true, Created: 133000000000000000, Accessed: 133100000000000000, Modified: 133200000000000000,
		Children: []*wimtest.HandEntry{wimtest.TextFile("in", "short"), link("up", `..\file`, true)},
	},
		&wimtest.HandEntry{Name: "file", Short: "FILE~1", Data: []byte(text), Link: 7, Modified: 133594672891234567, Attrs: 0x21,
			Items: []wimtest.HandItem{{Tag: format.TagObjectID, Data: bytes.Repeat([]byte{5}, 16)}, {Tag: 0x337dd873, Data: unix}}},
		&wimtest.HandEntry{Name: "again", Data: []byte(text), Link: 7, Modified: 133594672891234567, Attrs: 0x21},
		&wimtest.HandEntry{Name: "streams", Data: []byte("content"), Streams: []wimtest.HandStream{{Name: "stream", Data: []byte("of a stream")}}},
		link("root", `\??\C:\dir`, false),
		&wimtest.HandEntry{Name: "junction", Attrs: 0x410, Tag: format.TagMountPoint, Data: wimtest.JunctionData(`\??\C:\dir`, `C:\dir`)},
		wimtest.TextFile("empty", ""),
	)
	second := wimtest.Folder("", wimtest.TextFile("file", text), wimtest.TextFile("other", "another"))
	h := wimtest.One(first, []byte{1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 2, 0, 8, 0, 0, 0, 0, 0})
	h.Metadata = append(h.Metadata, wimtest.HandMeta{Data: wimtest.HandMetadata(second, nil), RefCount: 1})
	h.Blobs = append(h.Blobs, &wimtest.HandBlob{Data: []byte("another"), Hash: sha1.Sum([]byte("another")), RefCount: 1})
	h.Flags |= format.FlagReparseFixup
	h.XML = `<WIM><IMAGE INDEX="1"><NAME>one</NAME></IMAGE><IMAGE INDEX="2"><NAME>two</NAME></IMAGE></WIM>`
	a := flipOpen(t, h.Bytes())
	e, err := write.Of(a)
	if err != nil {
		t.Fatal(err)
	}
	o.Level, o.SolidLevel, o.GUID = 1, 1, [16]byte{1, 2, 3}
	b, err := written(e.PlanWrite(&o))
	if err != nil {
		t.Fatal(err)
	}
	return b[0]
}

func flipOpen(t *testing.T, parts ...[]byte) *wim.Archive {
	t.Helper()
	a, err := openAll(parts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func openAll(parts ...[]byte) (*wim.Archive, error) {
	var list []blobs.Part
	for i, b := range parts {
		list = append(list, blobs.Part{Name: fmt.Sprintf("part %d", i+1), R: bytes.NewReader(b), Size: int64(len(b))})
	}
	return wim.Open(list, &blobs.Options{MaxMemory: 64 << 20})
}

// memory is a file in memory.
type memory struct{ b []byte }

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if end := int(off) + len(p); end > len(m.b) {
		m.b = append(m.b, make([]byte, end-len(m.b))...)
	}
	return copy(m.b[off:], p), nil
}

func (m *memory) Truncate(size int64) error {
	m.b = m.b[:size]
	return nil
}

// written runs a plan and returns the parts.
func written(p *write.Plan, err error) ([][]byte, error) {
	if err != nil {
		return nil, err
	}
	var parts []*memory
	_, err = write.RunSplit(context.Background(), p, nil, func(int) (io.WriterAt, error) {
		parts = append(parts, &memory{})
		return parts[len(parts)-1], nil
	}, nil)
	var out [][]byte
	for _, m := range parts {
		out = append(out, m.b)
	}
	return out, err
}

// facts returns everything in the images of an archive, as a reader gets it: contents are read and checked.
func facts(a *wim.Archive) (string, error) {
	var b strings.Builder
	for i := range a.Images() {
		im, err := a.Image(i + 1)
		if err != nil {
			return "", err
		}
		losses, _ := im.Losses()
		fmt.Fprintf(&b, "image %d %v %q\n", i+1, losses, im.Warnings())
		for n := wim.Node(0); int(n) < im.Len(); n++ {
			unix, _ := im.Items(n).UnixData()
			fmt.Fprintf(&b, "%s %x %d %d %d %q %x %x %v %v %v %d %x %v\n", im.Path(n), im.Attributes(n), im.Created(n), im.Accessed(n), im.Modified(n), im.ShortName(n),
				im.Security(n), im.Items(n).ObjectID(), unix, im.Items(n).Xattrs(), im.Items(n).Unknown(), im.FirstHardLink(n), im.ReparseTag(n), im.Dentry(n).ReparseFixed())
		}
		im.EachStream(0, wim.Node(im.Len()), func(n wim.Node, h format.Hash, kind format.StreamKind, name []byte) bool {
			var data []byte
			if data, err = a.Store().ReadBlob(h, 1<<20); err != nil {
				return false
			}
			fmt.Fprintf(&b, "%d %d %x %d %v\n", n, kind, name, len(data), h)
			return true
		})
		if err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// flipTrial is the test of one changed archive.
type flipTrial struct {
	dir string
	o   write.Options
}

var errReported = errors.New("damage was reported")

// ops has the ways by which contents leave an archive. Each returns the output, or reports damage.
func (f *flipTrial) ops() []flipOp {
	return []flipOp{
		{"apply", func(b []byte) (string, error) { return f.program(b, "apply", "all", "TARGET") }},
		{"extract", func(b []byte) (string, error) { return f.program(b, "extract", "1", "--dest-dir=TARGET") }},
		{"ZIP", func(b []byte) (string, error) { return output(b, extract.OutputZIP) }},
		{"TAR", func(b []byte) (string, error) { return output(b, extract.OutputTAR) }},
		{"extract --zip", func(b []byte) (string, error) { return f.packed(b, extract.OutputZIP) }},
		{"extract --tar", func(b []byte) (string, error) { return f.packed(b, extract.OutputTAR) }},
		{"export", func(b []byte) (string, error) { return f.rewrite(b, false) }},
		{"recompress", func(b []byte) (string, error) { return f.rewrite(b, true) }},
		{"split and join", f.split},
	}
}

type flipOp struct {
	name string
	do   func(b []byte) (string, error)
}

// program runs wimx on an archive in a file.
func (f *flipTrial) program(b []byte, args ...string) (string, error) {
	name, target := filepath.Join(f.dir, "a.wim"), filepath.Join(f.dir, "out")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		return "", err
	}
	defer os.RemoveAll(target)
	args = append([]string{args[0], name}, args[1:]...)
	for i := range args {
		args[i] = strings.Replace(args[i], "TARGET", target, 1)
	}
	if _, errs, code := wimx(f.dir, args...); code != 0 {
		return "", fmt.Errorf("%w: status %d: %s", errReported, code, errs)
	}
	s, err := wimtest.Snap(target)
	if err != nil {
		return "", err
	}
	var out []string
	for p, x := range s {
		when := x.Time.UnixNano()
		if args[0] == "apply" && p != "." {
			// Each image has a folder, named as the XML document says, and known here by what is in it.
			image, rest, below := strings.Cut(p, "/")
			if !below {
				when = 0
			}
			number := "second"
			if s[image+"/dir"] != nil {
				number = "first"
			}
			p = number + "/" + rest
			x.Target = strings.ReplaceAll(x.Target, target+"/"+image, "TARGET")
			if x.Links != "" {
				x.Links = number + strings.TrimPrefix(x.Links, image)
			}
		}
		if p == "." {
			when = 0
		}
		out = append(out, fmt.Sprintf("%s %s %v %d %x %s %d %s", p, x.Type, x.Mode, x.Size, x.Sum, strings.ReplaceAll(x.Target, target, "TARGET"), when, x.Links))
	}
	slices.Sort(out)
	return strings.Join(out, "\n"), nil
}

// packed runs wimx for a ZIP or TAR of each image.
func (f *flipTrial) packed(b []byte, form extract.Form) (string, error) {
	name, out := filepath.Join(f.dir, "a.wim"), filepath.Join(f.dir, "out."+string(form))
	if err := os.WriteFile(name, b, 0o644); err != nil {
		return "", err
	}
	var all strings.Builder
	for _, index := range []string{"1", "2"} {
		_, errs, code := wimx(f.dir, "extract", name, index, "--"+string(form), out)
		got, err := os.ReadFile(out)
		os.Remove(out)
		switch {
		case code != 0 && err == nil:
			return fmt.Sprintf("status %d, and a file of %d bytes", code, len(got)), nil
		case code != 0:
			return "", fmt.Errorf("%w: status %d: %s", errReported, code, errs)
		case err != nil:
			return "no file", nil
		}
		all.WriteString(string(got))
	}
	return all.String(), nil
}

// output extracts both images as a page does.
func output(b []byte, form extract.Form) (string, error) {
	a, err := openAll(b)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, index := range []int{1, 2} {
		im, err := a.Image(index)
		if err != nil {
			return "", err
		}
		p, err := extract.New(a, extract.Selection{Image: im}, &extract.Options{Form: form, Streams: true})
		if err != nil {
			return "", err
		}
		m := &memory{}
		w := extract.NewZIP(m)
		if form == extract.OutputTAR {
			w = extract.NewTAR(m)
		}
		damaged, err := extract.Run(context.Background(), p, w, nil)
		if err == nil {
			_, err = w.Finish()
		}
		if n := len(damaged) + p.Refused.Count + p.Skipped.Count + p.Noted.Count; err == nil && n > 0 {
			err = fmt.Errorf("%w: %d problems", errReported, n)
		}
		if err != nil {
			return "", err
		}
		all.Write(m.b)
	}
	return all.String(), nil
}

func (f *flipTrial) rewrite(b []byte, again bool) (string, error) {
	a, err := openAll(b)
	if err != nil {
		return "", err
	}
	e := write.New()
	for _, index := range []int{1, 2} {
		if _, err := e.AddImage(a, index); err != nil {
			return "", err
		}
	}
	o := f.o
	o.Level, o.SolidLevel, o.Recompress = 1, 1, again
	return f.read(written(e.PlanWrite(&o)))
}

// read returns the facts of a written archive. If it cannot be read, that does not count as reported damage.
func (f *flipTrial) read(parts [][]byte, err error) (string, error) {
	if err != nil {
		return "", err
	}
	a, err := openAll(parts...)
	if err == nil {
		var s string
		if s, err = facts(a); err == nil {
			return s, nil
		}
	}
	return "what was written cannot be read: " + err.Error(), nil
}

func (f *flipTrial) split(b []byte) (string, error) {
	a, err := openAll(b)
	if err != nil {
		return "", err
	}
	e, err := write.Of(a)
	if err != nil {
		return "", err
	}
	parts, err := written(e.PlanSplit(1, true, nil)) // each content in a part of its own
	if err != nil {
		return "", err
	}
	if len(parts) < 4 {
		return fmt.Sprintf("%d parts", len(parts)), nil
	}
	if a, err = openAll(parts...); err != nil {
		return "the parts cannot be opened: " + err.Error(), nil
	}
	if e, err = write.Of(a); err != nil {
		return "the parts cannot be joined: " + err.Error(), nil
	}
	o := write.OptionsOf(a)
	o.Level = 1
	return f.read(written(e.PlanWrite(&o)))
}

// TestDamagedFrontHeader checks that the header at the end of a pipable archive is used, whatever the one at the front
// contains.
func TestDamagedFrontHeader(t *testing.T) {
	good := flipArchive(t, write.Options{Codec: format.XPRESS, Pipable: true})
	f := &flipTrial{dir: memoryDir(t)}
	want, err := f.program(good, "apply", "all", "TARGET")
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	bad[8] ^= 1 // its length
	if got, err := f.program(bad, "apply", "all", "TARGET"); err != nil || got != want {
		t.Errorf("%v: %s", err, firstLine(want, got))
	}
}

// TestEveryByte changes single bytes of small archives of each codec. The output must equal that of the original, or the damage is
// reported with a nonzero status, or the archive is refused. `make campaign` changes every byte, and every bit of headers and
// tables; otherwise the test takes a sample.
func TestEveryByte(t *testing.T) {
	full := os.Getenv("WIMSCOPE_CAMPAIGN") != ""
	var mu sync.Mutex
	totals := map[string]int{}
	t.Cleanup(func() {
		if full {
			t.Logf("results by kind: %v", totals)
		}
	})
	for k, form := range flipForms {
		t.Run(form.name, func(t *testing.T) {
			if full {
				t.Parallel()
			}
			good := flipArchive(t, form.o)
			a := flipOpen(t, good)
			regions := a.Store().Regions()
			f := &flipTrial{dir: memoryDir(t), o: form.o}
			ops := f.ops()
			base := make([]string, len(ops))
			for i, op := range ops {
				var err error
				if base[i], err = op.do(good); err != nil || base[i] == "" {
					t.Fatalf("%s: %v", op.name, err)
				}
			}
			var tried, reported, equal, excused, silent atomic.Int64
			try := func(off int, mask byte) {
				b := bytes.Clone(good)
				b[off] ^= mask
				tried.Add(1)
				for i, op := range ops {
					got, err := op.do(b)
					switch {
					case err != nil:
						reported.Add(1)
					case got == base[i]:
						equal.Add(1)
					case excuse(op.name, off, mask, headerAt(a, good)):
						excused.Add(1)
					default:
						if silent.Add(1) < 20 {
							t.Errorf("%s: byte 0x%x (%s) changed by %02x: the result differs, and nothing was reported:\n%s", op.name, off, regionOf(regions, int64(off)), mask, firstLine(base[i], got))
						}
					}
				}
			}
			// Strides have no factor in common with the records' sizes, so that all fields are met; each form begins elsewhere.
			const stride, tableStride = 151, 53
			for off := range good {
				table := slices.Contains([]blobs.RegionKind{blobs.RegionHeader, blobs.RegionTable, blobs.RegionIntegrity}, regionOf(regions, int64(off)))
				switch {
				case full && table:
					for bit := range 8 {
						try(off, 1<<bit)
					}
				case full, off%stride == k*53%stride, table && off%tableStride == k*7:
					try(off, 1<<((off+k)%8))
				}
			}
			t.Logf("%d bytes, %d changes, %d results: %d equal, %d reported, %d excused, %d silent", len(good), tried.Load(), int(tried.Load())*len(ops), equal.Load(), reported.Load(), excused.Load(), silent.Load())
			mu.Lock()
			defer mu.Unlock()
			for what, n := range map[string]int64{"changes": tried.Load(), "equal": equal.Load(), "reported": reported.Load(), "excused": excused.Load(), "silent": silent.Load()} {
				totals[what] += int(n)
			}
		})
	}
}

// headerAt returns the offset of the header that is used.
func headerAt(a *wim.Archive, b []byte) int {
	if write.OptionsOf(a).Pipable {
		return len(b) - format.HeaderSize
	}
	return 0
}

func excuse(op string, off int, mask byte, header int) bool {
	for _, x := range noLoss {
		if x.op == op && off-header == x.off && mask&x.mask != 0 {
			return true
		}
	}
	return false
}

func regionOf(regions []blobs.Region, off int64) blobs.RegionKind {
	for _, r := range regions {
		if off >= r.Off && off < r.Off+r.Len {
			return r.Kind
		}
	}
	return blobs.RegionUnused
}
