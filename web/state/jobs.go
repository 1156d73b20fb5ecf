package state

import (
	"time"

	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// JobView is a job as the tray shows it.
type JobView struct {
	ID      int
	Op      protocol.Op
	Format  protocol.Format
	What    string // what is extracted: a file, a folder, an image, an archive
	Where   string // the file or folder that it goes to, "" if none
	Archive string // the archive's name
	Fig     pool.Figures
	Problem *Problem
	Result  pool.Result
	Ended   bool

	ar      *Archive
	job     Job
	quarter int // of the progress that has been said
	onEnd   func()
}

// Active tells whether the job is under way.
func (j *JobView) Active() bool { return !j.Ended }

// Percent is how far it is, 0 to 100.
func (j *JobView) Percent() int {
	f := &j.Fig
	switch {
	case j.Ended && j.Problem == nil:
		return 100
	case f.Phase == pool.Finalising:
		return 99
	case f.OfOut > 0 && f.Written < f.OfOut:
		// What is written lags behind what is decoded; a person waits for the later.
		return int(min(f.Written*100/f.OfOut, 99))
	case f.OfBytes > 0:
		return int(min(f.Bytes*100/f.OfBytes, 99))
	}
	return 0
}

// Cancelled tells whether a person stopped it.
func (j *JobView) Cancelled() bool {
	return j.Problem != nil && j.Problem.Err.Code == protocol.CodeCancelled
}

// Noted is the number of names and contents that its report has something to say about.
func (j *JobView) Noted() int {
	if !j.Ended {
		return j.Fig.Bad + j.Fig.Refused
	}
	r := &j.Result.Report
	if j.Op != protocol.Verify {
		return r.ProblemsN // what is damaged or missing is among them
	}
	contents, blocks := Damaged(r)
	if contents == 0 {
		contents = blocks
	}
	return contents + r.MissingN + r.LossesN
}

// Damaged counts the damaged contents and the blocks of integrity tables that do not match. What is damaged in a block
// mostly is a content, and counted as such.
func Damaged(r *protocol.Report) (contents, blocks int) {
	for i := range r.BadRanges {
		if r.BadRanges[i].Kind == "block" {
			blocks++
		}
	}
	return r.DamagedN - blocks, blocks
}

// run starts a job. It must be called within update.
func (a *App) run(j *JobView, spec pool.JobSpec, onEnd func()) {
	ar := a.Archive
	a.jobSerial++
	j.ID = a.jobSerial
	j.Archive, j.ar = ar.Info.Name, ar
	j.onEnd = onEnd
	j.Fig = pool.Figures{Phase: pool.Planning, Left: -1}
	spec.OnFigures = func(f pool.Figures) {
		a.update(func() {
			if j.Ended {
				return
			}
			j.Fig = f
			if q := j.Percent() / 25; q > j.quarter {
				j.quarter = q
				a.say(a.T("job.said", a.JobTitle(j), j.Percent()))
			}
			a.titleSoon()
		})
	}
	j.job = a.engine.Start(ar.Session, spec)
	a.Jobs = append(a.Jobs, j)
	a.say(a.T("job.started", a.JobTitle(j)))
	a.setBusy()
	go func() {
		res, err := j.job.Wait()
		a.update(func() {
			j.Ended, j.Result = true, res
			switch {
			case err != nil:
				j.Problem = a.jobProblem(j, err)
				if j.Cancelled() {
					a.say(a.T("job.cancelled-said", a.JobTitle(j)))
				} else {
					a.say(a.T(j.Problem.TitleKey(), j.Problem.Args()...))
				}
			default:
				a.say(a.T("job.done-said", a.JobTitle(j)))
			}
			if j.onEnd != nil {
				j.onEnd()
			}
			if j.ar != a.Archive {
				a.retire(j.ar)
			}
			a.setBusy()
			a.title()
			if j.Problem == nil && j.Noted() == 0 || j.Cancelled() {
				id := j.ID
				time.AfterFunc(12*time.Second, func() { a.DismissJob(id) })
			}
		})
		a.Measure()
	}()
}

// jobProblem returns why a job failed, because of its output or the archive.
func (a *App) jobProblem(j *JobView, err error) *Problem {
	e := protocol.AsError(err)
	if e.Name == "" && j.Where != "" {
		switch e.Code {
		case protocol.CodeNoSpace, protocol.CodeBlocked, protocol.CodePermission, protocol.CodeName, protocol.CodeBrowser:
			return NewProblem(e, j.Where)
		}
	}
	return a.problem(j.ar, e, j.What)
}

// JobTitle is what a job does, in words.
func (a *App) JobTitle(j *JobView) string {
	switch {
	case j.Op == protocol.Verify:
		return a.T("job.verify", j.What)
	case j.Op == protocol.Sum:
		return a.T("job.sum", j.What)
	case j.Op == protocol.Names:
		return a.T("job.names", j.Where)
	case j.Format == protocol.Raw:
		return a.T("job.save", j.What)
	}
	return a.T("job.extract", j.What, j.Where)
}

// setBusy tells the browser whether work is under way.
func (a *App) setBusy() {
	busy := false
	for _, j := range a.Jobs {
		busy = busy || j.Active()
	}
	if busy != a.busy {
		a.busy = busy
		a.platform.Busy(busy)
	}
}

func (a *App) job(id int) *JobView {
	for _, j := range a.Jobs {
		if j.ID == id {
			return j
		}
	}
	return nil
}

// PauseJob holds a job, or lets it go on.
func (a *App) PauseJob(id int) {
	a.update(func() {
		j := a.job(id)
		if j == nil || !j.Active() {
			return
		}
		if j.Fig.Paused {
			j.job.Resume()
		} else {
			j.job.Pause()
		}
		j.Fig.Paused = !j.Fig.Paused
		if j.Fig.Paused {
			a.say(a.T("job.paused"))
		}
	})
}

// CancelJob stops a job.
func (a *App) CancelJob(id int) {
	a.update(func() {
		if j := a.job(id); j != nil && j.Active() {
			j.job.Cancel()
		}
	})
}

// DismissJob takes an ended job out of the tray.
func (a *App) DismissJob(id int) {
	a.update(func() {
		for i, j := range a.Jobs {
			if j.ID == id && j.Ended && a.Report != j {
				a.Jobs = append(a.Jobs[:i:i], a.Jobs[i+1:]...)
				return
			}
		}
	})
}

// ShowReport opens the closing report of an ended job.
func (a *App) ShowReport(id int) {
	a.update(func() {
		if j := a.job(id); j != nil && j.Ended {
			a.Report = j
		}
	})
}

// CloseReport closes it.
func (a *App) CloseReport() {
	a.update(func() { a.Report = nil })
}

// SaveReport saves a report as text, or as JSON.
func (a *App) SaveReport(r *protocol.Report, name string, asJSON bool) {
	if asJSON {
		a.platform.SaveBytes(name+".json", "application/json", []byte(r.JSON))
		return
	}
	a.platform.SaveBytes(name+".txt", "text/plain;charset=utf-8", []byte(r.Text))
}
