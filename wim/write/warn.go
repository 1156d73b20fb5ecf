package write

import (
	"fmt"

	"wimscope/wim/draft"
	"wimscope/wim/format"
)

// Warning says why programs other than this one and wimlib may not read an archive.
type Warning struct {
	Key   string // see the constants
	Value int64  // such as the chunk size in question; 0 if there is none
	Text  string // for people
}

// What Microsoft's programs, WIMGAPI and DISM, do not read, or only the newer of them. By wimlib's manual and the
// documentation of DISM.
const (
	WarnPipable         = "pipable"           // wimlib's own form
	WarnXPRESSChunkSize = "xpress-chunk-size" // other than 32 KiB: not before Windows 8.1, and not everywhere since
	WarnLZXChunkSize    = "lzx-chunk-size"    // other than 32 KiB
	WarnLZMSChunkSize   = "lzms-chunk-size"   // over 64 MiB
	WarnLZMS            = "lzms"              // not before Windows 8
	WarnSolid           = "solid"             // not before Windows 8; cannot be mounted, or changed by DISM
	WarnSolidCodec      = "solid-codec"       // other than LZMS
	WarnDelta           = "delta"             // contents are in other archives
	WarnNames           = "names"             // WIMGAPI stops at what Windows cannot have, wimlib's manual says
	WarnNoImages        = "no-images"         // WIMGAPI wants one at least
)

// WarnLargePart is the key for Estimate.Large: a part may become larger, or the set may be refused.
const WarnLargePart = "large-part"

// WarnWindows is the key for windows.Info.Problems.
const WarnWindows = "windows"

// WarnIncomplete is the key for Plan.Losses: an incomplete image is copied.
const WarnIncomplete = "incomplete"

// Warnings tells which programs of Microsoft's will not read what is written with these options.
func (o *Options) Warnings() []Warning {
	full, err := o.withDefaults()
	if err != nil {
		return nil
	}
	var list []Warning
	warn := func(key string, value int64, text string, args ...any) {
		list = append(list, Warning{key, value, fmt.Sprintf(text, args...)})
	}
	chunk := func(codec format.Codec, size int64) {
		switch {
		case codec == format.XPRESS && size != 32<<10:
			warn(WarnXPRESSChunkSize, size, "XPRESS in chunks of %d bytes: Microsoft's programs read 32768, and others only since Windows 8.1", size)
		case codec == format.LZX && size != 32<<10:
			warn(WarnLZXChunkSize, size, "LZX in chunks of %d bytes: Microsoft's programs read only 32768", size)
		case codec == format.LZMS && size > 64<<20:
			warn(WarnLZMSChunkSize, size, "LZMS in chunks of %d bytes: Microsoft's programs read at most 67108864", size)
		}
	}
	if full.Pipable {
		warn(WarnPipable, 0, "pipable archives are read by wimlib only, not by Microsoft's programs")
	}
	chunk(full.Codec, full.ChunkSize)
	if full.Codec == format.LZMS {
		warn(WarnLZMS, 0, "LZMS is read since Windows 8 (WIMGAPI) and 8.1 (DISM)")
	}
	if full.Solid {
		warn(WarnSolid, 0, "solid archives: since Windows 8 (WIMGAPI) and 8.1 (DISM) Microsoft's programs apply and export their images, but do not mount or change them")
		if full.SolidCodec != format.LZMS {
			warn(WarnSolidCodec, int64(full.SolidCodec), "Microsoft's programs write solid archives with LZMS, and may not read them with %v", full.SolidCodec)
		}
		chunk(full.SolidCodec, full.SolidChunkSize)
	}
	return list
}

// Warnings tells which programs of Microsoft's will not read what is written.
func (p *Plan) Warnings() []Warning {
	o := p.o
	list := o.Warnings()
	if len(p.delta) > 0 && o.Only != OnlyMetadata {
		list = append(list, Warning{WarnDelta, int64(len(p.delta)), "contents are left out that other archives hold: Microsoft's programs want these named with /Ref"})
	}
	for _, i := range p.shown {
		d := p.images[i].draft
		if d == nil {
			continue
		}
		if n, example := draft.NotOnWindows(d); n > 0 {
			list = append(list, Warning{WarnNames, int64(n), fmt.Sprintf(
				"%d of the names, such as %q, cannot be on Windows, or differ from others by case alone: Microsoft's programs may stop at them", n, example)})
		}
	}
	if len(p.shown) == 0 && o.Only != OnlyContents {
		list = append(list, Warning{WarnNoImages, 0, "Microsoft's programs refuse archives without images"})
	}
	return list
}
