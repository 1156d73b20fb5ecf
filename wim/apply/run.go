package apply

import (
	"context"

	"wimscope/wim/extract"
	"wimscope/wim/shard"
)

// Run runs an extraction to a folder on goroutines, and calls out.Finish. It returns the entries that the folder cannot hold
// exactly, in addition to the problems of the plan; damaged ones have the reason "damaged". The first error ends the job;
// Folder.Abort then removes what was created. o may be nil.
func Run(ctx context.Context, p *extract.Plan, out *Folder, o *shard.Options) (problems []extract.Problem, err error) {
	err = extract.RunSegments(ctx, p, o, func(seg *extract.Segment) error {
		for i := range seg.Damaged {
			d := extract.Problem{Path: "/" + seg.Damaged[i].Path, Reason: "damaged"}
			if seg.Damaged[i].Marked {
				d.Detail = "written"
			}
			problems = append(problems, d)
		}
		list, err := out.Segment(ctx, seg)
		problems = append(problems, list...)
		return err
	})
	if err != nil {
		return problems, err
	}
	last, err := out.Finish()
	return append(problems, last...), err
}
