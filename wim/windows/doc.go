// Package windows reads facts about the Windows in an image: the build, edition, languages and product from its registry hives and
// its kernel, as DISM and wimlib write them to the XML document.
//
// [Of] reads them from an image, [OfDraft] from a draft. [Info.Fill] writes them to an IMAGE element, [Info.Differences] compares.
package windows
