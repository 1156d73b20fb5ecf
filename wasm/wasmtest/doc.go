// Package wasmtest runs the workers' programs in their tests, which are js and run in a browser.
package wasmtest
