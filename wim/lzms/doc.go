// Package lzms packs and unpacks LZMS, the strongest of the three compression formats of WIM archives and the usual one of ESD
// files.
//
// A packed chunk holds two streams, both made of 16-bit little-endian units. Decisions between two choices (literal or match,
// LZ or delta match, explicit offset or recent one) come from a binary range coder that reads forward from the start. Symbols
// of adaptive Huffman codes and their extra bits are read backward from the end, most significant bit first. The two streams
// meet somewhere in the middle.
//
// Besides literals and LZ matches there are delta matches, which repeat the differences between bytes a power of two
// apart: they shrink tables of records, and sound. The packer makes addresses in x86 instructions absolute, and the last step of
// decoding makes them relative again: see x86.go.
//
// [Decoder] is the fast decoder. [DecodePlain] is the readable one; it also reports each item. [Encoder] packs, at three
// levels. The README decodes a packed chunk by hand.
package lzms
