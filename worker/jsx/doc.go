// Package jsx says in Go's terms what JavaScript offers a worker or a page: promises awaited, bytes moved,
// exceptions as errors.
package jsx
