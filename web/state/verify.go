package state

import (
	"slices"
	"strings"

	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// MapCells is the number of squares in the map of the archive.
const MapCells = 1200

// The state of a square of the map.
const (
	CellOpen byte = iota // not checked yet
	CellGood
	CellBad
)

// Verify is the Verify tab.
type Verify struct {
	Job     *JobView
	Cells   []byte // MapCells squares over the parts, one after another; nil before the first run
	Serial  int    // incremented with each change of Cells
	Bad     int    // ranges found damaged so far
	Report  *protocol.Report
	Problem *Problem

	SumJob  *JobView
	Sums    []protocol.Pair // part name, SHA-256
	Pasted  string
	SumFail *Problem

	ar    *opened
	jobs  *Jobs
	sound []bool // squares in which a range was found good
}

// Start verifies the whole archive.
func (v *Verify) Start() {
	v.ar.update(func() {
		if v.Job != nil && v.Job.Active() {
			return
		}
		old := *v
		*v = Verify{Cells: make([]byte, MapCells), sound: make([]bool, MapCells), Serial: old.Serial + 1,
			SumJob: old.SumJob, Sums: old.Sums, Pasted: old.Pasted, ar: old.ar, jobs: old.jobs}
		v.Job = &JobView{Op: protocol.Verify, What: v.ar.Info.Name}
		v.jobs.run(v.ar, v.Job, pool.JobSpec{
			Request: protocol.PlanRequest{Op: protocol.Verify},
			OnBlocks: func(marks []protocol.BlockMark) {
				v.ar.Read(func() { v.mark(marks) }) // rendered with the job's figures, which follow ten times a second
			},
		}, v.ended)
	})
}

// ended stores the result of the verification.
func (v *Verify) ended() {
	if v.Job.Problem != nil {
		v.Problem = v.Job.Problem
		return
	}
	v.Report = &v.Job.Result.Report
	v.refine()
	switch r := v.Report; {
	case r.OK:
		v.ar.announce("verify.ok", r.Blobs)
	case r.Verdict == protocol.Incomplete && r.LossesN > 0:
		v.ar.announce("verify.incomplete", r.LossesN)
	case r.Verdict == protocol.Incomplete:
		v.ar.announce("verify.lacking", r.MissingN)
	default:
		v.ar.announce("verify.bad", r.DamagedN)
	}
}

// squares returns the squares [from, to) of a range of a part.
func squares(info *protocol.Archive, part int, off, size int64) (from, to int) {
	for i := 0; i < part && i < len(info.Parts); i++ {
		off += info.Parts[i].Size
	}
	if info.Size <= 0 || off < 0 || size <= 0 || off > info.Size-size {
		return 0, 0
	}
	// Floating point cannot overflow, whatever sizes the file claims.
	at := func(off int64) int { return min(int(float64(off)/float64(info.Size)*MapCells), MapCells-1) }
	return at(off), at(off+size-1) + 1
}

// mark marks ranges of the map as good or bad. A square is bad if any range in it is.
func (v *Verify) mark(marks []protocol.BlockMark) {
	for _, m := range marks {
		if m.Bad {
			v.Bad++
		}
		from, to := squares(&v.ar.Info, m.Part, m.Off, m.Len)
		for c := from; c < to; c++ {
			switch {
			case m.Bad:
				v.Cells[c] = CellBad
			case v.Cells[c] == CellOpen:
				v.Cells[c] = CellGood
			}
			v.sound[c] = v.sound[c] || !m.Bad
		}
	}
	v.Serial++
}

// refine marks squares of a bad block of the integrity table as good again if damaged blobs show where in the block the
// damage is, and something was found good in the square.
func (v *Verify) refine() {
	var exact [MapCells]bool
	for _, d := range v.Report.BadRanges {
		if d.Kind != "block" {
			from, to := squares(&v.ar.Info, d.Part, d.Off, d.Len)
			for c := from; c < to; c++ {
				exact[c] = true
			}
		}
	}
	for _, d := range v.Report.BadRanges {
		from, to := squares(&v.ar.Info, d.Part, d.Off, d.Len)
		if d.Kind != "block" || !slices.Contains(exact[from:to], true) {
			continue
		}
		for c := from; c < to; c++ {
			if !exact[c] && v.sound[c] {
				v.Cells[c] = CellGood
			}
		}
	}
	v.Serial++
}

// Count returns the number of squares in a state.
func (v *Verify) Count(kind byte) int {
	n := 0
	for _, c := range v.Cells {
		if c == kind {
			n++
		}
	}
	return n
}

// Sum computes the SHA-256 of each part.
func (v *Verify) Sum() {
	v.ar.update(func() {
		if v.SumJob != nil && v.SumJob.Active() {
			return
		}
		v.Sums, v.SumFail = nil, nil
		v.SumJob = &JobView{Op: protocol.Sum, What: v.ar.Info.Name}
		v.jobs.run(v.ar, v.SumJob, pool.JobSpec{Request: protocol.PlanRequest{Op: protocol.Sum}}, func() {
			v.Sums = v.SumJob.Result.Report.Sums
			v.SumFail = v.SumJob.Problem
		})
	})
}

// Paste sets the SHA-256 to compare with.
func (v *Verify) Paste(text string) {
	v.ar.update(func() { v.Pasted = text })
}

// Comparison is the result of comparing the pasted sum with the computed ones.
type Comparison uint8

// The results of a comparison.
const (
	CompareNothing Comparison = iota // nothing to compare yet
	CompareNoSum                     // what was pasted is not a SHA-256
	CompareEqual
	CompareDiffers
)

// Compare compares the pasted sum with the computed ones. Part is the name of the part whose sum equals it.
func (v *Verify) Compare() (c Comparison, part string) {
	want := pastedSum(v.Pasted)
	switch {
	case strings.TrimSpace(v.Pasted) == "":
		return CompareNothing, ""
	case want == "":
		return CompareNoSum, ""
	case len(v.Sums) == 0:
		return CompareNothing, ""
	}
	for _, s := range v.Sums {
		if strings.EqualFold(s.Value, want) {
			return CompareEqual, s.Name
		}
	}
	return CompareDiffers, ""
}

// pastedSum returns the 64 hex digits in s: a bare sum, one with spaces, colons or hyphens between its bytes, or a line of
// sha256sum. It returns "" if there are none.
func pastedSum(s string) string {
	for f := range strings.FieldsSeq(s) {
		if isSum(f) {
			return f
		}
	}
	s = strings.NewReplacer(" ", "", ":", "", "-", "", "\n", "", "\t", "", "\r", "").Replace(s)
	if isSum(s) {
		return s
	}
	return ""
}

func isSum(s string) bool {
	if len(s) != 64 {
		return false
	}
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// Print opens the browser's print dialog. The style sheet hides what is not part of the report.
func (v *Verify) Print() { v.ar.platform.Print() }
