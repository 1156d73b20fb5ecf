// Package xpress packs and unpacks XPRESS-Huffman, one of the three compression formats of WIM chunks: LZ77 with one prefix
// code for literals and matches, as in [MS-XCA] 2.1 and 2.2 ("LZ77+Huffman"), without its framing.
//
// A packed chunk begins with a table of 256 bytes: 512 code lengths of four bits each, the low half of a byte first. The
// tokens follow. Symbols 0 to 255 are literal bytes, symbols 256 to 511 are matches: the low four bits of the symbol give the
// length, the next four the number of distance bits. A chunk holds at most 64 KiB, so it has one table.
//
// [Decoder] is the fast decoder. [DecodePlain] is the readable one; it also reports each token. [Encoder] packs. The
// README decodes a packed chunk by hand.
package xpress
