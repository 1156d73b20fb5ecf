package extract

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// archive/tar is not used to write TAR headers, since its other half (reading, users, reflection) would add a fortieth to
// the browser's program. The format is that of POSIX.1-2001: "pax Interchange Format", "ustar Interchange Format".

const (
	tarNameLen = 100
	tarOctal11 = 1<<33 - 1 // the largest number with eleven octal digits
)

// appendTARHead appends an entry's ustar header, preceded by a pax header for what does not fit in it.
func appendTARHead(b []byte, e *Entry) ([]byte, error) {
	h, err := newTARHead(e)
	if err != nil {
		return b, err
	}
	if len(h.pax) > 0 {
		last := h.name[strings.LastIndexByte(strings.TrimSuffix(h.name, "/"), '/')+1:]
		b = appendUstar(b, "PaxHeaders.0/"+last, "", 'x', 0o644, int64(h.paxLen), 0)
		for _, r := range h.pax {
			b = r.append(b)
		}
		b = append(b, zeros[:-h.paxLen&(tarBlock-1)]...)
	}
	return appendUstar(b, h.name, h.link, h.kind, int64(unixMode(e)&0o7777), h.size, h.sec), nil
}

// tarHeadLen returns the number of bytes that appendTARHead appends.
func tarHeadLen(e *Entry) (int64, error) {
	h, err := newTARHead(e)
	if err != nil {
		return 0, err
	}
	n := int64(tarBlock)
	if len(h.pax) > 0 {
		n += tarBlock + int64(h.paxLen+tarBlock-1)&^(tarBlock-1)
	}
	return n, nil
}

// tarHead holds the fields of an entry's headers.
type tarHead struct {
	name, link string
	size, sec  int64
	kind       byte
	pax        []paxRecord
	paxLen     int // size of the records in bytes
}

func (h *tarHead) add(key, value string) {
	r := paxRecord{key, value}
	h.pax = append(h.pax, r)
	h.paxLen += r.len()
}

func newTARHead(e *Entry) (tarHead, error) {
	h := tarHead{name: e.Path, kind: '0'}
	switch e.Kind {
	case EntryFile:
		h.size = e.Size
	case EntryDir:
		h.name, h.kind = zipName(e), '5'
	case EntrySymlink:
		h.link, h.kind = e.Target, '2'
	case EntryHardLink:
		h.link, h.kind = e.Target, '1'
	}
	if strings.IndexByte(h.name, 0) >= 0 || strings.IndexByte(h.link, 0) >= 0 {
		return h, fmt.Errorf("wim: %q in a TAR: a name with NUL", e.Path)
	}
	if !fitsTAR(h.name) {
		h.add("path", h.name)
	}
	if !fitsTAR(h.link) {
		h.add("linkpath", h.link)
	}
	if h.size > tarOctal11 {
		h.add("size", strconv.FormatInt(h.size, 10))
	}
	t := e.Modified.Time()
	h.sec = t.Unix()
	if t.Nanosecond() != 0 || h.sec < 0 || h.sec > tarOctal11 {
		h.add("mtime", paxTime(t))
	}
	return h, nil
}

// fitsTAR reports whether a ustar header can hold a name.
func fitsTAR(s string) bool {
	if len(s) > tarNameLen {
		return false
	}
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// paxRecord is a record of a pax header. It begins with its own length, which includes the digits of the length.
type paxRecord struct{ key, value string }

func (r paxRecord) len() int {
	rest := len(r.key) + len(r.value) + 3 // the space, the = and the newline
	n := rest + len(strconv.Itoa(rest))
	if m := rest + len(strconv.Itoa(n)); m != n {
		n = m
	}
	return n
}

func (r paxRecord) append(b []byte) []byte {
	b = strconv.AppendInt(b, int64(r.len()), 10)
	b = append(b, ' ')
	b = append(b, r.key...)
	b = append(b, '=')
	b = append(b, r.value...)
	return append(b, '\n')
}

// paxTime returns a time in seconds since 1970, with as many decimals as needed.
func paxTime(t time.Time) string {
	sec, nsec, sign := t.Unix(), t.Nanosecond(), ""
	if sec < 0 {
		sec, sign = -sec, "-"
		if nsec > 0 {
			sec, nsec = sec-1, 1e9-nsec
		}
	}
	s := sign + strconv.FormatInt(sec, 10)
	if nsec == 0 {
		return s
	}
	return s + "." + strings.TrimRight(strconv.Itoa(1e9 + nsec)[1:], "0")
}

// appendUstar appends a header block. What does not fit is truncated, set to zero or, in names, replaced by _: the pax
// header has the exact value.
func appendUstar(b []byte, name, link string, kind byte, mode, size, mtime int64) []byte {
	start := len(b)
	b = append(b, zeros[:tarBlock]...)
	h := b[start:]
	putTARName(h[:tarNameLen], name)
	putOctal(h[100:107], mode)
	putOctal(h[108:115], 0) // user
	putOctal(h[116:123], 0) // group
	putOctal(h[124:135], size)
	putOctal(h[136:147], mtime)
	h[156] = kind
	putTARName(h[157:257], link)
	copy(h[257:], "ustar\x0000")
	putOctal(h[329:336], 0) // device
	putOctal(h[337:344], 0)
	copy(h[148:156], "        ") // the checksum is computed with spaces in its field
	sum := int64(0)
	for _, c := range h {
		sum += int64(c)
	}
	putOctal(h[148:154], sum)
	h[154] = 0
	return b
}

// putOctal fills a field with the octal digits of a number, or with zeros if it does not fit.
func putOctal(to []byte, v int64) {
	if v < 0 || v >= 1<<(3*len(to)) {
		v = 0
	}
	for i := len(to) - 1; i >= 0; i-- {
		to[i] = '0' + byte(v&7)
		v >>= 3
	}
}

// putTARName copies a name to a field, with _ for each character that is not ASCII.
func putTARName(to []byte, name string) {
	k := 0
	for _, r := range name {
		if k == len(to) {
			return
		}
		if r >= 0x80 {
			r = '_'
		}
		to[k] = byte(r)
		k++
	}
}
