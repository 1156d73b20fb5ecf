package write

import (
	"context"
	"fmt"

	"wimscope/wim/blobs"
	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// Estimate predicts the result and the work of writing an archive.
type Estimate struct {
	Size   int64 // bytes of the archive, all parts together
	Grows  int64 // bytes by which the files grow: Size for a new archive; in place what is added, negative if it shrinks
	Exact  bool  // Size and Grows are exact, because nothing has to be packed; never set for split sets
	Copied int64 // packed bytes that are copied
	Pack   int64 // unpacked bytes that have to be packed
	Hash   int64 // about how many bytes of files are read twice, once to hash them
	Memory int64 // about how many bytes a worker needs

	// Large is the content with the largest estimated size if it does not fit into a part of the set. PlanSplit makes a larger
	// part for it or refuses it. It is nil if all contents fit, or if larger parts are forced.
	Large *TooLargePartError
}

// Estimate predicts the result and the work of running the plan. It packs samples of about sample bytes in all, from contents
// that files opens. If sample is 0, it assumes the usual compression ratio of the codec, or for contents of archives computes
// it from their packed size there. It must be called before the first stage.
func (p *Plan) Estimate(ctx context.Context, files shard.ContentFiles, sample int64) (*Estimate, error) {
	if p.stage != nil {
		return nil, fmt.Errorf("wim: writing has begun: %w", format.ErrUnsupported)
	}
	e := &Estimate{Exact: true}
	end := int64(format.HeaderSize)
	if p.base != nil && !p.compact {
		end = p.base.Store().FirstPart().Size
	}
	var pack []int32 // contents
	solids := map[int32]bool{}
	inCopies := map[int32]bool{}
	copies := p.inv.solidCopies()
	for _, x := range copies {
		n := p.archives[x.a].Store().Solids[x.solid].Packed
		end += n
		e.Copied += n
		for _, id := range x.contents {
			inCopies[id] = true
		}
	}
	entries := int64(len(p.inv.metas))
	longest, unpack := int64(0), int64(0)
	for i := range p.inv.contents {
		c := &p.inv.contents[i]
		if c.same != written || c.meta {
			continue
		}
		entries++
		switch {
		case c.stays && p.compact && c.solid < 0:
			end += c.packed
			e.Copied += c.packed
		case c.stays && p.compact && !solids[c.solid]:
			solids[c.solid] = true
			end += p.inv.solids[c.solid].packed
			e.Copied += p.inv.solids[c.solid].packed
		case c.stays, inCopies[int32(i)]:
		case p.inv.copied(c):
			p.estimateLarge(e, int32(i), p.inv.copySize(c))
			end += p.inv.copySize(c)
			e.Copied += p.inv.copySize(c)
		default:
			pack = append(pack, int32(i))
			e.Pack += c.size
			longest = max(longest, min(c.size, largeContent))
			if s := p.solidOf(c); s != nil {
				unpack = max(unpack, s.ChunkSize+min(s.Size, 2*largeContent))
			}
			if !c.known && (p.o.Solid || p.front) || c.size > largeContent {
				e.Hash += c.size
			}
		}
	}
	ratio, err := p.ratio(ctx, files, pack, sample)
	if err != nil {
		return nil, err
	}
	for _, id := range pack {
		c := &p.inv.contents[id]
		size := int64(float64(c.size) * ratio)
		switch r, known := p.fromArchive(c); {
		case c.raw:
			size = c.size
		case known && sample == 0:
			size = int64(float64(c.size) * r)
		}
		end += size
		p.estimateLarge(e, id, size)
		e.Exact = e.Exact && p.o.Codec == format.None && !p.o.Solid && c.known
	}
	for _, i := range p.shown {
		im := &p.images[i]
		if im.draft != nil {
			e.Exact = false
			const perEntry = 180 // unpacked, with its name
			end += int64(float64(im.draft.Len()) * perEntry * min(2*usualRatio(p.o.Codec, p.o.ChunkSize, false), 1))
			continue
		}
		m := &im.a.Store().Metas[im.index-1]
		switch {
		case im.a == p.base && !p.compact:
			continue
		case im.a != p.base && (p.o.Recompress || !packedAs(im.a.Store(), &m.Resource, &p.o)):
			e.Exact = false
		}
		end += packedFor(&m.Resource, &p.o)
	}
	entries += int64(len(copies))
	for i := range p.inv.solids {
		if !p.compact || solids[int32(i)] {
			entries++
		}
	}
	if len(pack) > 0 && p.o.Solid {
		entries++
	}
	p.tailOf(&end, entries)
	e.Size, e.Grows = end, end
	e.Exact = e.Exact && p.partSize == 0
	if p.base != nil {
		e.Grows -= p.base.Store().FirstPart().Size
	}
	kind, chunk, level := p.o.Codec, min(p.o.ChunkSize, e.Pack), p.o.Level
	if p.o.Solid && codec.EncoderMemory(p.o.SolidCodec, min(p.o.SolidChunkSize, e.Pack), p.o.SolidLevel) > codec.EncoderMemory(kind, chunk, level) {
		kind, chunk, level = p.o.SolidCodec, min(p.o.SolidChunkSize, e.Pack), p.o.SolidLevel
	}
	e.Memory = 2*max(longest, chunk) + unpack + shard.WindowSize
	if e.Pack > 0 {
		e.Memory += codec.EncoderMemory(kind, max(chunk, 1), level)
	}
	return e, nil
}

// estimateLarge records a content with a packed size of n bytes if it needs the largest part so far.
func (p *Plan) estimateLarge(e *Estimate, id int32, n int64) {
	if !p.limited() {
		return
	}
	if need := p.file.need(n, 1); need > p.partSize && (e.Large == nil || need > e.Large.Need) {
		e.Large = &TooLargePartError{Name: p.inv.name(id), Hash: p.inv.contents[id].hash, Need: need, Part: p.partSize}
	}
}

// tailOf adds the size of tables, XML documents and headers to end: once, or once for each part of a set.
func (p *Plan) tailOf(end *int64, entries int64) {
	if p.unchanged { // the blob table stays, and usually the integrity table
		if !p.file.sameXML() {
			*end += int64(len(p.file.xml(*end)))
		}
		return
	}
	off := *end
	parts := int64(1)
	if p.partSize > 0 {
		parts = max((off+p.partSize-1)/p.partSize, 1)
	}
	n := entries * format.BlobEntrySize
	if p.o.Pipable {
		n += parts*(3*format.PipableBlobHeaderSize+format.HeaderSize+int64(len(p.file.xml(-1)))) + entries*format.PipableBlobHeaderSize
	}
	xml := int64(len(p.file.xml(off + n)))
	if p.o.Integrity {
		n += parts*12 + (off+n-format.HeaderSize+integrityBlock-1)/integrityBlock*20
	}
	*end = off + n + parts*xml + (parts-1)*format.HeaderSize
}

// fromArchive predicts the compression ratio of a content from its packed size in its archive.
func (p *request) fromArchive(c *content) (float64, bool) {
	if c.a < 0 || c.size == 0 {
		return 0, false
	}
	a := p.archives[c.a]
	b := &a.Store().Records[c.blob]
	have, packed := usualRatio(a.Store().Parts[b.Src].Codec, int64(a.Store().Parts[b.Src].Header.ChunkSize), false), float64(b.Packed)/float64(c.size)
	if s := p.solidOf(c); s != nil {
		have, packed = usualRatio(s.Codec, s.ChunkSize, true), float64(s.Packed)/float64(max(s.Size, 1))
	}
	if have == 1 {
		return 0, false
	}
	return min(packed*p.usual()/have, 1), true
}

// solidOf returns the solid resource of an archive that holds a content, or nil.
func (p *request) solidOf(c *content) *blobs.Solid {
	if c.a < 0 || c.meta {
		return nil
	}
	a := p.archives[c.a]
	b := &a.Store().Records[c.blob]
	if b.Run < 0 {
		return nil
	}
	run := &a.Store().Runs[b.Run]
	return &a.Store().Solids[run.Members[run.Member(b.Off)].Solid]
}

// usual returns the usual compression ratio with the plan's options.
func (p *request) usual() float64 {
	if p.o.Solid {
		return usualRatio(p.o.SolidCodec, p.o.SolidChunkSize, true)
	}
	return usualRatio(p.o.Codec, p.o.ChunkSize, false)
}

// usualRatio returns packed by unpacked bytes, as measured on 421 MB of programs, libraries and documents.
func usualRatio(codec format.Codec, chunk int64, solid bool) float64 {
	big := chunk >= 1<<20
	switch {
	case codec == format.XPRESS:
		return 0.355
	case codec == format.LZX && big && solid:
		return 0.27
	case codec == format.LZX && big:
		return 0.285
	case codec == format.LZX:
		return 0.317
	case codec == format.LZMS && solid && chunk >= 16<<20:
		return 0.214
	case codec == format.LZMS && big:
		return 0.26
	case codec == format.LZMS:
		return 0.30
	}
	return 1
}

// sampleBytes is the size of a sample of a content.
const sampleBytes = 128 << 10

// ratio returns the compression ratio of samples, which are taken evenly over all bytes of the contents.
func (p *Plan) ratio(ctx context.Context, files shard.ContentFiles, ids []int32, sample int64) (float64, error) {
	total := int64(0)
	for _, id := range ids {
		total += p.inv.contents[id].size
	}
	kind, chunk, level := p.o.Codec, p.o.ChunkSize, p.o.Level
	if p.o.Solid {
		kind, level, chunk = p.o.SolidCodec, p.o.SolidLevel, codec.DefaultChunkSize(p.o.SolidCodec, false)
	}
	if chunk = min(chunk, sampleBytes); kind == format.None || sample <= 0 || total == 0 {
		return p.usual(), nil
	}
	step := max(total/max(sample/sampleBytes, 1), 1)
	var enc codec.Encoders
	src, dst := make([]byte, sampleBytes), make([]byte, sampleBytes)
	in, out, next, at := int64(0), int64(0), step/2, int64(0)
	for _, id := range ids {
		c := &p.inv.contents[id]
		for ; next < at+c.size; next += step {
			from := max(min(next-at, c.size-sampleBytes), 0)
			b := src[:min(sampleBytes, c.size-from)]
			if err := p.readSample(files, id, b, from); err != nil {
				return 0, &shard.ContentError{ID: id, Path: p.inv.name(id), Err: err}
			}
			for len(b) > 0 {
				k := min(int(chunk), len(b))
				n, err := enc.Encode(kind, chunk, level, dst[:k-1], b[:k], func() error { return context.Cause(ctx) })
				if err == nil {
					err = context.Cause(ctx)
				}
				if err != nil {
					return 0, err
				}
				if n == 0 {
					n = k
				}
				in, out, b = in+int64(k), out+int64(n), b[k:]
			}
		}
		at += c.size
	}
	if in == 0 {
		return p.usual(), nil
	}
	// Samples are not packed solid, and in chunks of at most their own size; scale to the chunks of the plan.
	return float64(out) / float64(in) * p.usual() / usualRatio(kind, chunk, false), nil
}

// readSample reads a sample of a content.
func (p *Plan) readSample(files shard.ContentFiles, id int32, b []byte, from int64) error {
	c := &p.inv.contents[id]
	switch {
	case c.inline() != nil:
		copy(b, c.inline()[from:])
		return nil
	case c.a >= 0:
		r, err := p.archives[c.a].Store().OpenBlob(c.hash)
		if err != nil {
			return err
		}
		_, err = blobs.ReadFull(r, b, from)
		return err
	case files == nil:
		return fmt.Errorf("no files to read from: %w", format.ErrNotFound)
	}
	f, err := files.OpenContent(id)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = blobs.ReadFull(f, b, from)
	return err
}
