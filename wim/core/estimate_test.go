package core

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestUnpacked: what the configuration excepts from packing is not packed.
func TestUnpacked(t *testing.T) {
	data := bytes.Repeat([]byte("text "), 9999)
	for _, o := range []WriteOptions{{Codec: LZX, Level: 1}, {Codec: LZX, Level: 1, Solid: true}, {Codec: LZX, Level: 1, Pipable: true}} {
		d := NewDraft()
		id := d.AddContent(Content{Size: int64(len(data)), Path: "/x", Unpacked: true})
		if _, err := d.Add(0, DraftEntry{Name: "x", Attributes: AttrArchive, Streams: []DraftStream{{Content: id}}}); err != nil {
			t.Fatal(err)
		}
		e := NewEdit()
		if _, err := e.AddDraft(d, nil); err != nil {
			t.Fatal(err)
		}
		b, _ := write(t, e, &o, map[string][]byte{"/x": data}, 1)
		a := sound(t, b, false)
		if s := a.Stored(a.Blobs()[0]); s.PackedSize != int64(len(data)) || s.Codec != None {
			t.Errorf("%+v: %+v", o, s)
		}
	}
}

// TestEstimate: exact where all is copied; otherwise not far off.
func TestEstimate(t *testing.T) {
	trees := plainTrees(88, 89)
	src := archiveOf(t, &WriteOptions{Codec: LZX, Level: 1}, trees...)
	for name, o := range map[string]WriteOptions{
		"copied":   {Codec: LZX, Integrity: true},
		"other":    {Codec: XPRESS, Level: 1},
		"solid":    {Codec: LZX, Solid: true, SolidCodec: LZX, SolidChunkSize: 64 << 10, Level: 1},
		"unpacked": {},
	} {
		for _, sample := range []int64{0, 1 << 20} {
			p, err := editing(t, src).PlanWrite(&o)
			if err != nil {
				t.Fatal(err)
			}
			e, err := p.Estimate(context.Background(), nil, sample)
			if err != nil {
				t.Fatal(err)
			}
			var m memFile
			r := run(t, p, nil, &m, nil)
			if e.Exact != (name == "copied") && name != "unpacked" || e.Exact && name == "copied" && e.Size != r.Size {
				t.Errorf("%s: %+v, %d bytes were written", name, e, r.Size)
			}
			if off := e.Size - r.Size; off > r.Size/2 || off < -r.Size/2 || e.Memory < 1<<20 || e.Grows != e.Size {
				t.Errorf("%s: %+v, %d bytes were written", name, e, r.Size)
			}
		}
	}
}

// TestWriteWarnings: what Microsoft's programs do not read is named.
func TestWriteWarnings(t *testing.T) {
	for _, c := range []struct {
		o    WriteOptions
		want string
	}{
		{WriteOptions{}, ""},
		{WriteOptions{Codec: LZX}, ""},
		{WriteOptions{Codec: XPRESS, ChunkSize: 4096}, WarnXPRESSChunkSize},
		{WriteOptions{Codec: LZX, ChunkSize: 64 << 10, Pipable: true}, WarnPipable + " " + WarnLZXChunkSize},
		{WriteOptions{Codec: LZX, Solid: true}, WarnSolid},
		{WriteOptions{Codec: LZMS, Solid: true, SolidCodec: XPRESS, SolidChunkSize: 64 << 10}, WarnLZMS + " " + WarnSolid + " " + WarnSolidCodec + " " + WarnXPRESSChunkSize},
	} {
		var got []string
		for _, w := range c.o.Warnings() {
			got = append(got, w.Key)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
	p, err := NewEdit().PlanWrite(nil)
	if err != nil {
		t.Fatal(err)
	}
	if w := p.Warnings(); len(w) != 1 || w[0].Key != WarnNoImages {
		t.Errorf("%+v", w)
	}
}
