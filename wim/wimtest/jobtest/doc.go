// Package jobtest runs whole jobs for tests: a verification, an extraction to memory, everything that can unpack something.
package jobtest
