// Package wimtest makes what tests of WIM software need: seeded random trees on disk, archives of them in every
// form that the tools at hand can write, archives made by hand for what no tool writes, and comparisons that say
// where two trees differ.
//
// It imports os and runs programs, so nothing but tests and test programs may import it.
package wimtest
