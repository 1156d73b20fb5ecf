package write

import (
	"wimscope/wim/blobs"
	"wimscope/wim/format"
)

// packedAs says that a resource of an archive can be copied into one that is written with those options: it is packed in
// the same way, or was found not to shrink by that.
func packedAs(a *blobs.Store, res *blobs.Resource, o *Options) bool {
	p := &a.Parts[res.Src]
	switch res.Form {
	case blobs.FormChunked, blobs.FormPipable:
		return p.Codec == o.Codec && res.ChunkSize == o.ChunkSize && (!reframed(res, o) || res.Size <= largeContent && res.Packed < res.Size && packedFor(res, o) < res.Size)
	case blobs.FormStored:
		return o.Codec == format.None || p.Codec == o.Codec && int64(p.Header.ChunkSize) == o.ChunkSize
	}
	return false
}

// reframed says that a resource's chunks are copied, but laid out in another way: for readers that cannot seek, or not.
func reframed(r *blobs.Resource, o *Options) bool {
	return r.Form == blobs.FormChunked && o.Pipable || r.Form == blobs.FormPipable && !o.Pipable
}

// packedFor is how many bytes a resource takes once it is copied.
func packedFor(r *blobs.Resource, o *Options) int64 {
	switch {
	case !reframed(r, o):
		return r.Packed
	case o.Pipable:
		return r.Packed + r.Chunks()*blobs.PipablePrefix
	}
	return r.Packed - r.Chunks()*blobs.PipablePrefix
}

const headerKept = format.FlagReparseFixup
