package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

func TestVerifySamples(t *testing.T) {
	for _, s := range wimtest.Samples() {
		if s.Outcome != wimtest.Opens && s.Outcome != wimtest.Damaged && s.Outcome != wimtest.NeedsOthers {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			a, err := wim.Open(archivetest.SampleParts(s.Parts), &blobs.Options{References: archivetest.SampleParts(s.Refs)})
			if err != nil {
				t.Fatal(err)
			}
			r := jobtest.Verify(t, a, 1)
			lacks := s.Outcome == wimtest.NeedsOthers && len(s.Refs) == 0
			if (s.Outcome != wimtest.Damaged && !lacks) != r.OK {
				t.Errorf("OK is %v:\n%s", r.OK, r.Text())
			}
			if s.Outcome == wimtest.NeedsOthers {
				alone, err := wim.Open(archivetest.SampleParts(s.Parts), nil)
				if err != nil {
					t.Fatal(err)
				}
				if r := jobtest.Verify(t, alone, 1); r.OK || len(r.Missing) == 0 || len(r.Missing[0].Uses) == 0 {
					t.Errorf("nothing is missing without the references:\n%s", r.Text())
				}
			}
			if s.Name == "wrong-refcounts" && len(r.RefCounts) != 2 {
				t.Errorf("wrong counts: %+v", r.RefCounts)
			}
			if s.Name == "unused-bytes" && r.UnusedBytes == 0 {
				t.Error("unused bytes were not found")
			}
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var again verify.Report
			if err := json.Unmarshal(b, &again); err != nil || again.Text() != r.Text() {
				t.Errorf("the report changes as JSON: %v", err)
			}
		})
	}
}

// TestVerifyFindsDamage flips a bit in each region of an archive in turn: the damage must be reported, with paths.
func TestVerifyFindsDamage(t *testing.T) {
	for _, name := range []string{"none", "XPRESS 4K", "LZX 32K", "LZMS 128K", "LZX 32K solid", "LZMS 1M solid", "LZX, pipable", "LZX, integrity table"} {
		t.Run(name, func(t *testing.T) {
			v := archivetest.Variant(t, name)
			m := archivetest.MakeVariant(t, v, 5)
			good, err := os.ReadFile(m.First)
			if err != nil {
				t.Fatal(err)
			}
			a, err := wim.Open([]blobs.Part{{Name: "good", R: bytes.NewReader(good), Size: int64(len(good))}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for i := range a.Store().NBlobs {
				b := a.Store().RecordBlob(int32(i))
				info := a.Store().Stored(b)
				at := info.Off + info.PackedSize/2
				bad := bytes.Clone(good)
				bad[at] ^= 0xff
				x, err := wim.Open([]blobs.Part{{Name: "bad", R: bytes.NewReader(bad), Size: int64(len(bad))}}, nil)
				if err != nil {
					t.Fatal(err)
				}
				r := jobtest.Verify(t, x, 1)
				if x.Store().Parts[0].Integrity != nil && r.Integrity[0].State != "bad" {
					t.Error("the integrity table matches")
				}
				if len(r.Damaged) == 0 {
					archivetest.ReadBlobs(t, x) // packed data may have bits that mean nothing
					continue
				}
				found++
				for _, d := range r.Damaged {
					if d.Off > at || d.Off+d.Len <= at {
						t.Errorf("damage is reported at 0x%x, %d bytes; it is at 0x%x", d.Off, d.Len, at)
					}
					if len(d.Uses) == 0 || d.Count != len(d.Uses) {
						t.Errorf("damaged %v has no path", d.Hash)
					}
				}
				if i > 12 {
					break
				}
			}
			if found < min(a.Store().NBlobs, 12)/2 {
				t.Errorf("%d damaged blobs, %d were found", a.Store().NBlobs, found)
			}
		})
	}
}

// TestRunPlanStops checks that an error ends a job.
func TestRunPlanStops(t *testing.T) {
	a, err := wim.Open(archivetest.SampleParts(wimtest.Samples()[0].Parts), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := verify.New(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := shard.Run(ctx, p, shard.Sources{Parts: a.Store().Source()}, &shard.Options{Workers: 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, err := p.Report(nil); !errors.Is(err, verify.ErrUnfinished) {
		t.Errorf("report: got %v, want ErrUnfinished", err)
	}
}

// BenchmarkVerify verifies the archives that WIMSCOPE_BENCH names, separated by colons, with one worker and two.
func BenchmarkVerify(b *testing.B) {
	names := os.Getenv("WIMSCOPE_BENCH")
	if names == "" {
		b.Skip("WIMSCOPE_BENCH names no archives")
	}
	for name := range strings.SplitSeq(names, ":") {
		for _, workers := range []int{1, 2} {
			b.Run(name[strings.LastIndexByte(name, '/')+1:]+"/"+string(rune('0'+workers)), func(b *testing.B) {
				parts := archivetest.OpenFiles(b, name)
				b.ReportAllocs()
				for b.Loop() {
					a, err := wim.Open(parts, nil)
					if err != nil {
						b.Fatal(err)
					}
					p, err := verify.New(a, nil)
					if err != nil {
						b.Fatal(err)
					}
					b.SetBytes(p.Bytes())
					if err := shard.Run(context.Background(), p, shard.Sources{Parts: a.Store().Source()}, &shard.Options{Workers: workers}); err != nil {
						b.Fatal(err)
					}
					if n := p.BadItems(); n > 0 {
						b.Fatalf("%d bad", n)
					}
				}
			})
		}
	}
}

// TestSum compares the SHA-256 of parts with the standard library's.
func TestSum(t *testing.T) {
	v := archivetest.Variant(t, "XPRESS, split")
	a := archivetest.OpenMade(t, v, archivetest.MakeVariant(t, v, 5))
	p := verify.NewSum(a)
	if err := shard.Run(context.Background(), jobtest.Packed(p, t), shard.Sources{Parts: a.Store().Source()}, &shard.Options{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	if n := len(p.Sums()); n < 2 || n != len(a.Store().Parts) {
		t.Fatalf("%d sums of %d parts", n, len(a.Store().Parts))
	}
	for i, got := range p.Sums() {
		b := make([]byte, a.Store().Parts[i].Size)
		if _, err := a.Store().Parts[i].R.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		if want := sha256.Sum256(b); !bytes.Equal(got, want[:]) {
			t.Errorf("part %d: %x, want %x", i, got, want)
		}
	}
}

// TestRunShardStops checks that an error of yield ends a shard at any point, even within a large chunk of a solid resource.
func TestRunShardStops(t *testing.T) {
	v := archivetest.Variant(t, "LZMS 8M solid")
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o777); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("the quick brown fox jumps over the lazy dog\n", 200_000) // 8.8 MB
	if err := os.WriteFile(filepath.Join(tree, "text"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	wimtest.Need(t, v.Programs()...)
	m, err := v.Make(dir, tree, tree)
	if err != nil {
		t.Fatal(err)
	}
	a := archivetest.OpenMade(t, v, m)
	p, err := verify.New(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	most := 0
	for i := range p.NumShards() {
		s, err := p.Shard(i)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; ; n++ {
			calls := 0
			_, err := shard.NewWorker().Run(s, shard.Sources{Parts: a.Store().Source()}, func(bytes int64, _ int) error {
				if calls++; calls > n {
					return stop
				}
				return nil
			})
			if err == nil {
				most = max(most, n)
				break
			}
			if !errors.Is(err, stop) {
				t.Fatalf("shard %d, call %d: %v", i, n, err)
			}
		}
	}
	if most < 12 {
		t.Errorf("yield was called %d times in 8.8 MB", most)
	}
}

// TestReadErrors checks that a file that cannot be read is an error, and that one that became shorter has damaged blobs.
func TestReadErrors(t *testing.T) {
	b := wimtest.PlainArchive().Bytes()
	a := archivetest.MustOpen(t, b)
	p, err := verify.New(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Shard(0)
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	if _, err := shard.NewWorker().Run(s, shard.Sources{Parts: blobs.Source{brokenReader{gone}}}, nil); !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
	r, err := shard.NewWorker().Run(s, shard.Sources{Parts: blobs.Source{bytes.NewReader(b[:210])}}, nil)
	if err != nil || len(r.Bad) != r.Items || r.Items == 0 {
		t.Errorf("a short file: %+v, %v", r, err)
	}
	if _, err := shard.NewWorker().Run(s, shard.Sources{}, nil); err == nil {
		t.Error("a shard without files runs")
	}
}

type brokenReader struct{ err error }

func (b brokenReader) ReadAt([]byte, int64) (int, error) { return 0, b.err }

// TestReportPathsBounded checks that the paths of missing blobs use limited memory, and that omitted ones are counted.
func TestReportPathsBounded(t *testing.T) {
	low := wimtest.Folder("low")
	for i := range 6000 {
		low.Children = append(low.Children, wimtest.TextFile(fmt.Sprintf("%05d", i), fmt.Sprint(i/2)))
	}
	e := low
	for range 6000 {
		e = wimtest.Folder("d", e)
	}
	h := wimtest.One(wimtest.Folder("", e))
	h.Blobs = nil
	b := h.Bytes()
	a, err := wim.Open([]blobs.Part{{Name: "deep", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := jobtest.Verify(t, a, 1)
	count, kept, text := 0, 0, 0
	for _, m := range r.Missing {
		count += m.Count
		kept += len(m.Uses)
		for _, u := range m.Uses {
			text += len(u.Path)
		}
	}
	if len(r.Missing) != 3000 || count != 6000 || kept+r.PathsLeftOff != count || kept == 0 || text > verify.MaxPathText+12100 || text < verify.MaxPathText-12100 {
		t.Errorf("%d blobs, %d uses, %d listed of %d bytes, %d omitted", len(r.Missing), count, kept, text, r.PathsLeftOff)
	}
	if !strings.Contains(r.Text(), fmt.Sprintf("Paths omitted below: %d", r.PathsLeftOff)) {
		t.Error("the text does not report omitted paths")
	}
}

// TestOverlapIsBounded checks that a small archive whose blobs all overlap in all chunks does not use all memory.
func TestOverlapIsBounded(t *testing.T) {
	data := make([]byte, 32<<15)
	var blobs []wimtest.HandSolidBlob
	for i := range 40_000 {
		b := wimtest.HandSolidBlob{Off: 0, Size: int64(len(data))}
		b.RefCount = 1
		binary.LittleEndian.PutUint32(b.Hash[:], uint32(i+1))
		blobs = append(blobs, b)
	}
	h := wimtest.PlainArchive()
	h.Solid = []wimtest.HandSolid{{Bytes: data, ChunkSize: 1 << 15, Blobs: blobs}}
	a := archivetest.MustOpen(t, h.Bytes())
	p, err := verify.New(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	pieces := 0
	for i := range p.NumShards() {
		s, err := p.Shard(i)
		if err != nil {
			t.Fatal(err)
		}
		for _, sp := range s.Spans {
			pieces += len(sp.Chunks)
		}
	}
	last := int32(len(blobs) - 1)
	refused := slices.ContainsFunc(p.Unread, func(r shard.Refusal) bool { return r.ID >= last && strings.Contains(r.Err.Error(), "overlap") })
	if pieces > 1<<20+1000 || p.BadItems() == 0 || !refused {
		t.Errorf("%d chunks are planned, %d blobs rejected", pieces, p.BadItems())
	}
}
