package extract

// Exports for package extract_test.

const (
	RestEntries    = restEntries
	MaxProblemText = maxProblemText
)

// Leads returns the number of shards that hold no bytes.
func (p *Plan) Leads() int { return len(p.leads) }

// FirstEntry returns the first entry of the plan.
func (p *Plan) FirstEntry() Entry { return p.entry(&p.uses[0]) }
