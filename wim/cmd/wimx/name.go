package main

import (
	"fmt"
	"runtime"
	"unicode/utf16"
	"unicode/utf8"

	"wimscope/wim/ntname"
)

// nativeName gives the bytes by which a stored name is called on disk: UTF-8, and unpaired surrogates in three
// bytes each, as Go's os package and wimlib write them. It may hold anything but what checkName refuses.
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

// nativeUnits gives the units of a name as it is called on disk: the inverse of nativeName. What is neither UTF-8 nor a
// surrogate in three bytes becomes U+FFFD.
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

// badUnit says that a name with this UTF-16 unit cannot be made on the system at hand.
func badUnit(u uint16, windows bool) bool {
	return u == 0 || u == '/' || windows && !ntname.ValidUnitOnWindows(u)
}

// checkName says whether a stored name can be a file's name here. Nothing that passes can leave the folder that it
// is made in.
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

// dummyName is what --include-invalid-names makes of a name that cannot be: n numbers them.
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
