// Package blobs finds and reads what an archive stores: its blobs, each identified by its SHA-1, in the resources of its parts.
//
// [OpenStore] reads the headers of the parts, and [Store.ReadTables] their blob tables. Then [Store.OpenBlob] reads any blob at any
// offset, and [Store.Regions] reports what each byte of a part belongs to. The package knows neither images nor the XML document;
// package wim does.
//
// The exported fields of a [Store] are for packages that plan work on many blobs. They do not change after ReadTables.
package blobs
