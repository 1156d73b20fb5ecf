package core

import "strings"

// strangeName says that a stored name is none that Windows can have: by its characters, its end, or because it means a device.
func strangeName(name []byte) bool {
	last := len(name) - 2
	if last < 0 {
		return false
	}
	for i := 0; i < last+2; i += 2 {
		if c := name[i]; name[i+1] == 0 && (c < ' ' || c < 0x80 && strings.IndexByte(`"*/:<>?\|`, c) >= 0) {
			return true
		}
	}
	if name[last+1] == 0 && (name[last] == ' ' || name[last] == '.') {
		return true
	}
	if name[1] != 0 || strings.IndexByte("cpanlCPANL", name[0]) < 0 {
		return false // saves the others the conversion
	}
	stem, _, _ := strings.Cut(strings.ToLower(textOf(name)), ".")
	return isDeviceName(stem)
}

// strangeNames counts the names that Windows cannot have beside the others of their folder: strange ones, and such as differ
// from another one by case alone. example is the path of one.
func (d *Draft) strangeNames() (count int, example string) {
	for n := range d.nodes {
		if d.nodes[n].inode < 0 || d.nodes[n].dir < 0 {
			continue
		}
		twin := []byte(nil) // the one before: those that differ by case alone stand together
		for _, kid := range d.Children(DraftNode(n)) {
			name := rawBytes(d.nodes[kid].name)
			if strangeName(name) || twin != nil && nameEqualFold(twin, name) {
				if count++; count == 1 {
					example = d.Path(kid)
				}
			}
			twin = name
		}
	}
	return count, example
}
