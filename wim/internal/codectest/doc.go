// Package codectest holds what the tests of the codecs share: test vectors as text, and, in its own tests, the decoding of
// archives made by wimlib-imagex.
package codectest
