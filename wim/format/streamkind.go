package format

// StreamKind is the kind of a stream of an entry.
type StreamKind uint8

const (
	StreamData    StreamKind = iota // the unnamed data: a file's content
	StreamNamed                     // a named data stream
	StreamReparse                   // reparse data, without its 8-byte header
	StreamRaw                       // a whole EFS-encrypted file, as the system's backup function returns it
)
