package write

import (
	"fmt"

	"wimscope/wim/draft"
	"wimscope/wim/format"
)

// Warning reports why programs other than this one and wimlib may not be able to read an archive.
type Warning struct {
	Key   string // see the constants
	Value int64  // such as the chunk size concerned; 0 if there is none
	Text  string // for people
}

// Values of Warning.Key: what Microsoft's programs, WIMGAPI and DISM, cannot read, or only newer versions of them. From
// wimlib's manual and the documentation of DISM.
const (
	WarnPipable         = "pipable"           // a wimlib format
	WarnXPRESSChunkSize = "xpress-chunk-size" // other than 32 KiB: since Windows 8.1, not in all programs
	WarnLZXChunkSize    = "lzx-chunk-size"    // other than 32 KiB
	WarnLZMSChunkSize   = "lzms-chunk-size"   // larger than 64 MiB
	WarnLZMS            = "lzms"              // since Windows 8
	WarnSolid           = "solid"             // since Windows 8; cannot be mounted, or changed by DISM
	WarnSolidCodec      = "solid-codec"       // other than LZMS
	WarnDelta           = "delta"             // blobs are in other archives
	WarnNames           = "names"             // names not valid on Windows, at which WIMGAPI stops according to wimlib's manual
	WarnNoImages        = "no-images"         // WIMGAPI requires at least one
)

// WarnLargePart is the key for Estimate.Large: a part may become larger, or the set may be refused.
const WarnLargePart = "large-part"

// WarnWindows is the key for windows.Info.Problems.
const WarnWindows = "windows"

// WarnIncomplete is the key for Plan.Losses: an incomplete image is copied.
const WarnIncomplete = "incomplete"

// Warnings reports which Microsoft programs cannot read an archive written with these options.
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
			warn(WarnXPRESSChunkSize, size, "XPRESS with chunk size %d: Microsoft's programs read chunks of 32768 bytes, and other sizes only since Windows 8.1", size)
		case codec == format.LZX && size != 32<<10:
			warn(WarnLZXChunkSize, size, "LZX with chunk size %d: Microsoft's programs read only chunks of 32768 bytes", size)
		case codec == format.LZMS && size > 64<<20:
			warn(WarnLZMSChunkSize, size, "LZMS with chunk size %d: Microsoft's programs read chunks of at most 67108864 bytes", size)
		}
	}
	if full.Pipable {
		warn(WarnPipable, 0, "pipable archives can be read by wimlib, but not by Microsoft's programs")
	}
	chunk(full.Codec, full.ChunkSize)
	if full.Codec == format.LZMS {
		warn(WarnLZMS, 0, "LZMS can be read since Windows 8 (WIMGAPI) and 8.1 (DISM)")
	}
	if full.Solid {
		warn(WarnSolid, 0, "solid archives: since Windows 8 (WIMGAPI) and 8.1 (DISM) Microsoft's programs can apply and export their images, but not mount or change them")
		if full.SolidCodec != format.LZMS {
			warn(WarnSolidCodec, int64(full.SolidCodec), "Microsoft's programs write solid archives with LZMS, and may be unable to read %v", full.SolidCodec)
		}
		chunk(full.SolidCodec, full.SolidChunkSize)
	}
	return list
}

// Warnings reports which Microsoft programs cannot read the archive.
func (p *Plan) Warnings() []Warning {
	o := p.o
	list := o.Warnings()
	if len(p.delta) > 0 && o.Only != OnlyMetadata {
		list = append(list, Warning{WarnDelta, int64(len(p.delta)), "blobs that other archives hold are left out: Microsoft's programs need those archives named with /Ref"})
	}
	for _, i := range p.shown {
		d := p.images[i].draft
		if d == nil {
			continue
		}
		if n, example := draft.NotOnWindows(d); n > 0 {
			list = append(list, Warning{WarnNames, int64(n), fmt.Sprintf(
				"%d names, such as %q, are not valid on Windows or differ from others only in case: Microsoft's programs may stop at them", n, example)})
		}
	}
	if len(p.shown) == 0 && o.Only != OnlyContents {
		list = append(list, Warning{WarnNoImages, 0, "Microsoft's programs reject archives without images"})
	}
	return list
}
