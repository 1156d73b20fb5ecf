package blobs

import "encoding/hex"

// Identity is what a file's header says of it, enough to tell which files belong together.
type Identity struct {
	GUID   string // 32 hexadecimal digits in file order: the parts of a set have one
	Number int    // of the part, from 1
	Total  int    // parts in the set
}

// Identify reads the header of one file and nothing else. Its errors are those that Open has for a file by itself.
func Identify(p Part) (Identity, error) {
	opened, _, err := openPart(p)
	if err != nil {
		return Identity{}, err
	}
	h := &opened.Header
	return Identity{GUID: hex.EncodeToString(h.GUID[:]), Number: int(h.PartNumber), Total: int(h.TotalParts)}, nil
}
