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
	// ErrNotHive means that a file is not a registry hive, or has an unknown major version.
	ErrNotHive = errors.New("regf: not a registry hive")
	// ErrCorrupt means that a record is malformed. The error that wraps it says which one, and where.
	ErrCorrupt = errors.New("regf: corrupt hive")
	// ErrNotFound means that there is no key or value of that name.
	ErrNotFound = errors.New("regf: not found")
	// ErrType means that a value does not have the requested type.
	ErrType = errors.New("regf: value has another type")
	// ErrLimit means that a call has to read more than it would in a valid hive; see Hive.Limit.
	ErrLimit = errors.New("regf: too large to read")
)

const (
	baseSize   = 4096 // size of the base block; the bins follow
	binHeader  = 32   // size of a bin header
	pageSize   = 16 << 10
	pageCount  = 16
	cellCost   = 64  // cost of a cell in units of Limit, besides its bytes
	stepCost   = 16  // cost of a step of 4096 bytes in the search for the start of a bin
	pageCost   = 512 // cost of reading a page
	maxBinWalk = 512 // largest number of those steps: 2 MiB
)

// DefaultLimit is the Limit of a new Hive.
const DefaultLimit = 16 << 20

// Hive is an open registry hive. It caches at most 256 KiB of the file. Neither it nor its keys and values are safe for
// concurrent use.
type Hive struct {
	// Major and Minor are the version of the format: 1.3 to 1.6 in practice.
	Major, Minor uint32
	// Dirty means that the sequence numbers of the base block differ: a log file beside the hive may hold changes, and parts of
	// the hive may be older than others.
	Dirty bool
	// BadChecksum means that the base block does not match its checksum. Windows would repair or refuse such a hive.
	BadChecksum bool
	// Limit is the number of bytes that one call may read. Each cell counts as 64 bytes more, each page of 16 KiB as 512. A
	// call that exceeds it returns ErrLimit.
	Limit int

	r     io.ReaderAt
	bins  int64  // size of all bins
	root  uint32 // offset of the root key's cell
	left  int    // rest of Limit in the current call
	pages [pageCount]page
	next  int // page to replace next
	bin   struct{ from, to int64 }
}

// page is a cached stretch of the bins.
type page struct {
	off int64
	b   []byte
}

// Open reads the base block of a hive of size bytes. It returns ErrNotHive if r is not a hive, and ErrCorrupt if it is truncated.
// The fields of Hive report other faults of the base block.
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

// Checksum returns the checksum of a base block: the exclusive or of its first 127 words. 0 and
// 0xffffffff have a special meaning, and become 1 and 0xfffffffe.
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

// Root returns the root key.
func (h *Hive) Root() (*Key, error) {
	h.begin()
	return h.key(h.root)
}

// Key returns the key at a path from the root. Steps are separated by backslashes and compared ignoring case; empty steps are
// skipped. It returns ErrNotFound if there is no such key.
func (h *Hive) Key(path string) (*Key, error) {
	k, err := h.Root()
	if err != nil {
		return nil, err
	}
	return k.Key(path)
}

// Key returns a key below k, as Hive.Key does.
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

// begin resets the limit for a new call.
func (h *Hive) begin() { h.left = h.Limit }

func (h *Hive) spend(n int) error {
	if h.left -= n; h.left < 0 {
		return ErrLimit
	}
	return nil
}

// cell is the data of a record; off is where they start, counted from the first bin.
type cell struct {
	off, n int64
}

func (c cell) corrupt(text string, args ...any) error {
	return fmt.Errorf("%w: cell at 0x%x: %s", ErrCorrupt, baseSize+c.off-4, fmt.Sprintf(text, args...))
}

// cell returns a cell in use of at least least bytes. off is an offset as in records: from the first bin to the size field before
// the cell's data. The size is negative for a cell in use.
func (h *Hive) cell(off uint32, least int64) (cell, error) {
	c := cell{off: int64(off) + 4}
	if err := h.spend(cellCost); err != nil {
		return c, err
	}
	if off%8 != 0 || c.off > h.bins {
		return c, c.corrupt("not a valid cell offset")
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
		return c, c.corrupt("extends past its bin")
	case c.n < least:
		return c, c.corrupt("has %d bytes, needs %d", c.n, least)
	}
	return c, nil
}

// read returns n bytes of the cell's data, starting at at. They are valid until the next read.
func (h *Hive) read(c cell, at, n int64) ([]byte, error) {
	if at+n > c.n {
		return nil, c.corrupt("has %d bytes, needs %d", c.n, at+n)
	}
	if err := h.spend(int(n)); err != nil {
		return nil, err
	}
	return h.bytes(c.off+at, n)
}

// findBin returns the bin that holds an offset. Bins begin at multiples of 4096 with a signature, their own offset and their
// size.
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
	return fmt.Errorf("%w: 0x%x is not in any bin", ErrCorrupt, baseSize+off)
}

// bytes returns n bytes at off, counted from the first bin. They are valid until the next read.
func (h *Hive) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n > h.bins-off {
		return nil, fmt.Errorf("%w: 0x%x is past the last bin", ErrCorrupt, baseSize+off)
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

// page returns a page, from the cache if it is there.
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
