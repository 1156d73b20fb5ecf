package words

import "testing"

func TestAttributes(t *testing.T) {
	for in, want := range map[uint32]string{
		0: "", 0x10: "D", 0x20: "A", 0x2: "H", 0x4: "S", 0x1: "R", 0x800: "C", 0x4000: "E", 0x400: "L",
		0x10 | 0x20 | 2 | 4 | 1 | 0x400: "DAHSRL", 1<<32 - 1: "DAHSRCEL", 0x80 | 0x100 | 0x2000: "",
	} {
		if got := Attributes(in); got != want {
			t.Errorf("Attributes(%#x) = %q, want %q", in, got, want)
		}
	}
}
