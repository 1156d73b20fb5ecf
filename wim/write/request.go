package write

import (
	"fmt"
	"math"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/xmldoc"
)

// request describes what to write. It does not change once the plan is made.
type request struct {
	o        Options
	base     *wim.Archive // the archive that is changed in place, nil for a new archive
	doc      *xmldoc.Doc  // see Builder
	delta    []*wim.Archive
	fixup    bool
	images   []builderImage // all images whose contents are needed
	shown    []int32        // images that are written: indexes into images
	boot     int            // from 1 among those shown; 0: none
	archives []*wim.Archive
	bases    []int32 // number of each archive's first part in Plan.Parts

	front     bool  // metadata is written first, so all contents are hashed before
	unchanged bool  // in place: images and blobs stay; only the XML document changes
	compact   bool  // in place: resources are moved to the front
	partSize  int64 // size limit of the parts of a split set, in bytes; 0: it is not split
	mostPart  int64 // size limit of a part that holds a single large resource
}

func (r *request) pipable() int64 {
	if r.o.Pipable {
		return 1
	}
	return 0
}

// limited reports whether a content may be too large for any part.
func (r *request) limited() bool { return r.partSize > 0 && r.mostPart < math.MaxInt64 }

// elements returns copies of the IMAGE elements of the images that are written.
func (r *request) elements() []*xmldoc.Node {
	nodes := make([]*xmldoc.Node, len(r.shown))
	for k, i := range r.shown {
		nodes[k] = r.images[i].node.Clone()
	}
	return nodes
}

// group checks that the archives of a group fit each other: imaging tools want the same codec and chunk size in all of them.
func (r *request) group() error {
	if r.o.Only != OnlyMetadata {
		return nil
	}
	if len(r.delta) == 0 && r.base != nil {
		return nil // single reports contents that are missing
	}
	if len(r.delta) == 0 {
		return &RefusedError{Key: RefusedGroup, Text: "metadata only: no archive is given that holds the blobs"}
	}
	for _, a := range r.delta {
		if have := a.Store().FirstPart(); have.Codec != r.o.Codec || have.Codec != format.None && int64(have.Header.ChunkSize) != r.o.ChunkSize {
			return &RefusedError{Name: have.Name, Key: RefusedGroup, Text: fmt.Sprintf(
				"the blobs are packed with %v in chunks of %d bytes, and all archives of a group must use the same codec and chunk size", have.Codec, have.Header.ChunkSize)}
		}
	}
	return nil
}
