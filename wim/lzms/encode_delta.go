package lzms

import (
	"math/bits"
	"unsafe"
)

const deltaHashBits = 17

// deltaFinder finds, for each span, the latest place where the next three bytes differ from those a span before by as much as they do at the place
// in hand.
//
// Most data has no use for that, and data that has mostly for one or two spans. So a span that was of no use for a while is looked for in part of the
// places only.
type deltaFinder struct {
	powers uint32                     // spans of 1, 2, 4 and so on: how many of them
	always bool                       // look for all of them everywhere
	latest [1 << deltaHashBits]uint32 // of each hash: the place, plus base
	base   uint32                     // grows from chunk to chunk by so much that places of earlier ones are not above it
	size   uint32                     // of the chunk
	until  [numPowers]int             // of each span: up to where it is looked for everywhere
}

const (
	deltaTrial  = 1 << 13 // places at the start of a chunk that are looked at for all spans
	deltaStay   = 1 << 14 // and after a use, for the span used
	deltaSample = 7 << 10 // otherwise, those where these bits are zero
)

// reset takes up a chunk of so many bytes.
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

// used notes that a match of a span was taken.
func (f *deltaFinder) used(power uint32, at int) { f.until[power%numPowers] = at + deltaStay }

// spans says by one bit for each which spans to look for around a place.
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

// differences are those of each byte of x and y, without borrows.
func differences(x, y uint64) uint64 {
	const high = 0x8080808080808080
	return (x | high) - (y &^ high) ^ (x^^y)&high
}

// find looks for candidates for the place at, of the spans in set, puts their pairs into found, shorter spans first, and says how many they are. It
// notes the place. Four bytes can be read from cur on.
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
			continue // a repetition: an LZ match tells it better
		}
		// Places that are not a multiple of the span apart have no use for each other.
		p := (*uint32)(unsafe.Add(latest, (diff|(span+here&(span-1))<<24)*0x9E3779B1>>(32-deltaHashBits)*4))
		was := *p
		*p = base + here
		offset := base + here - was
		if was <= base || offset == 0 || offset&(span-1) != 0 || offset+span > here || offset>>power>>rawBits != 0 {
			continue // offset is 0 where a shorter span has the same hash
		}
		found[n&(numPowers-1)] = power<<rawBits | offset>>power
		n++
	}
	return n
}

// deltaLength is how many bytes from cur on are to those a span before what the ones an offset before are to each other, at most limit. 8 bytes
// after the limit can be read.
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
