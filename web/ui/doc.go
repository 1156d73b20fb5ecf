// Package ui has the components of the page, in Vugu, over the model of web/state. Components only read the model and call
// its commands. Words come from the catalogue, and text is set as text, never as markup.
package ui

//go:generate go tool vugugen -skip-go-mod -skip-main .
//go:generate gofmt -w .
//go:generate go run ./shrink
//go:generate gofmt -w .
