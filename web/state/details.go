package state

import (
	"wimscope/worker/protocol"
)

// Details is the Details tab.
type Details struct {
	XML     *protocol.XMLReply
	Problem *Problem
	Raw     bool // the XML is shown as stored

	ar     *opened
	loaded bool // XML was asked for
}

// load requests the XML document, once.
func (d *Details) load() {
	if d.loaded {
		return
	}
	d.loaded = true
	go func() {
		rep, err := d.ar.Session.XML(d.ar.ctx)
		d.ar.update(func() {
			if err != nil {
				d.Problem = d.ar.problem(err, "")
				return
			}
			d.XML = &rep
		})
	}()
}

// ShowRaw chooses between the XML as stored and indented.
func (d *Details) ShowRaw(on bool) { d.ar.update(func() { d.Raw = on }) }

// SaveXML saves the XML document as stored, in UTF-8.
func (d *Details) SaveXML() {
	var xml *protocol.XMLReply
	d.ar.Read(func() { xml = d.XML })
	if xml != nil {
		d.ar.platform.SaveBytes(d.ar.Info.Name+".xml", "application/xml", []byte(xml.Raw))
	}
}

// Segment is one segment of the bar of regions.
type Segment struct {
	Kind    string
	Percent float64
}

// Segments returns the bar of a part of size bytes. Neighbours of one kind are joined. A region of less than a thousandth
// of the part is added to the segment before it, unless it is the first of its kind.
func Segments(regions []protocol.Region, part int, size int64) []Segment {
	var out []Segment
	seen := map[string]bool{}
	for _, r := range regions {
		if r.Part != part || size <= 0 {
			continue
		}
		p := float64(r.Len) * 100 / float64(size)
		if n := len(out); n > 0 && (out[n-1].Kind == r.Kind || p < 0.1 && seen[r.Kind]) {
			out[n-1].Percent += p
			continue
		}
		seen[r.Kind] = true
		out = append(out, Segment{Kind: r.Kind, Percent: p})
	}
	return out
}

// KindTotal is the number and size of the regions of one kind.
type KindTotal struct {
	Kind  string
	Count int
	Bytes int64
}

// KindTotals adds up regions by kind, in the order in which kinds are listed everywhere.
func KindTotals(regions []protocol.Region) []KindTotal {
	var out []KindTotal
	for _, k := range [...]string{"header", "data", "solid", "metadata", "table", "xml", "integrity", "unused"} {
		t := KindTotal{Kind: k}
		for _, r := range regions {
			if r.Kind == k {
				t.Count++
				t.Bytes += r.Len
			}
		}
		if t.Count > 0 {
			out = append(out, t)
		}
	}
	return out
}
