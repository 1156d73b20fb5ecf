package ui

import (
	"strings"

	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// ReportDialog shows the closing report of a job.
type ReportDialog struct{ base }

func (c *ReportDialog) j() *state.JobView { return c.App.Jobs.Report }

func (c *ReportDialog) r() *protocol.Report { return &c.App.Jobs.Report.Result.Report }

func (c *ReportDialog) title() string {
	j := c.j()
	switch {
	case j.Cancelled():
		return c.T("report.cancelled", c.App.Jobs.Title(j))
	case j.Problem != nil:
		return c.T("report.failed", c.App.Jobs.Title(j))
	}
	return c.T("report.done", c.App.Jobs.Title(j))
}

func (c *ReportDialog) facts() []fact {
	r := c.r()
	var f []fact
	add := func(key string, n int) {
		if n > 0 {
			f = append(f, fact{name: c.T(key), value: words.Number(int64(n))})
		}
	}
	if c.j().Op == protocol.Extract {
		f = append(f, fact{name: c.T("report.written"), value: c.T("report.written-value", r.Written, words.Size(r.WrittenLen))})
	}
	add("report.dirs", r.Dirs)
	add("report.links", r.Links)
	add("report.skipped", r.ProblemsN)
	if n := c.j().Result.Output.Bytes; n > 0 && c.j().Format != protocol.Folder {
		f = append(f, fact{name: c.T("report.output"), value: c.T("details.bytes", n)})
	}
	for _, w := range r.Warnings {
		f = append(f, fact{name: c.T("verify.warning"), value: w})
	}
	return f
}

func (c *ReportDialog) problems() []protocol.Problem {
	return c.r().Problems[:min(len(c.r().Problems), 200)]
}

// list returns the text to copy: a line for each problem.
func (c *ReportDialog) list() string {
	var b strings.Builder
	for _, p := range c.r().Problems {
		b.WriteString(p.Path + "\t" + reason(&c.base, p) + "\n")
	}
	return b.String()
}

func (c *ReportDialog) name() string { return c.j().Archive + "-report" }
