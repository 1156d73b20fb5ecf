package core

import (
	"fmt"
	"slices"

	"wimscope/wim/format"
)

// openPart reads and judges a file's header.
func openPart(p Part) (part, []string, error) {
	out := part{Part: p}
	first := make([]byte, min(max(p.Size, 0), format.HeaderSize))
	if _, err := readFull(p.R, first, 0); err != nil {
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
		// The header at the front knows nothing of what follows it; the full one is the last record of the file.
		out.hdrOff = p.Size - format.HeaderSize
		if out.hdrOff < format.HeaderSize {
			return out, nil, &TruncatedError{Name: p.Name, Size: p.Size}
		}
		if _, err := readFull(p.R, first, out.hdrOff); err != nil {
			return out, nil, fmt.Errorf("wim: %s: header: %w", p.Name, err)
		}
		if _, _, pipable, ok := format.Probe(first); !ok || !pipable {
			return out, nil, &TruncatedError{Name: p.Name, Size: p.Size}
		}
	}
	h, err := format.ParseHeader(first)
	if err != nil {
		return out, nil, format.InPart(p.Name, out.hdrOff, err)
	}
	out.hdr = h
	if h.Version != format.Version113 && h.Version != format.Version014 {
		return out, nil, format.Describe(fmt.Sprintf("wim: %s: the format version 0x%08x is not known; 0x%08x (1.13) and 0x%08x (0.14) can be read", p.Name, h.Version, format.Version113, format.Version014), format.ErrUnsupported)
	}
	if h.Flags&format.FlagWriteInProgress != 0 && h.BlobTable.IsZero() && h.XML.IsZero() {
		return out, nil, &UnfinishedError{Name: p.Name, Size: p.Size}
	}
	if h.PartNumber < 1 || h.PartNumber > h.TotalParts {
		return out, nil, format.Errorf("header", p.Name, out.hdrOff+0x28, "part number is %d of %d", h.PartNumber, h.TotalParts)
	}
	if n := out.cut(); n > 0 {
		return out, nil, &TruncatedError{Name: p.Name, Size: p.Size, Missing: n}
	}
	var warnings []string
	if h.Flags&format.FlagWriteInProgress != 0 {
		warnings = append(warnings, fmt.Sprintf("%s: the header says that writing was not finished", p.Name))
	}
	// XPRESS_2 is XPRESS with chunks of another size. More than one bit is set by no writer; LZX goes first.
	switch {
	case h.Flags&format.FlagCompression == 0:
		out.codec = format.None
	case h.Flags&format.FlagLZX != 0:
		out.codec = format.LZX
	case h.Flags&(format.FlagXPRESS|format.FlagXPRESS2) != 0:
		out.codec = format.XPRESS
	case h.Flags&format.FlagLZMS != 0:
		out.codec = format.LZMS
	default:
		return out, nil, fmt.Errorf("wim: %s: header flags 0x%x name no codec that is known: %w", p.Name, h.Flags, format.ErrUnsupported)
	}
	if pipable {
		if b, err := out.read("pipable blob header", format.HeaderSize, format.PipableBlobHeaderSize); err == nil {
			if x, err := format.ParsePipableBlobHeader(b); err == nil {
				out.frontXML = format.PipableBlobHeaderSize + min(clampInt64(x.Size), p.Size)
			}
		}
	}
	if out.codec != format.None && !format.ChunkSizeOK(out.codec, h.ChunkSize) {
		return out, nil, format.Errorf("header", p.Name, out.hdrOff+0x14, "chunk size %d is not valid for %v, which takes %s", h.ChunkSize, out.codec, format.ChunkSizes(out.codec))
	}
	return out, warnings, nil
}

// openStore reads the headers of parts and of the references, and checks that the parts are one set. No blob is known before readTables.
func openStore(parts []Part, o *ReadOptions) (*Store, error) {
	a := &Store{opts: o.withDefaults(), nParts: len(parts)}
	a.chunks = newLRU[chunkKey, []byte](a.opts.CacheSize, 1)
	a.judged = newLRU[judgement, error](judgedChunks, 1)
	if len(parts) == 0 {
		return nil, fmt.Errorf("wim: no part to open: %w", format.ErrNotFound)
	}
	for i, p := range slices.Concat(parts, a.opts.References) {
		opened, warnings, err := openPart(p)
		if err != nil {
			return nil, err
		}
		opened.index = i
		a.warnings = append(a.warnings, warnings...)
		a.parts = append(a.parts, opened)
		a.size += p.Size
	}
	if err := a.checkSet(); err != nil {
		return nil, err
	}
	return a, nil
}

// checkSet sees that the parts belong together, and which are missing.
func (a *Store) checkSet() error {
	guid := a.parts[0].hdr.GUID
	a.total = int(a.parts[0].hdr.TotalParts)
	a.first = -1
	seen := make(map[int]string)
	for i := range a.nParts {
		p := &a.parts[i]
		n := int(p.hdr.PartNumber)
		wrong := func(text string, args ...any) error {
			return &WrongPartError{Name: p.Name, Number: n, Reason: fmt.Sprintf(text, args...)}
		}
		if p.hdr.GUID != guid {
			return wrong("it belongs to another set than %s", a.parts[0].Name)
		}
		if int(p.hdr.TotalParts) != a.total {
			return wrong("its set has %d parts, that of %s %d", p.hdr.TotalParts, a.parts[0].Name, a.total)
		}
		if other, twice := seen[n]; twice {
			return wrong("%s is the same part of the set", other)
		}
		seen[n] = p.Name
		if n == 1 {
			a.first = i
		}
	}
	for n := 1; n <= a.total; n++ {
		if _, ok := seen[n]; !ok {
			a.missing = append(a.missing, n)
		}
	}
	if a.first < 0 && a.opts.LaterParts {
		a.first = a.byNumber(0, a.nParts)[0]
	}
	if a.first < 0 {
		return &MissingPartError{Numbers: a.missing, Total: a.total}
	}
	return nil
}
