// Package huffman handles canonical prefix codes given by their code lengths, as XPRESS-Huffman and LZX use them: shorter codes
// come first, codes of equal length in the order of their symbols, and a code is read from its highest bit.
//
// [Code] is the plain decoder, one bit at a time, with all checks. [Builder] fills the tables of the fast decoders. For
// encoders, [LengthBuilder] chooses code lengths and [Codes] returns the codes.
package huffman
