package draft

import "wimscope/wim/ntname"

// NotOnWindows counts the names that Windows cannot create: invalid ones, and those that differ from another name in the folder only in
// case. example is the path of one.
func NotOnWindows(d *Draft) (count int, example string) {
	for n := range d.nodes {
		if d.nodes[n].inode < 0 || d.nodes[n].dir < 0 {
			continue
		}
		twin := []byte(nil) // the previous name: names that differ only in case are adjacent
		for _, kid := range d.Children(Node(n)) {
			name := ntname.RawBytes(d.nodes[kid].name)
			if !ntname.ValidOnWindows(ntname.Units(name)) || twin != nil && ntname.EqualFold(twin, name) {
				if count++; count == 1 {
					example = d.Path(kid)
				}
			}
			twin = name
		}
	}
	return count, example
}
