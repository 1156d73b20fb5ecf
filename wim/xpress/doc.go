// Package xpress packs and unpacks XPRESS-Huffman, one of the three ways in which a WIM archive packs its chunks: LZ77 with one
// prefix code for literals and matches, as in [MS-XCA] 2.1 and 2.2 ("LZ77+Huffman"), without its framing.
//
// A packed chunk is a table of 256 bytes, which are 512 code lengths of four bits, the lower half of a byte first, and
// then the tokens. Symbols 0 to 255 are literal bytes. The others are matches: the low four bits of the symbol say the
// length, the next four the size of the distance. A chunk holds at most 64 KiB, so it has one table.
//
// [Decoder] is the fast decoder. [DecodePlain] is the readable one, which also explains: it reports each token.
// [Encoder] packs.
package xpress
