// Package ntname handles file names as NTFS and WIM store them: UTF-16LE units, not always well formed, compared by the
// volume's own table of upper-case letters.
//
// A stored name is its bytes, without a terminator: a []byte, or a string where it is a key. Escape and Unescape convert
// between units and the names of io/fs, and lose nothing. The package also knows the naming rules of Windows and of
// browsers, and patterns with * and ?.
package ntname
