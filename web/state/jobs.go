package state

import (
	"slices"
	"time"

	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// Jobs are the running jobs and those that have ended.
type Jobs struct {
	List   []*JobView
	Report *JobView // the job whose closing report is shown, nil if none

	host     *host
	engine   Engine
	progress func() // called when a job has new figures
	ended    func() // called when a job has ended

	serial int
	busy   bool
}

// JobView is a job as the tray shows it.
type JobView struct {
	ID      int
	Op      protocol.Op
	Format  protocol.Format
	What    string // what is extracted: a file, a folder, an image, an archive
	Where   string // the file or folder that is written, "" if none
	Archive string // the archive's name
	Fig     pool.Figures
	Problem *Problem
	Result  pool.Result
	Ended   bool

	ar      *opened
	job     Job
	quarter int // of the progress, announced last
}

// Active reports whether the job is running.
func (j *JobView) Active() bool { return !j.Ended }

// Percent returns the progress, 0 to 100.
func (j *JobView) Percent() int {
	f := &j.Fig
	switch {
	case j.Ended && j.Problem == nil:
		return 100
	case f.Phase == pool.Finalising:
		return 99
	case f.OfOut > 0 && f.Written < f.OfOut:
		// Writing lags behind decoding, and the user waits for the later of the two.
		return int(min(f.Written*100/f.OfOut, 99))
	case f.OfBytes > 0:
		return int(min(f.Bytes*100/f.OfBytes, 99))
	}
	return 0
}

// Cancelled reports whether the user cancelled the job.
func (j *JobView) Cancelled() bool {
	return j.Problem != nil && j.Problem.Err.Code == protocol.CodeCancelled
}

// Issues returns the number of issues so far, or in the report: damaged or missing blobs, names that cannot be written,
// losses.
func (j *JobView) Issues() int {
	if !j.Ended {
		return j.Fig.Bad + j.Fig.Refused
	}
	r := &j.Result.Report
	if j.Op != protocol.Verify {
		return r.ProblemsN // includes damaged and missing blobs
	}
	damaged, blocks := Damaged(r)
	if damaged == 0 {
		damaged = blocks
	}
	return damaged + r.MissingN + r.LossesN
}

// Damaged returns the number of damaged blobs, and of blocks that do not match their integrity table. Damage in a block
// is usually in a blob, and is counted there.
func Damaged(r *protocol.Report) (blobs, blocks int) {
	for i := range r.BadRanges {
		if r.BadRanges[i].Kind == "block" {
			blocks++
		}
	}
	return r.DamagedN - blocks, blocks
}

// run starts a job of an archive. OnEnd is called with the lock held when the job has ended.
func (js *Jobs) run(ar *opened, j *JobView, spec pool.JobSpec, onEnd func()) {
	h := js.host
	js.serial++
	j.ID = js.serial
	j.Archive, j.ar = ar.Info.Name, ar
	j.Fig = pool.Figures{Phase: pool.Planning, Left: -1}
	spec.OnFigures = func(f pool.Figures) {
		h.update(func() {
			if j.Ended {
				return
			}
			j.Fig = f
			if q := j.Percent() / 25; q > j.quarter {
				j.quarter = q
				h.announce("job.said", js.Title(j), j.Percent())
			}
			js.progress()
		})
	}
	j.job = js.engine.Start(ar.Session, spec)
	js.List = append(js.List, j)
	h.announce("job.started", js.Title(j))
	js.setBusy()
	go func() {
		res, err := j.job.Wait()
		h.update(func() {
			j.Ended, j.Result = true, res
			switch {
			case err != nil:
				j.Problem = j.problem(err)
				if j.Cancelled() {
					h.announce("job.cancelled-said", js.Title(j))
				} else {
					h.announce(j.Problem.TitleKey(), j.Problem.Args()...)
				}
			default:
				h.announce("job.done-said", js.Title(j))
			}
			onEnd()
			if ar.left {
				js.retire(ar)
			}
			js.setBusy()
			js.ended()
			if j.Problem == nil && j.Issues() == 0 || j.Cancelled() {
				time.AfterFunc(trayTime, func() { js.Dismiss(j.ID) })
			}
		})
	}()
}

// trayTime is how long a job that has ended without issues stays in the tray.
const trayTime = 12 * time.Second

// problem returns why the job failed: because of its output, or of the archive.
func (j *JobView) problem(err error) *Problem {
	e := protocol.AsError(err)
	if e.Name == "" && j.Where != "" {
		switch e.Code {
		case protocol.CodeNoSpace, protocol.CodeBlocked, protocol.CodePermission, protocol.CodeName, protocol.CodeBrowser:
			return NewProblem(e, j.Where)
		}
	}
	return j.ar.problem(e, j.What)
}

// retire closes an archive that is no longer the open one, unless a job uses it. The end of each job calls it again.
func (js *Jobs) retire(ar *opened) {
	for _, j := range js.List {
		if j.Active() && j.ar == ar {
			return
		}
	}
	ar.close()
}

// Title returns the title of a job: what it does to what.
func (js *Jobs) Title(j *JobView) string {
	T := js.host.T
	switch {
	case j.Op == protocol.Verify:
		return T("job.verify", j.What)
	case j.Op == protocol.Sum:
		return T("job.sum", j.What)
	case j.Op == protocol.Names:
		return T("job.names", j.Where)
	case j.Format == protocol.Raw:
		return T("job.save", j.What)
	}
	return T("job.extract", j.What, j.Where)
}

// active returns the first running job, nil if none is running.
func (js *Jobs) active() *JobView {
	for _, j := range js.List {
		if j.Active() {
			return j
		}
	}
	return nil
}

// setBusy tells the browser whether a job is running.
func (js *Jobs) setBusy() {
	if busy := js.active() != nil; busy != js.busy {
		js.busy = busy
		js.host.platform.Busy(busy)
	}
}

// with calls f within update with the job of an ID, if there is one.
func (js *Jobs) with(id int, f func(j *JobView)) {
	js.host.update(func() {
		for _, j := range js.List {
			if j.ID == id {
				f(j)
				return
			}
		}
	})
}

// Pause pauses a job, or resumes it.
func (js *Jobs) Pause(id int) {
	js.with(id, func(j *JobView) {
		if !j.Active() {
			return
		}
		if j.Fig.Paused {
			j.job.Resume()
		} else {
			j.job.Pause()
		}
		j.Fig.Paused = !j.Fig.Paused
		if j.Fig.Paused {
			js.host.announce("job.paused")
		}
	})
}

// Cancel cancels a job.
func (js *Jobs) Cancel(id int) {
	js.with(id, func(j *JobView) {
		if j.Active() {
			j.job.Cancel()
		}
	})
}

// cancelAll cancels all jobs.
func (js *Jobs) cancelAll() {
	for _, j := range js.List {
		if j.Active() {
			j.job.Cancel()
		}
	}
}

// Dismiss removes an ended job from the tray.
func (js *Jobs) Dismiss(id int) {
	js.with(id, func(j *JobView) {
		if j.Ended && js.Report != j {
			js.List = slices.DeleteFunc(slices.Clone(js.List), func(k *JobView) bool { return k == j })
		}
	})
}

// ShowReport opens the closing report of an ended job.
func (js *Jobs) ShowReport(id int) {
	js.with(id, func(j *JobView) {
		if j.Ended {
			js.Report = j
		}
	})
}

// CloseReport closes the closing report.
func (js *Jobs) CloseReport() {
	js.host.update(func() { js.Report = nil })
}

// SaveReport saves a report as text, or as JSON.
func (js *Jobs) SaveReport(r *protocol.Report, name string, asJSON bool) {
	if asJSON {
		js.host.platform.SaveBytes(name+".json", "application/json", []byte(r.JSON))
		return
	}
	js.host.platform.SaveBytes(name+".txt", "text/plain;charset=utf-8", []byte(r.Text))
}
