package main

import (
	"fmt"
	"runtime"
	"unicode/utf16"
	"unicode/utf8"

	"wimscope/wim/ntname"
)

// nativeName converts a stored name to the one used on disk: UTF-8, with unpaired surrogates in three bytes each, as Go's os
// package and wimlib write them. It accepts any name, see checkName.
func nativeName(units []uint16) string {
	var b []byte
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			if i+1 < len(units) {
				if d := utf16.DecodeRune(r, rune(units[i+1])); d != utf8.RuneError {
					b = utf8.AppendRune(b, d)
					i++
					continue
				}
			}
			b = append(b, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
			continue
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}

// nativeUnits is the inverse of nativeName. Bytes that are neither UTF-8 nor a surrogate in three bytes become U+FFFD.
func nativeUnits(name string) []uint16 {
	var units []uint16
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && n == 1 && i+2 < len(name) && name[i] == 0xED && name[i+1]&0xE0 == 0xA0 && name[i+2]&0xC0 == 0x80 {
			units = append(units, 0xD000|uint16(name[i+1]&0x3F)<<6|uint16(name[i+2]&0x3F))
			i += 3
			continue
		}
		units = utf16.AppendRune(units, r)
		i += n
	}
	return units
}

// badUnit reports whether a name with this UTF-16 unit cannot be created on the system.
func badUnit(u uint16, windows bool) bool {
	return u == 0 || u == '/' || windows && !ntname.ValidUnitOnWindows(u)
}

// checkName reports whether a stored name can be the name of a file here. A name that passes cannot leave the folder in which
// it is created.
func checkName(units []uint16, windows bool) bool {
	if len(units) == 0 || len(units) <= 2 && units[0] == '.' && units[len(units)-1] == '.' {
		return false
	}
	for _, u := range units {
		if badUnit(u, windows) {
			return false
		}
	}
	return !windows || ntname.ValidOnWindows(units)
}

// dummyName returns the name that --include-invalid-names uses for an invalid name. n numbers them.
func dummyName(units []uint16, n int, windows bool) string {
	fixed := make([]uint16, len(units))
	for i, u := range units {
		fixed[i] = u
		if badUnit(u, windows) {
			fixed[i] = 0xFFFD
		}
	}
	return fmt.Sprintf("%s (invalid filename #%d)", nativeName(fixed), n)
}

const onWindows = runtime.GOOS == "windows"
