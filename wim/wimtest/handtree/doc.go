// Package handtree makes metadata resources entry by entry, valid and invalid ones, for tests of trees.
package handtree
