package words

// Attributes returns FILE_ATTRIBUTE bits as letters: directory, archive, hidden, system, read-only, compressed, encrypted,
// and L for a link (reparse point). Other bits have none.
func Attributes(bits uint32) string {
	b := make([]byte, 0, 8)
	for _, a := range [...]struct {
		bit    uint32
		letter byte
	}{{0x10, 'D'}, {0x20, 'A'}, {0x2, 'H'}, {0x4, 'S'}, {0x1, 'R'}, {0x800, 'C'}, {0x4000, 'E'}, {0x400, 'L'}} {
		if bits&a.bit != 0 {
			b = append(b, a.letter)
		}
	}
	return string(b)
}
