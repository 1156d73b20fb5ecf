package regf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

var (
	// ErrNotHive says that a file is no registry hive, or one of an unknown major version.
	ErrNotHive = errors.New("regf: not a registry hive")
	// ErrCorrupt says that a record makes no sense. The error that wraps it tells which one, and where.
	ErrCorrupt = errors.New("regf: corrupt hive")
	// ErrNotFound says that there is no key or value of that name.
	ErrNotFound = errors.New("regf: not found")
	// ErrType says that a value is not of the type that was asked for.
	ErrType = errors.New("regf: value of another type")
	// ErrLimit says that an answer needs more reading than a sound hive does; see Hive.Limit.
	ErrLimit = errors.New("regf: too much to read")
)

const (
	baseSize   = 4096 // of the base block, which bins follow
	binHeader  = 32   // bytes at the start of a bin
	pageSize   = 16 << 10
	pageCount  = 16
	cellCost   = 64  // what looking at a cell takes of Limit, beside its bytes
	stepCost   = 16  // what looking for a bin's start takes of it, for each 4096 bytes
	pageCost   = 512 // what reading a page takes of it
	maxBinWalk = 512 // pages of 4096 bytes that are looked through for a bin's start: 2 MiB
)

// DefaultLimit is Hive.Limit for a new Hive.
const DefaultLimit = 16 << 20

// Hive is an open registry hive. It keeps 256 KiB of the file at most. It is not for several goroutines at a time, and
// neither are its keys and values.
type Hive struct {
	// Major and Minor are the version of the format: 1.3 to 1.6 in practice.
	Major, Minor uint32
	// Dirty says that the sequence numbers of the base block differ: changes may stand in a log file beside the hive,
	// and parts of the hive may be older than others.
	Dirty bool
	// BadChecksum says that the base block does not match its checksum. Windows would repair such a hive or refuse it.
	BadChecksum bool
	// Limit is how much one call may read, in bytes: each cell counts as 64 more, each page of 16 KiB as 512. Beyond it
	// the error is ErrLimit.
	Limit int

	r     io.ReaderAt
	bins  int64  // bytes of all bins
	root  uint32 // offset of the root key's cell
	left  int    // of Limit, in the current call
	pages [pageCount]page
	next  int // page to be replaced
	bin   struct{ from, to int64 }
}

// page is a stretch of the bins that was read.
type page struct {
	off int64
	b   []byte
}

// Open reads the base block of a hive of size bytes. It refuses what is no hive (ErrNotHive) and one that is cut short
// (ErrCorrupt); what else may be wrong with the base block is told by the fields of Hive.
func Open(r io.ReaderAt, size int64) (*Hive, error) {
	var b [512]byte
	if size < baseSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrNotHive, size)
	}
	if n, err := r.ReadAt(b[:], 0); n < len(b) {
		return nil, readError(0, err)
	}
	le := binary.LittleEndian
	h := &Hive{Major: le.Uint32(b[20:]), Minor: le.Uint32(b[24:]), Limit: DefaultLimit, r: r, root: le.Uint32(b[36:]), bins: int64(le.Uint32(b[40:]))}
	if string(b[:4]) != "regf" {
		return nil, ErrNotHive
	}
	if h.Major != 1 {
		return nil, fmt.Errorf("%w: version %d.%d", ErrNotHive, h.Major, h.Minor)
	}
	if h.bins > size-baseSize {
		return nil, fmt.Errorf("%w: bins of %d bytes in a file of %d", ErrCorrupt, h.bins, size)
	}
	h.Dirty = le.Uint32(b[4:]) != le.Uint32(b[8:])
	h.BadChecksum = Checksum(b[:508]) != le.Uint32(b[508:])
	return h, nil
}

// Checksum is the checksum of a base block: the exclusive or of its first 127 words. 0 and its complement stand for
// something else, and become their neighbours.
func Checksum(b []byte) uint32 {
	var sum uint32
	for ; len(b) >= 4; b = b[4:] {
		sum ^= binary.LittleEndian.Uint32(b)
	}
	switch sum {
	case 0:
		return 1
	case math.MaxUint32:
		return math.MaxUint32 - 1
	}
	return sum
}

// Root is the key that holds all others.
func (h *Hive) Root() (*Key, error) {
	h.begin()
	return h.key(h.root)
}

// Key finds a key by its path from the root. Steps are separated by backslashes and compared ignoring case; empty ones
// do not matter. The error is ErrNotFound if there is no such key.
func (h *Hive) Key(path string) (*Key, error) {
	k, err := h.Root()
	if err != nil {
		return nil, err
	}
	return k.Key(path)
}

// Key finds a key below k, as Hive.Key does.
func (k *Key) Key(path string) (*Key, error) {
	for step := range strings.SplitSeq(path, `\`) {
		if step == "" {
			continue
		}
		var err error
		if k, err = k.subkey(step); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// begin gives the current call all of Limit.
func (h *Hive) begin() { h.left = h.Limit }

func (h *Hive) spend(n int) error {
	if h.left -= n; h.left < 0 {
		return ErrLimit
	}
	return nil
}

// cell is the data of a record: off is where they start, from the first bin on.
type cell struct {
	off, n int64
}

func (c cell) corrupt(text string, args ...any) error {
	return fmt.Errorf("%w: cell at 0x%x: %s", ErrCorrupt, baseSize+c.off-4, fmt.Sprintf(text, args...))
}

// cell finds a cell in use of at least least bytes. off is as records have it: from the first bin on, to the size that
// stands before a cell's data, which is negative for a cell in use.
func (h *Hive) cell(off uint32, least int64) (cell, error) {
	c := cell{off: int64(off) + 4}
	if err := h.spend(cellCost); err != nil {
		return c, err
	}
	if off%8 != 0 || c.off > h.bins {
		return c, c.corrupt("no cell can be there")
	}
	if err := h.findBin(int64(off)); err != nil {
		return c, err
	}
	b, err := h.bytes(int64(off), 4)
	if err != nil {
		return c, err
	}
	size := -int64(int32(binary.LittleEndian.Uint32(b)))
	switch c.n = size - 4; {
	case size < 0:
		return c, c.corrupt("is free")
	case c.off+c.n > h.bin.to:
		return c, c.corrupt("goes on beyond its bin")
	case c.n < least:
		return c, c.corrupt("has %d bytes, %d are needed", c.n, least)
	}
	return c, nil
}

// read reads n bytes of the cell's data from at on. They hold until the next read.
func (h *Hive) read(c cell, at, n int64) ([]byte, error) {
	if at+n > c.n {
		return nil, c.corrupt("has %d bytes, %d are needed", c.n, at+n)
	}
	if err := h.spend(int(n)); err != nil {
		return nil, err
	}
	return h.bytes(c.off+at, n)
}

// findBin finds the bin that holds an offset. Bins begin at multiples of 4096 with a signature, their own offset and
// their size.
func (h *Hive) findBin(off int64) error {
	if off >= h.bin.from && off < h.bin.to {
		return nil
	}
	for at, i := off&^4095, 0; at >= 0 && i < maxBinWalk; at, i = at-4096, i+1 {
		if err := h.spend(stepCost); err != nil {
			return err
		}
		b, err := h.bytes(at, binHeader)
		if err != nil {
			return err
		}
		if string(b[:4]) != "hbin" || int64(binary.LittleEndian.Uint32(b[4:])) != at {
			continue
		}
		size := int64(binary.LittleEndian.Uint32(b[8:]))
		if off < at+binHeader || off >= at+size || at+size > h.bins {
			break
		}
		h.bin.from, h.bin.to = at+binHeader, at+size
		return nil
	}
	return fmt.Errorf("%w: 0x%x is in no bin", ErrCorrupt, baseSize+off)
}

// bytes reads n bytes at off, from the first bin on. They hold until the next read.
func (h *Hive) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n > h.bins-off {
		return nil, fmt.Errorf("%w: 0x%x is beyond the last bin", ErrCorrupt, baseSize+off)
	}
	p, err := h.page(off &^ (pageSize - 1))
	if err != nil {
		return nil, err
	}
	at := off - p.off
	if at+n <= int64(len(p.b)) {
		return p.b[at : at+n], nil
	}
	out := append(make([]byte, 0, n), p.b[at:]...)
	for int64(len(out)) < n {
		if p, err = h.page(p.off + pageSize); err != nil {
			return nil, err
		}
		out = append(out, p.b[:min(n-int64(len(out)), int64(len(p.b)))]...)
	}
	return out, nil
}

// page reads a page, or finds it among those that were read last.
func (h *Hive) page(off int64) (*page, error) {
	for i := range h.pages {
		if p := &h.pages[i]; p.b != nil && p.off == off {
			return p, nil
		}
	}
	if err := h.spend(pageCost); err != nil {
		return nil, err
	}
	p := &h.pages[h.next]
	h.next = (h.next + 1) % pageCount
	if p.b == nil {
		p.b = make([]byte, pageSize)
	}
	p.off, p.b = off, p.b[:min(pageSize, h.bins-off)]
	if n, err := h.r.ReadAt(p.b, baseSize+off); n < len(p.b) {
		p.b = nil
		return nil, readError(baseSize+off, err)
	}
	return p, nil
}

func readError(off int64, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("regf: read at 0x%x: %w", off, err)
}
