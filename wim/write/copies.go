package write

import (
	"wimscope/wim/blobs"
	"wimscope/wim/format"
)

// packedAs reports whether a resource can be copied into an archive written with the options o: it is packed the same way, or
// did not shrink when it was.
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

// reframed reports whether a resource's chunks are copied into another layout: from the ordinary one to that of pipable
// archives, or back.
func reframed(r *blobs.Resource, o *Options) bool {
	return r.Form == blobs.FormChunked && o.Pipable || r.Form == blobs.FormPipable && !o.Pipable
}

// packedFor returns the packed size of a resource once it is copied.
func packedFor(r *blobs.Resource, o *Options) int64 {
	switch {
	case !reframed(r, o):
		return r.Packed
	case o.Pipable:
		return r.Packed + r.Chunks()*blobs.PipablePrefix
	}
	return r.Packed - r.Chunks()*blobs.PipablePrefix
}
