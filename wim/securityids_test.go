package wim

import (
	"fmt"
	"testing"

	"wimscope/wim/security"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/handtree"
)

// TestSecurityIDs reads h2.wim, in which a security id without a descriptor counts as none.
func TestSecurityIDs(t *testing.T) {
	root := handtree.Dir("")
	for i, id := range []int32{-1, 0, 1, 2, 1 << 30, -1 << 31} {
		e := handtree.File(fmt.Sprint(i))
		if e.D.SecurityID = id; id >= 0 {
			e.D.SecurityID++ // as the tree's maker has it
		}
		root.Kids = append(root.Kids, e)
	}
	im := mustLoad(t, handtree.Metadata(root, wimtest.Descriptor(), []byte("nonsense")))
	if want := len(root.Kids) + 1; im.Len() != want {
		t.Fatalf("%d entries, want %d", im.Len(), want)
	}
	for n := Node(1); int(n) < im.Len(); n++ {
		sd, err := security.Parse(im.Security(n))
		if want := n == 2; (err == nil) != want {
			t.Errorf("entry %d: descriptor %v, %v", n-1, sd, err)
		}
		if n == 2 && sd.SDDL() != "O:BAG:SYD:(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)" {
			t.Errorf("SDDL is %s", sd.SDDL())
		}
	}
}
