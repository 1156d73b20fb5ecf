package main

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"wimscope/wim"
	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/write"
)

// packing holds the options about how to pack an archive. What they leave open follows from the archive that is changed or
// copied, or has a default.
type packing struct {
	plain, solid           compression // --compress, --solid-compress
	chunkSize, solidChunk  int64       // bytes; 0: not given
	makeSolid, recompress  bool
	keepOrder              bool // in solid resources
	pipable, notPipable    bool
	integrity, noIntegrity bool
}

// compression is the argument of --compress: TYPE[:LEVEL].
type compression struct {
	given bool
	codec format.Codec
	level int // 0: not given
}

func compressionOptions() []option {
	return []option{
		{name: "compress", value: true}, {name: "chunk-size", value: true}, {name: "solid"},
		{name: "solid-compress", value: true}, {name: "solid-chunk-size", value: true}, {name: "no-solid-sort"},
		{name: "pipable"}, {name: "not-pipable"},
	}
}

func integrityOptions() []option {
	return []option{{name: "check"}, {name: "nocheck"}, {name: "no-check", same: "nocheck"}, {name: "include-integrity"}}
}

// packing parses all options about packing, including those that a verb does not have.
func (o *parsed) packing() (p packing, err error) {
	if p.plain, err = parseCompression("compress", o); err != nil {
		return p, err
	}
	if p.solid, err = parseCompression("solid-compress", o); err != nil {
		return p, err
	}
	if p.solid.given && p.solid.codec == format.None {
		return p, codef(exitCompression, "--solid-compress=none: solid resources are always compressed")
	}
	if p.chunkSize, err = parseChunkSize("chunk-size", o); err != nil {
		return p, err
	}
	if p.solidChunk, err = parseChunkSize("solid-chunk-size", o); err != nil {
		return p, err
	}
	p.makeSolid, p.recompress, p.keepOrder = o.has("solid"), o.has("recompress"), o.has("no-solid-sort")
	p.pipable, p.notPipable = o.has("pipable"), o.has("not-pipable")
	p.integrity, p.noIntegrity = o.has("check") || o.has("include-integrity"), o.has("nocheck")
	if err := o.notBoth("pipable", "not-pipable"); err != nil {
		return p, err
	}
	switch {
	case p.integrity && p.noIntegrity:
		return p, codef(exitParameter, "--nocheck contradicts --check and --include-integrity")
	case p.pipable && p.makeSolid:
		return p, codef(exitParameter, "a pipable archive cannot be solid: drop --solid or --pipable")
	case o.has("unsafe-compact") && (p.recompress || p.pipable || o.has("rebuild")):
		return p, codef(exitCompaction, notAnew)
	}
	return p, nil
}

// forPipe makes the output to standard output pipable: in other archives the header is written last, at the front.
func (p *packing) forPipe() error {
	if p.notPipable {
		return codef(exitParameter, "output to standard output is always pipable: --not-pipable is not possible")
	}
	p.pipable = true
	return nil
}

// forWIMBoot makes XPRESS in small chunks the default: with WIMBoot, Windows reads files directly from the archive.
func (p *packing) forWIMBoot() {
	if !p.plain.given {
		p.plain = compression{given: true, codec: format.XPRESS}
	}
	if p.plain.codec == format.XPRESS && p.chunkSize == 0 {
		p.chunkSize = 4 << 10
	}
}

const notAnew = "--unsafe-compact moves data without recompressing it, so it cannot be combined with options that recompress"

func parseCompression(name string, o *parsed) (compression, error) {
	if !o.has(name) {
		return compression{}, nil
	}
	word, level, hasLevel := strings.Cut(o.get(name), ":")
	c := compression{given: true}
	switch strings.ToLower(word) {
	case "none":
		c.codec = format.None
	case "xpress", "fast":
		c.codec = format.XPRESS
	case "lzx", "maximum", "max":
		c.codec = format.LZX
	case "lzms", "recovery":
		c.codec = format.LZMS
	default:
		return c, usageError{fmt.Sprintf("invalid compression type %q; valid types are none, xpress (or fast), lzx (or maximum, max) and lzms (or recovery)", word)}
	}
	if !hasLevel {
		return c, nil
	}
	n, err := strconv.ParseUint(level, 10, 31)
	if err != nil || n == 0 {
		return c, usageError{"the compression level must be a positive integer, as in --compress=lzx:80"}
	}
	c.level = engineLevel(n)
	return c, nil
}

// engineLevel converts a level of wimlib, where 20 is fast, 50 the default and 100 high, to one of the engine.
func engineLevel(n uint64) int {
	switch {
	case n < 35:
		return codec.LevelFast
	case n < 75:
		return codec.LevelNormal
	}
	return codec.LevelMaximum
}

// parseChunkSize parses a number of bytes with an optional suffix K, M or G, in either case, or KiB, MiB or GiB.
func parseChunkSize(name string, o *parsed) (int64, error) {
	if !o.has(name) {
		return 0, nil
	}
	text := o.get(name)
	digits := strings.TrimRight(text, "KMGkmgiB")
	shift, ok := map[string]int{
		"": 0, "K": 10, "M": 20, "G": 30, "k": 10, "m": 20, "g": 30, "KiB": 10, "MiB": 20, "GiB": 30,
	}[text[len(digits):]]
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n == 0 || !ok {
		return 0, usageError{fmt.Sprintf("--%s=%s: must be a positive number, optionally followed by K, M or G", name, text)}
	}
	return int64(n) << shift, nil
}

// forNew returns how a new archive of files is packed: LZX by default, LZMS if it is solid.
func (p *packing) forNew() (write.Options, error) {
	w := write.Options{Codec: format.LZX, Solid: p.makeSolid, Pipable: p.pipable}
	if p.makeSolid {
		w.Codec, w.SolidCodec = format.LZMS, format.LZMS
	}
	return p.onto(w)
}

// forCopy returns how a new archive with images of another one is packed: like that one. It stays solid unless --compress
// gives a codec other than that of its solid resources. One that is made solid is packed like a new one.
func (p *packing) forCopy(a *wim.Archive) (write.Options, error) {
	w := write.OptionsOf(a)
	if p.plain.given && p.plain.codec != w.SolidCodec || p.pipable {
		w.Solid = false
	}
	switch {
	case p.plain.given && p.plain.codec != w.Codec:
		w.ChunkSize = 0
	case p.makeSolid && !p.plain.given && w.Codec != format.LZMS:
		w.Codec, w.ChunkSize = format.LZMS, 0
	}
	w.Integrity, w.Pipable, w.Only = false, p.pipable, write.OnlyAll
	return p.onto(w)
}

// forRebuild returns how an archive is rewritten: as it is, apart from the options given.
func (p *packing) forRebuild(a *wim.Archive) (write.Options, error) {
	w := write.OptionsOf(a)
	if p.pipable {
		w.Pipable = true
	}
	if p.notPipable {
		w.Pipable = false
	}
	if p.plain.given {
		w.Recompress = true
		w.Solid = w.Solid && p.makeSolid
	}
	if w.Pipable {
		w.Solid = false
	}
	keep := w.GUID
	w, err := p.onto(w)
	w.GUID = keep
	return w, err
}

// onto applies the options to w.
func (p *packing) onto(w write.Options) (write.Options, error) {
	if p.plain.given {
		if w.Codec != p.plain.codec && p.chunkSize == 0 && !plausibleChunk(p.plain.codec, w.ChunkSize) {
			w.ChunkSize = 0
		}
		w.Codec, w.Level = p.plain.codec, p.plain.level
	}
	if p.chunkSize != 0 {
		w.ChunkSize = p.chunkSize
	}
	if p.makeSolid {
		if w.Pipable {
			return w, codef(exitParameter, "a pipable archive cannot be solid: use --not-pipable to convert it")
		}
		w.Solid, w.KeepAlone = true, false
	}
	if w.Solid {
		if p.solid.given || p.makeSolid {
			codec := format.LZMS
			if p.solid.given {
				codec = p.solid.codec
			}
			if w.SolidCodec != codec {
				w.SolidChunkSize = 0
			}
			w.SolidCodec, w.SolidLevel = codec, p.solid.level
		}
		if p.solidChunk != 0 {
			w.SolidChunkSize = p.solidChunk
		}
	}
	w.KeepOrder, w.Recompress = p.keepOrder, w.Recompress || p.recompress
	w.Integrity = (w.Integrity || p.integrity) && !p.noIntegrity
	rand.Read(w.GUID[:])
	return w, checkPacking(w)
}

// plausibleChunk reports whether a codec supports a chunk size.
func plausibleChunk(c format.Codec, size int64) bool {
	return checkPacking(write.Options{Codec: c, ChunkSize: size}) == nil
}

// checkPacking returns an error if the engine does not support the options.
func checkPacking(w write.Options) error {
	w.Only = write.OnlyAll
	_, err := write.New().PlanWrite(&w)
	return coded(exitChunkSize, err)
}

// packedWith returns the codec that packs the blobs.
func packedWith(w *write.Options) format.Codec {
	switch {
	case !w.Solid:
		return w.Codec
	case w.SolidCodec == format.None:
		return format.LZMS
	}
	return w.SolidCodec
}
