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

// packing is what a command line says about how an archive is to be packed. What it does not say is as the archive has it
// that is changed or copied from, or else as usual.
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

// packing reads all options that say how to pack; those that a verb does not take are not there.
func (o *parsed) packing() (p packing, err error) {
	if p.plain, err = parseCompression("compress", o); err != nil {
		return p, err
	}
	if p.solid, err = parseCompression("solid-compress", o); err != nil {
		return p, err
	}
	if p.solid.given && p.solid.codec == format.None {
		return p, codef(exitCompression, "--solid-compress=none: what is solid is packed")
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

// forPipe makes what goes to standard output pipable: in another archive the header is written last.
func (p *packing) forPipe() error {
	if p.notPipable {
		return codef(exitParameter, "what is written to standard output is pipable: --not-pipable cannot be")
	}
	p.pipable = true
	return nil
}

// forWIMBoot makes XPRESS in small chunks the usual: Windows reads files straight from an archive for WIMBoot.
func (p *packing) forWIMBoot() {
	if !p.plain.given {
		p.plain = compression{given: true, codec: format.XPRESS}
	}
	if p.plain.codec == format.XPRESS && p.chunkSize == 0 {
		p.chunkSize = 4 << 10
	}
}

const notAnew = "--unsafe-compact moves data as they are: it does not go with options that pack anew"

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
		return c, usageError{fmt.Sprintf("invalid compression type %q; there are none, xpress (or fast), lzx (or maximum, max) and lzms (or recovery)", word)}
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

// engineLevel turns a level of wimlib, where 20 is quick, 50 the usual and 100 high, into one of the engine.
func engineLevel(n uint64) int {
	switch {
	case n < 35:
		return codec.LevelFast
	case n < 75:
		return codec.LevelNormal
	}
	return codec.LevelMaximum
}

// parseChunkSize reads a number of bytes, with K, M or G behind it, of either case, or KiB, MiB, GiB.
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
		return 0, usageError{fmt.Sprintf("--%s=%s: a positive number is wanted, perhaps with K, M or G behind it", name, text)}
	}
	return int64(n) << shift, nil
}

// forNew says how a new archive of files is packed: LZX by default, or LZMS if it is solid.
func (p *packing) forNew() (write.Options, error) {
	w := write.Options{Codec: format.LZX, Solid: p.makeSolid, Pipable: p.pipable}
	if p.makeSolid {
		w.Codec, w.SolidCodec = format.LZMS, format.LZMS
	}
	return p.onto(w)
}

// forCopy says how a new archive of another one's images is packed: as that one, which stays solid unless --compress names
// another codec than its solid resources have. One that is made solid is packed as a new one is.
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

// forRebuild says how an archive is written anew: as it is, but for what is said.
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

// onto puts what is said over w.
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
			return w, codef(exitParameter, "a pipable archive cannot be solid: --not-pipable makes it a usual one")
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

// plausibleChunk says that a codec has chunks of that size.
func plausibleChunk(c format.Codec, size int64) bool {
	return checkPacking(write.Options{Codec: c, ChunkSize: size}) == nil
}

// checkPacking has the engine say whether it can pack in that way.
func checkPacking(w write.Options) error {
	w.Only = write.OnlyAll
	_, err := write.New().PlanWrite(&w)
	return coded(exitChunkSize, err)
}

// packedWith returns the codec for contents.
func packedWith(w *write.Options) format.Codec {
	switch {
	case !w.Solid:
		return w.Codec
	case w.SolidCodec == format.None:
		return format.LZMS
	}
	return w.SolidCodec
}
