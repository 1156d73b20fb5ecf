// Package windows reads facts about the Windows in an image from its registry hives and its kernel: build, edition, languages and product,
// as DISM and wimlib write them to the XML document.
//
// [Of] reads them from an image, [OfDraft] from a draft. [Info.Fill] writes them to an IMAGE element, [Info.Differences] compares them
// with one.
package windows
