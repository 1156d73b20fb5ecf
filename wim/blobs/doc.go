// Package blobs reads the bytes of an archive: where they lie in its parts, and what they are once unpacked.
//
// [Open] reads the headers of the parts and [Store.ReadTables] their blob tables; then [Store.OpenBlob] reads any blob at any offset,
// and [Store.Regions] says for each byte of a part what it belongs to. The package knows neither images nor the XML document: package
// wim does.
//
// The exported fields of a [Store] are for the packages that plan work on many blobs. They do not change after ReadTables.
package blobs
