package state_test

import (
	"testing"

	"wimscope/web/state"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// TestIssues checks that each issue counts once: damaged blobs are among the problems of an extraction, and a block that
// does not match its integrity table is not counted if a damaged blob explains it.
func TestIssues(t *testing.T) {
	blob, block := protocol.Damage{Kind: "blob"}, protocol.Damage{Kind: "block"}
	for _, test := range []struct {
		name   string
		op     protocol.Op
		report protocol.Report
		want   int
	}{
		{"extraction", protocol.Extract, protocol.Report{ProblemsN: 3, DamagedN: 1, MissingN: 1}, 3},
		{"content in a block", protocol.Verify, protocol.Report{DamagedN: 2, BadRanges: []protocol.Damage{block, blob}}, 1},
		{"block alone", protocol.Verify, protocol.Report{DamagedN: 1, BadRanges: []protocol.Damage{block}}, 1},
		{"missing", protocol.Verify, protocol.Report{DamagedN: 1, BadRanges: []protocol.Damage{blob}, MissingN: 4}, 5},
		{"nothing", protocol.Verify, protocol.Report{OK: true}, 0},
	} {
		j := state.JobView{Op: test.op, Ended: true, Result: pool.Result{Report: test.report}}
		if got := j.Issues(); got != test.want {
			t.Errorf("%s: %d issues, want %d", test.name, got, test.want)
		}
	}
}
