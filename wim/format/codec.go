package format

// Codec is the compression of a resource's chunks.
type Codec uint8

// The values are those of a solid resource's header.
const (
	None   Codec = 0
	XPRESS Codec = 1
	LZX    Codec = 2
	LZMS   Codec = 3
)

// String returns the codec's usual name, "none" for None.
func (c Codec) String() string {
	switch c {
	case None:
		return "none"
	case XPRESS:
		return "XPRESS"
	case LZX:
		return "LZX"
	case LZMS:
		return "LZMS"
	}
	return "unknown"
}

// ChunkSizes describes the chunk sizes that a codec may have.
func ChunkSizes(c Codec) string {
	switch c {
	case XPRESS:
		return "powers of two from 4096 to 65536"
	case LZX:
		return "powers of two from 32768 to 2097152"
	case LZMS:
		return "powers of two from 32768 to 1073741824"
	}
	return "none"
}

// ChunkSizeOK reports whether a codec may have chunks of that many bytes: powers of two within its bounds. Microsoft's
// tools write LZX only at 32 KiB and LZMS only up to 64 MiB; wimlib writes the other sizes.
func ChunkSizeOK(c Codec, size uint32) bool {
	if size&(size-1) != 0 {
		return false
	}
	switch c {
	case XPRESS:
		return size >= 1<<12 && size <= 1<<16
	case LZX:
		return size >= 1<<15 && size <= 1<<21
	case LZMS:
		return size >= 1<<15 && size <= 1<<30
	}
	return false
}
