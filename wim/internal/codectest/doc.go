// Package codectest holds what the tests of the codecs share: test vectors as text. Its own tests decode archives made by
// wimlib-imagex, and check that wimlib-imagex reads what our encoders pack.
package codectest
