// Package wimtest provides what tests of WIM software need: random trees from a seed, archives of them in every form that the
// available tools can write, archives made by hand for what no tool writes, and comparisons that report where two trees
// differ.
//
// It imports os and runs programs, so only tests and test programs may import it.
package wimtest
