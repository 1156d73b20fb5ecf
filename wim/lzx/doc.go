// Package lzx decodes and encodes LZX as WIM archives use it: LZ77 with prefix codes in blocks, and x86 call addresses made absolute
// beforehand.
//
// The variant differs from that of cabinets ([MS-PATCH], LZX) in this: each chunk stands alone, with three recent distances of 1
// and code lengths of 0 at its start; there is no header that says whether addresses were translated, because they
// always are, as if in a file of 12,000,000 bytes; a block's size is one bit for 32768, or 16 bits, or 24 bits where the
// window is 64 KiB and more; and the window is the chunk.
//
// [Decoder] is the fast one. [DecodePlain] is the readable one, which also explains: it reports each token.
//
// [Encoder] packs chunks, at three levels.
package lzx
