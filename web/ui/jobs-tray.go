package ui

import (
	"time"

	"github.com/vugu/vugu"

	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// JobsTray shows the running jobs and those that have ended.
type JobsTray struct{ base }

func (c *JobsTray) icon(j *state.JobView) vugu.Builder {
	switch {
	case c.damaged(j):
		return icon("octagon-alert")
	case c.incomplete(j):
		return icon("triangle-alert")
	case j.Ended && j.Problem == nil:
		return icon("circle-check")
	case j.Ended && !j.Cancelled():
		return icon("circle-alert")
	case j.Ended:
		return icon("x")
	case j.Op == protocol.Verify:
		return icon("shield-check")
	case j.Op == protocol.Sum:
		return icon("fingerprint")
	}
	return icon("download")
}

// damaged reports whether a verification has found damage.
func (c *JobsTray) damaged(j *state.JobView) bool {
	return j.Ended && j.Problem == nil && j.Op == protocol.Verify && !j.Result.Report.OK && !c.incomplete(j)
}

// incomplete reports whether a verification found losses, and nothing worse.
func (c *JobsTray) incomplete(j *state.JobView) bool {
	return j.Ended && j.Problem == nil && j.Op == protocol.Verify && j.Result.Report.Verdict == protocol.Incomplete
}

func (c *JobsTray) figures(j *state.JobView) string {
	f := &j.Fig
	switch {
	case j.Cancelled():
		return c.T("job.cancelled")
	case j.Ended && j.Problem != nil:
		return c.T(j.Problem.TitleKey(), j.Problem.Args()...)
	case c.damaged(j):
		return c.T("job.found-bad")
	case c.incomplete(j):
		return c.T("job.found-lost")
	case j.Ended:
		s := c.T("job.done")
		if n := j.Result.Output.Bytes; n > 0 {
			s += " · " + words.Size(n)
		} else if n := j.Result.Report.WrittenLen; n > 0 {
			s += " · " + words.Size(n)
		}
		return s
	case f.Phase == pool.Planning:
		return c.T("job.planning")
	case f.Phase == pool.Finalising:
		return c.T("job.finalising")
	}
	done, of := f.Bytes, f.OfBytes
	if f.Phase == pool.Writing && f.OfOut > 0 {
		done, of = f.Written, f.OfOut
	}
	s := c.T("job.bytes", words.Size(done), words.Size(of))
	if f.OfItems > 0 {
		s += " · " + c.T("job.items", f.Items, f.OfItems)
	}
	switch {
	case f.Paused:
		s += " · " + c.T("job.paused")
	case f.Phase == pool.Writing:
		s += " · " + c.T("job.writing")
	default:
		if f.Rate > 0 {
			s += " · " + words.Size(int64(f.Rate)) + "/s"
		}
		if f.Left >= 0 && f.Left < 100*time.Hour {
			s += " · " + c.T("job.left", c.span(f.Left))
		}
	}
	if f.Restarts > 0 {
		s += " · " + c.T("job.restarts", f.Restarts)
	}
	return s
}

// span returns a remaining time: 45 s, 3 min, 2 h 10 min.
func (c *JobsTray) span(d time.Duration) string {
	s := int((d + time.Second/2) / time.Second)
	switch {
	case s < 90:
		return c.T("span.seconds", max(s, 1))
	case s < 90*60:
		return c.T("span.minutes", (s+30)/60)
	}
	return c.T("span.hours", s/3600, s/60%60)
}

func (c *JobsTray) canPause(j *state.JobView) bool {
	return j.Fig.Phase != pool.Finalising && j.Fig.Phase != pool.Planning
}

func (c *JobsTray) pauseIcon(j *state.JobView) vugu.Builder {
	if j.Fig.Paused {
		return icon("play")
	}
	return icon("pause")
}

func (c *JobsTray) pauseLabel(j *state.JobView) string {
	if j.Fig.Paused {
		return c.T("job.resume")
	}
	return c.T("job.pause")
}

func (c *JobsTray) hasReport(j *state.JobView) bool {
	return j.Op == protocol.Extract && (j.Format != protocol.Raw || j.Issues() > 0) || j.Problem != nil
}
