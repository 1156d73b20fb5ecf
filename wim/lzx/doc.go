// Package lzx packs and unpacks LZX as WIM archives use it: LZ77 with blocks of prefix codes, after the addresses of x86 calls
// were made absolute.
//
// The variant differs from that of cabinets ([MS-PATCH], LZX):
//
//   - Each chunk stands alone. It starts with three recent distances of 1 and code lengths of 0.
//   - No header says whether call addresses were translated. They always are, as if in a file of 12,000,000 bytes.
//   - The size of a block is one bit for 32768, or else 16 bits, or 24 bits if the window is 64 KiB or more.
//   - The window is as large as a chunk.
//
// [Decoder] is the fast decoder. [DecodePlain] is the readable one; it also reports each token. [Encoder] packs, at three
// levels. The README decodes a packed chunk by hand.
package lzx
