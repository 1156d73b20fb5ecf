// Package regf reads registry hives: the files that hold the registry of Windows, such as SOFTWARE and SYSTEM in
// System32\config.
//
// A hive is read in place. Looking up a key reads the cells on the path to it and little else, so a hive of 100 MB in an archive
// costs a few chunks:
//
//	h, err := regf.Open(r, size)
//	…
//	k, err := h.Key(`Microsoft\Windows NT\CurrentVersion`)
//	…
//	v, err := k.Value("EditionID")
//	…
//	edition, err := v.Text()
//
// No offset, size or count in a hive is trusted. Whatever a hive holds, a call reads a limited part of it (Hive.Limit), keeps a
// limited part of that in memory, and ends. The package does not write hives.
//
// The format is undocumented. The README explains it, from hivex, Maxim Suhanov's "Windows registry file format specification",
// and experiments.
package regf
