package blobs

import "encoding/hex"

// Identity is the part of a file's header that shows which files belong together.
type Identity struct {
	GUID   string // 32 hexadecimal digits in file order, the same in all parts of a set
	Number int    // of the part, from 1
	Total  int    // parts in the set
}

// Identify reads the header of one file and nothing else. The errors are those of wim.Open for a single file.
func Identify(p Part) (Identity, error) {
	opened, _, err := openPart(p)
	if err != nil {
		return Identity{}, err
	}
	h := &opened.Header
	return Identity{GUID: hex.EncodeToString(h.GUID[:]), Number: int(h.PartNumber), Total: int(h.TotalParts)}, nil
}
