package format

// StreamKind is the kind of an inode's stream.
type StreamKind uint8

const (
	StreamData    StreamKind = iota // the unnamed data stream
	StreamNamed                     // a named data stream
	StreamReparse                   // reparse data, without its 8-byte header
	StreamRaw                       // a whole EFS-encrypted file, as the system's backup function returns it
)
