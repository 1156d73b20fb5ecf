package state

import (
	"wimscope/worker/protocol"
)

// Details is the Details tab.
type Details struct {
	XML     *protocol.XMLReply
	Problem *Problem
	Raw     bool // the XML as it is stored
	loading bool
}

// loadXML asks for the XML document, once.
func (a *App) loadXML() {
	ar := a.Archive
	if ar.Details.loading {
		return
	}
	ar.Details.loading = true
	go func() {
		rep, err := ar.Session.XML(ar.ctx)
		a.update(func() {
			if err != nil {
				ar.Details.Problem = a.problem(ar, err, "")
				return
			}
			ar.Details.XML = &rep
		})
	}()
}

// ShowRawXML chooses between the XML as it is stored and set out for reading.
func (a *App) ShowRawXML(on bool) { a.update(func() { a.Archive.Details.Raw = on }) }

// SaveXML saves the XML document as it is stored, in UTF-8.
func (a *App) SaveXML() {
	var data []byte
	name := ""
	a.Read(func() {
		if d := a.Archive.Details.XML; d != nil {
			data, name = []byte(d.Raw), a.Archive.Info.Name+".xml"
		}
	})
	if name != "" {
		a.platform.SaveBytes(name, "application/xml", data)
	}
}

// Segment is a run of the regions bar.
type Segment struct {
	Kind    string
	Percent float64
}

// Segments makes the bar of a part: neighbours of one kind are joined, and what is thinner than a thousandth is
// added to the run before it, unless it is the first of its kind.
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

// KindTotal is what regions of one kind come to.
type KindTotal struct {
	Kind  string
	Count int
	Bytes int64
}

// KindTotals adds regions up by kind, in the order in which kinds are listed everywhere.
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
