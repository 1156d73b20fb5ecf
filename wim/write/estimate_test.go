package write

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"testing"

	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// TestUnpacked checks that files which the configuration excludes from packing are stored uncompressed.
func TestUnpacked(t *testing.T) {
	data := bytes.Repeat([]byte("text "), 9999)
	for _, o := range []Options{{Codec: format.LZX, Level: 1}, {Codec: format.LZX, Level: 1, Solid: true}, {Codec: format.LZX, Level: 1, Pipable: true}} {
		d := draft.New()
		id := d.AddContent(draft.Content{Size: int64(len(data)), Path: "/x", Unpacked: true})
		if _, err := d.Add(0, draft.Entry{Name: "x", Attributes: format.AttrArchive, Streams: []draft.Stream{{Content: id}}}); err != nil {
			t.Fatal(err)
		}
		e := New()
		if _, err := e.AddDraft(d, nil); err != nil {
			t.Fatal(err)
		}
		b, _ := write(t, e, &o, map[string][]byte{"/x": data}, 1)
		a := jobtest.Sound(t, b, false)
		if s := a.Store().Stored(a.Store().Blobs()[0]); s.PackedSize != int64(len(data)) || s.Codec != format.None {
			t.Errorf("%+v: %+v", o, s)
		}
	}
}

// TestEstimate checks that estimates are exact if everything is copied, and otherwise close.
func TestEstimate(t *testing.T) {
	trees := plainTrees(88, 89)
	src := archiveOf(t, &Options{Codec: format.LZX, Level: 1}, trees...)
	for name, o := range map[string]Options{
		"copied":   {Codec: format.LZX, Integrity: true},
		"other":    {Codec: format.XPRESS, Level: 1},
		"solid":    {Codec: format.LZX, Solid: true, SolidCodec: format.LZX, SolidChunkSize: 64 << 10, Level: 1},
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
			var m archivetest.MemFile
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

// TestWriteWarnings checks the warnings about what Microsoft's programs cannot read.
func TestWriteWarnings(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, ""},
		{Options{Codec: format.LZX}, ""},
		{Options{Codec: format.XPRESS, ChunkSize: 4096}, WarnXPRESSChunkSize},
		{Options{Codec: format.LZX, ChunkSize: 64 << 10, Pipable: true}, WarnPipable + " " + WarnLZXChunkSize},
		{Options{Codec: format.LZX, Solid: true}, WarnSolid},
		{Options{Codec: format.LZMS, Solid: true, SolidCodec: format.XPRESS, SolidChunkSize: 64 << 10}, WarnLZMS + " " + WarnSolid + " " + WarnSolidCodec + " " + WarnXPRESSChunkSize},
	} {
		var got []string
		for _, w := range c.o.Warnings() {
			got = append(got, w.Key)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
	for _, c := range []struct {
		names string // separated by slashes
		want  int64
		first string
	}{
		{"a b.c/é/~$x/nulls/con1/com/com0/.x/a b", 0, ""},
		{"a/a:b", 1, "/a:b"},
		{"x*/x?/\"x/<x/>x/x|x/x\x1f/x./x ", 9, "/\"x"},
		{`back\slash`, 1, "/back␛005Cslash"},
		{"NUL/con.txt/Com1/lpt9.a.b", 4, "/Com1"},
		{"name/Name/NAME/other", 2, "/Name"},
		{"é/É", 1, "/é"},
	} {
		d := draft.New()
		for _, name := range append(strings.Split(c.names, "/"), "plain") {
			if _, err := d.Add(0, draft.Entry{Name: name, Attributes: format.AttrArchive}); err != nil {
				t.Fatal(err)
			}
		}
		e := New()
		if _, err := e.AddDraft(d, nil); err != nil {
			t.Fatal(err)
		}
		p, err := e.PlanWrite(nil)
		if err != nil {
			t.Fatal(err)
		}
		switch w := p.Warnings(); {
		case c.want == 0 && len(w) == 0:
		case len(w) != 1 || w[0].Key != WarnNames || w[0].Value != c.want || !strings.Contains(w[0].Text, strconv.Quote(c.first)):
			t.Errorf("%s: %+v, want %d such as %s", c.names, w, c.want, c.first)
		}
	}
	p, err := New().PlanWrite(nil)
	if err != nil {
		t.Fatal(err)
	}
	if w := p.Warnings(); len(w) != 1 || w[0].Key != WarnNoImages {
		t.Errorf("%+v", w)
	}
}
