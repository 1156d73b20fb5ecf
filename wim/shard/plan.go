package shard

import "fmt"

// Plan is a job in stages, each of which is a list of shards. The shards of a stage may run in any order and anywhere; their
// results are merged in order.
type Plan interface {
	// Next begins the next stage. more is false if there is none left. The results of the stage before must have been merged.
	Next() (st Stage, more bool, err error)
	// Shard makes shard i of the stage. It may be called concurrently. It returns a *ContentError if a content cannot be read.
	Shard(i int) (*Shard, error)
	// Merge takes the result of shard i, and returns the ranges of the parts that it found to be good or bad. It is called by
	// one goroutine at a time. After a *ContentError the result counts as merged.
	Merge(i int, r *Result) ([]BlockMark, error)
}

// Skipper is a Plan that can do without a content that cannot be read.
type Skipper interface {
	Plan
	// Skip leaves out the content. Shards that hold it must be made again; results of those made before can still be merged.
	// No other method may run at the same time.
	Skip(e *ContentError) error
	// Skipped reports whether a content is left out.
	Skipped(id int32) bool
	// Name returns a content's name for messages.
	Name(id int32) string
}

// Stage is a step of a job.
type Stage struct {
	Name   string // a short key, such as "verify" or "pack"
	Shards int
	Bytes  int64 // unpacked bytes to process
	Items  int   // pieces to process
	Memory int64 // about how many bytes a worker needs for the largest shard; 0 if that is not known
}

// BlockMark is a range of a part that was found to be good or bad.
type BlockMark struct {
	Part int
	Off  int64
	Len  int64
	Bad  bool
}

// Marks returns the ranges that a shard has read, then those of them that are damaged.
func (s *Shard) Marks(r *Result) []BlockMark {
	marks := make([]BlockMark, 0, len(s.Spans)+len(r.Bad))
	for _, sp := range s.Spans {
		marks = append(marks, BlockMark{Part: int(sp.Src), Off: sp.Off, Len: sp.End - sp.Off})
	}
	for _, b := range r.Bad {
		k := int(b.Piece)
		for _, sp := range s.Spans {
			if k < len(sp.Pieces) {
				marks = append(marks, BlockMark{Part: int(sp.Src), Off: b.Off, Len: b.Len, Bad: true})
				break
			}
			k -= len(sp.Pieces)
		}
	}
	return marks
}

// ContentError is an error of reading a content that was to be packed.
type ContentError struct {
	ID   int32  // number in the plan
	Path string // path of its file, "" if not known
	Err  error
	More []int32 // other contents of the shard with the same error
}

func (e *ContentError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("wim: content %d: %v", e.ID, e.Err)
	}
	return fmt.Sprintf("wim: %s: %v", e.Path, e.Err)
}

func (e *ContentError) Unwrap() error { return e.Err }
