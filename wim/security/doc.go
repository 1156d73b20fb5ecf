// Package security reads Windows security descriptors and shows them, as SDDL and in words.
//
// Structures are those of [MS-DTYP] 2.4, SDDL is that of [MS-DTYP] 2.5.1.
package security
