// Package regf reads registry hives: the files that hold the registry of Windows, such as SOFTWARE and SYSTEM in
// System32\config.
//
// A hive is read where it lies. Looking a key up reads the cells on the way to it and little else, so that a hive of
// 100 MB in an archive costs a few of its chunks:
//
//	h, err := regf.Open(r, size)
//	…
//	k, err := h.Key(`Microsoft\Windows NT\CurrentVersion`)
//	…
//	v, err := k.Value("EditionID")
//	…
//	edition, err := v.Text()
//
// Every offset, size and count in a hive may lie. Whatever a hive holds, a call reads a bounded part of it (Hive.Limit),
// keeps a bounded part of that, and ends. Nothing is written.
//
// The format is undocumented. The README beside this file teaches it; what is known comes from hivex, from Maxim Suhanov's
// "Windows registry file format specification", and from looking.
package regf
