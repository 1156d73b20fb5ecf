package format

import (
	"encoding/hex"
	"fmt"
)

// Hash is the SHA-1 of a blob's bytes. The zero Hash is that of empty streams, which have no blob.
type Hash [20]byte

// String returns 40 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h is the hash of an empty stream.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText returns String, so that reports contain digits instead of lists of numbers.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is ParseHash.
func (h *Hash) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHash(string(text))
	return err
}

// ParseHash reads 40 hexadecimal digits, in either case.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != 2*len(h) {
		return h, fmt.Errorf("wim: a hash has %d hexadecimal digits, not %d", 2*len(h), len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("wim: hash: %w", err)
	}
	return h, nil
}

// EmptyHash is the SHA-1 of nothing. Writers should store zero instead; some do not.
const EmptyHash = "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x09"

// ReadHash converts a stored hash. It returns zero for an empty stream, however that is stored.
func ReadHash(h *[20]byte) Hash {
	if string(h[:]) == EmptyHash {
		return Hash{}
	}
	return *h
}
