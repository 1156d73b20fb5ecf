// Package match finds earlier occurrences of the bytes at a position, for the encoders of several codecs.
//
// The matches depend only on the data and the parameters, never on earlier data, so that packed chunks are the same however
// they are distributed among workers.
package match
