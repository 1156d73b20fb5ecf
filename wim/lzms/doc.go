// Package lzms decodes and encodes LZMS, the strongest of the three compression formats of WIM archives and the usual one of ESD files.
//
// A packed chunk is two streams in one run of bytes, both made of 16-bit little-endian units. Decisions between two choices
// (literal or match, LZ or delta match, new offset or recent one) come from a binary range coder that reads forward from the
// start. Symbols and their extra bits come from adaptive Huffman codes and are read backward from the end, most
// significant bit first. The two meet somewhere in the middle.
//
// Besides literals and LZ matches there are delta matches, which repeat the differences between bytes a power of two
// apart: tables of records and sound shrink by them. When all of a chunk is there, addresses in x86 instructions, which the
// packer had made absolute, are made relative again: see x86.go.
//
// [Decoder] is the fast one. [DecodePlain] is the readable one, which also explains: it reports each item.
//
// [Encoder] packs chunks, at three levels.
package lzms
