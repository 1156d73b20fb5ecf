package blobs

import (
	"fmt"
	"slices"

	"wimscope/wim/format"
)

// openPart reads and checks a file's header. It returns warnings about what it tolerates.
func openPart(p Part) (OpenPart, []string, error) {
	out := OpenPart{Part: p}
	first := make([]byte, min(max(p.Size, 0), format.HeaderSize))
	if _, err := ReadFull(p.R, first, 0); err != nil {
		return out, nil, fmt.Errorf("wim: %s: header: %w", p.Name, err)
	}
	size, version, pipable, ok := format.Probe(first)
	if !ok {
		return out, nil, notWIM(p, first)
	}
	if old := format.OldVersion(version); old != "" {
		return out, nil, &OldVersionError{Name: p.Name, Version: old}
	}
	if size == format.HeaderSize && p.Size < format.HeaderSize {
		return out, nil, &TruncatedError{Name: p.Name, Size: p.Size, Missing: format.HeaderSize - p.Size}
	}
	if pipable {
		// The header at the front lacks what is only known after writing; the complete one is the last record of the file.
		out.HeaderOff = p.Size - format.HeaderSize
		if out.HeaderOff < format.HeaderSize {
			return out, nil, &TruncatedError{Name: p.Name, Size: p.Size}
		}
		if _, err := ReadFull(p.R, first, out.HeaderOff); err != nil {
			return out, nil, fmt.Errorf("wim: %s: header: %w", p.Name, err)
		}
		if _, _, pipable, ok := format.Probe(first); !ok || !pipable {
			return out, nil, &TruncatedError{Name: p.Name, Size: p.Size}
		}
	}
	h, err := format.ParseHeader(first)
	if err != nil {
		return out, nil, format.InPart(p.Name, out.HeaderOff, err)
	}
	out.Header = h
	if h.Version != format.Version113 && h.Version != format.Version014 {
		return out, nil, format.Describe(fmt.Sprintf("wim: %s: unknown format version 0x%08x; supported are 0x%08x (1.13) and 0x%08x (0.14)", p.Name, h.Version, format.Version113, format.Version014), format.ErrUnsupported)
	}
	if h.Flags&format.FlagWriteInProgress != 0 && h.BlobTable.IsZero() && h.XML.IsZero() {
		return out, nil, &UnfinishedError{Name: p.Name, Size: p.Size}
	}
	if h.PartNumber < 1 || h.PartNumber > h.TotalParts {
		return out, nil, format.Errorf("header", p.Name, out.HeaderOff+0x28, "part number is %d of %d", h.PartNumber, h.TotalParts)
	}
	if n := out.cut(); n > 0 {
		return out, nil, &TruncatedError{Name: p.Name, Size: p.Size, Missing: n}
	}
	var warnings []string
	if h.Flags&format.FlagWriteInProgress != 0 {
		warnings = append(warnings, fmt.Sprintf("%s: the header marks the file as unfinished", p.Name))
	}
	// XPRESS_2 is XPRESS with another chunk size. No known writer sets more than one bit; LZX takes precedence.
	switch {
	case h.Flags&format.FlagCompression == 0:
		out.Codec = format.None
	case h.Flags&format.FlagLZX != 0:
		out.Codec = format.LZX
	case h.Flags&(format.FlagXPRESS|format.FlagXPRESS2) != 0:
		out.Codec = format.XPRESS
	case h.Flags&format.FlagLZMS != 0:
		out.Codec = format.LZMS
	default:
		return out, nil, fmt.Errorf("wim: %s: unknown codec in header flags 0x%x: %w", p.Name, h.Flags, format.ErrUnsupported)
	}
	if pipable {
		if b, err := out.read("pipable blob header", format.HeaderSize, format.PipableBlobHeaderSize); err == nil {
			if x, err := format.ParsePipableBlobHeader(b); err == nil {
				out.frontXML = format.PipableBlobHeaderSize + min(ClampSize(x.Size), p.Size)
			}
		}
	}
	if out.Codec != format.None && !format.ChunkSizeOK(out.Codec, h.ChunkSize) {
		return out, nil, format.Errorf("header", p.Name, out.HeaderOff+0x14, "invalid chunk size %d for %v, which takes %s", h.ChunkSize, out.Codec, format.ChunkSizes(out.Codec))
	}
	return out, warnings, nil
}

// Open reads the headers of the parts and of the references, and checks that the parts belong to one set. ReadTables must be called
// before blobs can be read. The errors are those of wim.Open that concern headers.
func Open(parts []Part, o *Options) (*Store, error) {
	a := &Store{Opts: o.withDefaults(), NParts: len(parts)}
	a.chunks = NewLRU[chunkKey, []byte](a.Opts.CacheSize, 1)
	a.judged = NewLRU[judgement, error](judgedChunks, 1)
	if len(parts) == 0 {
		return nil, fmt.Errorf("wim: no parts to open: %w", format.ErrNotFound)
	}
	for i, p := range slices.Concat(parts, a.Opts.References) {
		opened, warnings, err := openPart(p)
		if err != nil {
			return nil, err
		}
		opened.Index = i
		a.Warnings = append(a.Warnings, warnings...)
		a.Parts = append(a.Parts, opened)
		a.Size += p.Size
	}
	if err := a.checkSet(); err != nil {
		return nil, err
	}
	return a, nil
}

// checkSet checks that the parts belong to one set, and finds the missing ones.
func (a *Store) checkSet() error {
	guid := a.Parts[0].Header.GUID
	a.Total = int(a.Parts[0].Header.TotalParts)
	a.first = -1
	seen := make(map[int]string)
	for i := range a.NParts {
		p := &a.Parts[i]
		n := int(p.Header.PartNumber)
		wrong := func(text string, args ...any) error {
			return &WrongPartError{Name: p.Name, Number: n, Reason: fmt.Sprintf(text, args...)}
		}
		if p.Header.GUID != guid {
			return wrong("belongs to another set than %s", a.Parts[0].Name)
		}
		if int(p.Header.TotalParts) != a.Total {
			return wrong("belongs to a set of %d parts, but %s to a set of %d", p.Header.TotalParts, a.Parts[0].Name, a.Total)
		}
		if other, twice := seen[n]; twice {
			return wrong("same part number as %s", other)
		}
		seen[n] = p.Name
		if n == 1 {
			a.first = i
		}
	}
	for n := 1; n <= a.Total; n++ {
		if _, ok := seen[n]; !ok {
			a.Missing = append(a.Missing, n)
		}
	}
	if a.first < 0 && a.Opts.LaterParts {
		a.first = int(a.byNumber(0, a.NParts)[0])
	}
	if a.first < 0 {
		return &MissingPartError{Numbers: a.Missing, Total: a.Total}
	}
	return nil
}
