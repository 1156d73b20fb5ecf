package format

// StreamKind says what a stream of an entry is.
type StreamKind uint8

const (
	StreamData    StreamKind = iota // the unnamed data: a file's content
	StreamNamed                     // a named data stream
	StreamReparse                   // reparse data, without its 8-byte header
	StreamRaw                       // all of an EFS-encrypted file, as the system's backup gives it
)
