package ui

import (
	"strings"

	"github.com/vugu/vugu"

	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// VerifyView is the Verify tab.
type VerifyView struct {
	base
	drawn int // the Verify.Serial of paths
	of    *state.Archive
	paths [3]string
}

func (c *VerifyView) v() *state.Verify { return &c.Archive.Verify }

func (c *VerifyView) r() *protocol.Report { return c.v().Report }

func (c *VerifyView) running() bool { return c.v().Job != nil && c.v().Job.Active() }

func (c *VerifyView) summing() bool { return c.v().SumJob != nil && c.v().SumJob.Active() }

func (c *VerifyView) startLabel() string {
	switch {
	case c.running():
		return c.T("verify.running", c.v().Job.Percent())
	case c.r() != nil:
		return c.T("verify.again")
	}
	return c.T("verify.start")
}

func (c *VerifyView) result() string {
	r := c.r()
	if r.OK {
		return c.T("verify.ok", r.Blobs)
	}
	switch {
	case r.Verdict == protocol.Incomplete && r.LossesN > 0:
		return c.T("verify.incomplete", r.LossesN)
	case r.DamagedN == 0 && r.MissingN > 0:
		return c.T("verify.lacking", r.MissingN)
	}
	files := 0
	images := map[int]bool{}
	for _, d := range r.BadRanges {
		files += d.Count
		for _, h := range d.Paths {
			images[h.Image] = true
		}
	}
	blobs, blocks := state.Damaged(r)
	switch {
	case blobs == 0:
		return c.T("verify.bad-blocks", blocks)
	case files == 0:
		return c.T("verify.bad", blobs)
	}
	return c.T("verify.bad", blobs) + " " + c.T("verify.bad-files", files, len(images))
}

func (c *VerifyView) resultIcon() vugu.Builder {
	switch {
	case c.r().OK:
		return icon("circle-check")
	case c.r().Verdict == protocol.Incomplete:
		return icon("triangle-alert")
	}
	return icon("octagon-alert")
}

// resultClass returns the CSS class of the verdict.
func (c *VerifyView) resultClass() string {
	r := c.r()
	partial := r.Verdict == protocol.Incomplete
	return class("card result", "ok", r.OK, "partial", partial, "notok", !r.OK && !partial)
}

// lost returns the losses of the archive as rows of text and place.
func (c *VerifyView) lost() []fact {
	const most = 200
	r := c.r()
	var list []fact
	for _, l := range r.Losses[:min(len(r.Losses), most)] {
		where := []string{}
		if l.Image > 0 {
			where = append(where, c.T("image.unnamed", l.Image))
		}
		for _, s := range []string{l.Path, l.Part} {
			if s != "" {
				where = append(where, s)
			}
		}
		where = append(where, c.T("verify.lost-place", words.Hex(l.Off)))
		what := c.T("loss." + string(l.Kind))
		if l.Text != "" {
			what += " (" + l.Text + ")"
		}
		list = append(list, fact{name: what, value: strings.Join(where, " · ")})
	}
	return list
}

func (c *VerifyView) resultNote() string {
	return c.T("verify.checked", words.Size(c.r().Bytes))
}

func (c *VerifyView) facts() []fact {
	r := c.r()
	f := []fact{
		{name: c.T("verify.blobs"), value: words.Number(int64(r.Blobs))},
		{name: c.T("verify.integrity"), value: c.T("integrity." + integrity(r.Integrity))},
		{name: c.T("verify.missing"), value: words.Number(int64(r.MissingN))},
		{name: c.T("verify.unused"), value: words.Size(r.UnusedSize)},
		{name: c.T("verify.refs"), value: words.Number(int64(r.RefCounts))},
	}
	for _, w := range r.Warnings {
		f = append(f, fact{name: c.T("verify.warning"), value: w})
	}
	return f
}

func integrity(s string) string {
	switch s {
	case "ok", "bad":
		return s
	}
	return "none"
}

func (c *VerifyView) reportName() string {
	return c.Archive.Info.Name + "-verify"
}

// The map has 20 rows of 60 squares, each 10 by 10 units of the drawing.
const mapWide = 60

// path returns the SVG path of the squares of a kind: filled for good, frames for unchecked, crosses for bad.
func (c *VerifyView) path(kind int) string {
	v := c.v()
	if c.of != c.Archive || c.drawn != v.Serial {
		c.of, c.drawn = c.Archive, v.Serial
		for k := range c.paths {
			c.paths[k] = squares(v.Cells, byte(k))
		}
	}
	return c.paths[kind]
}

func squares(cells []byte, kind byte) string {
	var b strings.Builder
	for i, k := range cells {
		if k != kind {
			continue
		}
		b.WriteString("M" + itoa(i%mapWide*10+1) + " " + itoa(i/mapWide*10+1))
		switch kind {
		case state.CellOpen:
			b.WriteString("h8v8h-8zm1 1v6h6v-6z")
		case state.CellGood:
			b.WriteString("h8v8h-8z")
		case state.CellBad:
			b.WriteString("h2l2 2 2-2h2v2l-2 2 2 2v2h-2l-2-2-2 2h-2v-2l2-2-2-2z")
		}
	}
	return b.String()
}

func (c *VerifyView) mapLabel() string {
	v := c.v()
	return c.T("verify.map-label", v.Count(state.CellGood), v.Count(state.CellBad), v.Count(state.CellOpen))
}

func (c *VerifyView) openLabel() string {
	n := c.v().Count(state.CellOpen)
	if c.r() != nil {
		return c.T("verify.not-content", n)
	}
	return c.T("verify.open", n)
}

type mapRange struct{ where, state string }

// ranges returns the map as a table: runs of squares of one kind.
func (c *VerifyView) ranges() []mapRange {
	v := c.v()
	size := c.Archive.Info.Size
	at := func(i int) string { return words.Hex(int64(float64(size) / state.MapCells * float64(i))) }
	var out []mapRange
	for from := 0; from < len(v.Cells); {
		to := from + 1
		for to < len(v.Cells) && v.Cells[to] == v.Cells[from] {
			to++
		}
		name := [...]string{"verify.state-open", "verify.state-good", "verify.state-bad"}[v.Cells[from]]
		if v.Cells[from] == state.CellOpen && c.r() != nil {
			name = "verify.state-other"
		}
		out = append(out, mapRange{at(from) + " – " + at(to), c.T(name)})
		from = to
	}
	const most = 200 // nobody reads a longer table, which alternating squares would make
	if len(out) > most {
		out = out[:most]
	}
	return out
}

func (c *VerifyView) unused() []string {
	r := c.r()
	var out []string
	for i, u := range r.Unused {
		if i == 50 {
			out = append(out, c.T("list.more", len(r.Unused)-i))
			break
		}
		out = append(out, c.T("verify.unused-range", partName(&c.base, u.Part), words.Hex(u.Off), words.Number(u.Len)))
	}
	return out
}

func (c *VerifyView) refs() []protocol.Pair {
	return c.r().WrongRefs[:min(len(c.r().WrongRefs), 50)]
}

// partName returns the name of a part by its index in the archive.
func partName(b *base, part int) string {
	if p := b.Archive.Info.Parts; part >= 0 && part < len(p) {
		return p[part].Name
	}
	return "?"
}

func (c *VerifyView) compared() string {
	switch how, part := c.v().Compare(); how {
	case state.CompareNoSum:
		return c.T("sum.no-sum")
	case state.CompareEqual:
		return c.T("sum.equal", part)
	case state.CompareDiffers:
		return c.T("sum.differs")
	case state.CompareNothing:
		if strings.TrimSpace(c.v().Pasted) != "" && !c.summing() {
			return c.T("sum.compute")
		}
	}
	return ""
}

func (c *VerifyView) comparedClass() string {
	switch how, _ := c.v().Compare(); how {
	case state.CompareEqual:
		return "good verdict"
	case state.CompareDiffers:
		return "bad verdict"
	}
	return "muted verdict"
}

func (c *VerifyView) comparedIcon() vugu.Builder {
	switch how, _ := c.v().Compare(); how {
	case state.CompareEqual:
		return icon("circle-check")
	case state.CompareDiffers:
		return icon("octagon-alert")
	}
	return icon("info")
}
