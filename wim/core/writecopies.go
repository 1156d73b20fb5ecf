package core

import "wimscope/wim/format"

// packedAs says that a resource of an archive can be copied into one that is written with those options: it is packed in
// the same way, or was found not to shrink by that.
func packedAs(a *Store, res *resource, o *WriteOptions) bool {
	p := &a.parts[res.src]
	switch res.form {
	case formChunked, formPipable:
		return p.codec == o.Codec && res.chunk == o.ChunkSize && (!reframed(res, o) || res.size <= largeContent && res.packed < res.size && packedFor(res, o) < res.size)
	case formStored:
		return o.Codec == format.None || p.codec == o.Codec && int64(p.hdr.ChunkSize) == o.ChunkSize
	}
	return false
}

// reframed says that a resource's chunks are copied, but laid out in another way: for readers that cannot seek, or not.
func reframed(r *resource, o *WriteOptions) bool {
	return r.form == formChunked && o.Pipable || r.form == formPipable && !o.Pipable
}

// packedFor is how many bytes a resource takes once it is copied.
func packedFor(r *resource, o *WriteOptions) int64 {
	switch {
	case !reframed(r, o):
		return r.packed
	case o.Pipable:
		return r.packed + r.chunks()*pipablePrefix
	}
	return r.packed - r.chunks()*pipablePrefix
}

const headerKept = format.FlagReparseFixup
