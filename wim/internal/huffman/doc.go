// Package huffman builds decoding tables for canonical prefix codes given by their code lengths, as XPRESS-Huffman and
// LZX have them: shorter codes first, equal lengths in the order of the symbols, read from the highest bit.
//
// [Code] is the plain decoder, a bit at a time, that explains and checks; [Builder] fills the tables of the fast ones.
// For encoders, [LengthBuilder] chooses code lengths and [Codes] gives the codes.
package huffman
