package wasmflow

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Stats counts what Transform did.
type Stats struct {
	Functions  int            // in the file
	Rewritten  int            // of these functions
	Left       map[string]int // number of functions not rewritten, by reason
	Loops      int            // created loops
	Dispatched int            // rewritten functions that still have a dispatcher
	Far        int            // jumps that still go through a dispatcher
}

func (s Stats) String() string {
	var left []string
	for _, why := range slices.Sorted(maps.Keys(s.Left)) {
		left = append(left, fmt.Sprintf("%d %s", s.Left[why], why))
	}
	return fmt.Sprintf("%d of %d functions rewritten, %d loops created, %d functions and %d jumps still with a dispatcher; not rewritten: %s",
		s.Rewritten, s.Functions, s.Loops, s.Dispatched, s.Far, strings.Join(left, ", "))
}

// Transform returns a module that does the same as file, which must come from Go's linker, with fewer jumps through
// dispatchers and fewer data segments. An error means that file is not such a module: it comes from another compiler
// or a later Go.
func Transform(file []byte) ([]byte, Stats, error) {
	stats := Stats{Left: make(map[string]int)}
	m, err := parseModule(file)
	if err != nil {
		return nil, stats, fmt.Errorf("wasmflow: %w", err)
	}
	if m.tail, err = joinData(m.tail); err != nil {
		return nil, stats, fmt.Errorf("wasmflow: %w", err)
	}
	stats.Functions = len(m.bodies)
	sigpanic := int64(-1)
	var scratch []instr
	for i, body := range m.bodies {
		f, calls, why, in, err := parse(body, i, scratch[:0])
		scratch = in
		if err != nil {
			return nil, stats, fmt.Errorf("wasmflow: function %d: %w", i, err)
		}
		if why != "" {
			stats.Left[why]++
			continue
		}
		for _, callee := range calls {
			if sigpanic >= 0 && callee != sigpanic {
				return nil, stats, fmt.Errorf("wasmflow: function %d: functions %d and %d are both called like sigpanic", i, sigpanic, callee)
			}
			sigpanic = callee
		}
		g := newGraph(f)
		m.bodies[i] = emit(newLayout(g), make([]byte, 0, len(body)))
		stats.add(g)
	}
	return m.append(make([]byte, 0, len(file))), stats, nil
}

// add counts a rewritten function.
func (s *Stats) add(g *graph) {
	s.Rewritten++
	dispatched := false
	for _, k := range g.order {
		if g.loop[k] == k {
			s.Loops++
		}
		s.Far += len(g.far[k])
		dispatched = dispatched || g.entry[k] && k != g.to[0]
	}
	if dispatched {
		s.Dispatched++
	}
}
