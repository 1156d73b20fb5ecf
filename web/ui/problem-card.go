package ui

import "wimscope/worker/protocol"

// ProblemCard shows why something could not be opened.
type ProblemCard struct{ base }

// cause returns the cause; for a file that is not a WIM also what it seems to be.
func (c *ProblemCard) cause() string {
	p := c.App.Opener.Problem
	s := c.T(p.CauseKey(), p.Args()...)
	if p.Err.Code == protocol.CodeNotWIM {
		s += " " + c.T(p.GuessKey())
	}
	return s
}
