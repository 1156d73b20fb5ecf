// Package jsx offers JavaScript's features in Go's terms: it awaits promises, copies bytes, and turns exceptions into
// errors.
package jsx
