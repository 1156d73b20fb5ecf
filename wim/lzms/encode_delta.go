package lzms

import (
	"math/bits"
	"unsafe"
)

const deltaHashBits = 17

// deltaFinder finds, for each span, the latest position where the next three bytes differ from those a span before by as much as they do
// at the current position.
//
// Most data has no use for delta matches, and other data mostly uses one or two spans. So a span that was not used for a while is only
// tried at some positions.
type deltaFinder struct {
	powers uint32                     // number of spans: 1, 2, 4 and so on
	always bool                       // try all spans everywhere
	latest [1 << deltaHashBits]uint32 // by hash: the latest position, plus base
	base   uint32                     // grows with each chunk, so that entries of earlier chunks are not above it
	size   uint32                     // of the chunk
	until  [numPowers]int             // by span: end of the positions at which it is always tried
}

const (
	deltaTrial  = 1 << 13 // positions at the start of a chunk at which all spans are tried
	deltaStay   = 1 << 14 // positions after a use at which that span is tried
	deltaSample = 7 << 10 // elsewhere, spans are tried at positions where these bits are zero
)

// reset starts with a new chunk of size bytes.
func (f *deltaFinder) reset(size int) {
	if f.base += f.size; f.base > 1<<31 {
		f.base = 0
		clear(f.latest[:])
	}
	f.size = uint32(size)
	for i := range f.until {
		f.until[i] = deltaTrial
	}
}

// used records that a match of a span was written.
func (f *deltaFinder) used(power uint32, at int) { f.until[power%numPowers] = at + deltaStay }

// spans returns a bit set of the spans to try around a position.
func (f *deltaFinder) spans(at int) uint32 {
	set := uint32(1)<<f.powers - 1
	if f.always || at&deltaSample == 0 {
		return set
	}
	for power, until := range f.until {
		if at >= until {
			set &^= 1 << power
		}
	}
	return set
}

// differences subtracts each byte of y from that of x, without borrows between bytes.
func differences(x, y uint64) uint64 {
	const high = 0x8080808080808080
	return (x | high) - (y &^ high) ^ (x^^y)&high
}

// find looks for candidates at position at, for the spans in set. It writes their pairs to found, shorter spans first, and returns their
// number. It also inserts the position. cur points to it, and to at least four readable bytes.
func (f *deltaFinder) find(cur unsafe.Pointer, at int, set uint32, found *[numPowers]uint32) int {
	const high = 0x80808080
	word := *(*uint32)(cur)
	latest := unsafe.Pointer(&f.latest)
	base, here, n := f.base, uint32(at), 0
	for ; set != 0; set &= set - 1 {
		power := uint32(bits.TrailingZeros32(set)) & 7
		span := uint32(1) << power
		if here < span {
			break
		}
		before := *(*uint32)(unsafe.Add(cur, -int(span)))
		diff := ((word | high) - (before &^ high) ^ (word^^before)&high) & 0xFFFFFF
		if diff == 0 {
			continue // a repetition: an LZ match is better
		}
		// The hash includes at modulo span: only positions a multiple of the span apart can match.
		p := (*uint32)(unsafe.Add(latest, (diff|(span+here&(span-1))<<24)*0x9E3779B1>>(32-deltaHashBits)*4))
		was := *p
		*p = base + here
		offset := base + here - was
		if was <= base || offset == 0 || offset&(span-1) != 0 || offset+span > here || offset>>power>>rawBits != 0 {
			continue // offset is 0 if a shorter span has the same hash
		}
		found[n&(numPowers-1)] = power<<rawBits | offset>>power
		n++
	}
	return n
}

// deltaLength returns the length of the delta match at cur with that offset and span, at most limit. It may read 8 bytes past limit.
func deltaLength(cur unsafe.Pointer, offset, span, limit int) int {
	for i := 0; i < limit; i += 8 {
		p := unsafe.Add(cur, i)
		q := unsafe.Add(p, -offset)
		x := differences(*(*uint64)(p), *(*uint64)(unsafe.Add(p, -span))) ^ differences(*(*uint64)(q), *(*uint64)(unsafe.Add(q, -span)))
		if x != 0 {
			return min(i+bits.TrailingZeros64(x)>>3, limit)
		}
	}
	return limit
}
