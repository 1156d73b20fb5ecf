// Package codec packs and unpacks chunks: it is the one place that knows which codec has which decoder and encoder,
// how much memory an encoder takes, and which chunk sizes are usual.
package codec
