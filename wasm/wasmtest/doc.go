// Package wasmtest runs the worker programs in their tests, which run in a browser.
package wasmtest
