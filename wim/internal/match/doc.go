// Package match finds earlier occurrences of the bytes at hand, for the encoders of several codecs.
//
// What a finder gives depends on the data and its parameters alone, never on the data that it saw before, so that packed
// chunks are the same however they are shared out among workers.
package match
