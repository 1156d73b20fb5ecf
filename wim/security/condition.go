package security

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"wimscope/wim/ntname"
)

// conditionText writes the condition of a callback ACE as SDDL does, in parentheses: [MS-DTYP] 2.4.4.17 for the
// bytes, 2.5.1.1 for the text. A malformed condition is shown in hexadecimal.
func conditionText(b []byte) string {
	if text, ok := decodeCondition(b); ok {
		return "(" + text + ")"
	}
	return fmt.Sprintf("(0x%x)", b)
}

const maxConditionTokens = 500 // conditions in practice have a dozen

// term is an operand on the stack: its text, and how tightly it binds.
type term struct {
	text  string
	level int // 0 a value or function, 1 a comparison, 2 &&, 3 ||
}

func (t term) in(level int) string {
	if t.level >= 2 && t.level != level {
		return "(" + t.text + ")"
	}
	return t.text
}

// decodeCondition evaluates the tokens, which are in postfix order after the signature "artx".
func decodeCondition(b []byte) (string, bool) {
	if len(b) < 4 || string(b[:4]) != "artx" {
		return "", false
	}
	b = b[4:]
	var stack []term
	for range maxConditionTokens {
		if len(b) == 0 || b[0] == 0 { // zeros pad it to a multiple of four
			break
		}
		token := b[0]
		if token < 0x80 || token >= 0xf8 {
			text, n, ok := conditionOperand(b, 0)
			if !ok {
				return "", false
			}
			b = b[n:]
			stack = append(stack, term{text: text})
			continue
		}
		b = b[1:]
		op, operands := conditionOperator(token)
		if len(stack) < operands || operands == 0 {
			return "", false
		}
		args := stack[len(stack)-operands:]
		stack = stack[:len(stack)-operands]
		var t term
		switch {
		case token == 0xa0:
			t = term{args[0].in(2) + " && " + args[1].in(2), 2}
		case token == 0xa1:
			t = term{args[0].in(3) + " || " + args[1].in(3), 3}
		case token == 0xa2:
			t = term{"!(" + args[0].text + ")", 0}
		case operands == 1:
			t = term{op + " " + args[0].in(1), 1}
		default:
			t = term{args[0].in(1) + " " + op + " " + args[1].in(1), 1}
		}
		stack = append(stack, t)
	}
	for _, c := range b {
		if c != 0 {
			return "", false
		}
	}
	if len(stack) != 1 {
		return "", false
	}
	return stack[0].text, true
}

func conditionOperator(token byte) (name string, operands int) {
	switch token {
	case 0x80:
		return "==", 2
	case 0x81:
		return "!=", 2
	case 0x82:
		return "<", 2
	case 0x83:
		return "<=", 2
	case 0x84:
		return ">", 2
	case 0x85:
		return ">=", 2
	case 0x86:
		return "Contains", 2
	case 0x87:
		return "Exists", 1
	case 0x88:
		return "Any_of", 2
	case 0x89:
		return "Member_of", 1
	case 0x8a:
		return "Device_Member_of", 1
	case 0x8b:
		return "Member_of_Any", 1
	case 0x8c:
		return "Device_Member_of_Any", 1
	case 0x8d:
		return "Not_Exists", 1
	case 0x8e:
		return "Not_Contains", 2
	case 0x8f:
		return "Not_Any_of", 2
	case 0x90:
		return "Not_Member_of", 1
	case 0x91:
		return "Not_Device_Member_of", 1
	case 0x92:
		return "Not_Member_of_Any", 1
	case 0x93:
		return "Not_Device_Member_of_Any", 1
	case 0xa0:
		return "&&", 2
	case 0xa1:
		return "||", 2
	case 0xa2:
		return "!", 1
	}
	return "", 0
}

// conditionOperand reads a literal or an attribute's name and returns its size in bytes.
func conditionOperand(b []byte, depth int) (text string, n int, ok bool) {
	token := b[0]
	if 1 <= token && token <= 4 { // signed integer: value, sign, base
		if len(b) < 11 {
			return "", 0, false
		}
		return conditionInteger(int64(binary.LittleEndian.Uint64(b[1:])), b[9], b[10]), 11, true
	}
	if len(b) < 5 {
		return "", 0, false
	}
	size := uint64(binary.LittleEndian.Uint32(b[1:]))
	if size > uint64(len(b)-5) {
		return "", 0, false
	}
	data := b[5 : 5+size]
	n = 5 + int(size)
	switch token {
	case 0x10:
		return strconv.Quote(ntname.LossyText(data)), n, true
	case 0x18:
		return fmt.Sprintf("#%x", data), n, true
	case 0x50:
		if depth > 0 {
			return "", 0, false
		}
		var list []string
		for len(data) > 0 {
			item, k, ok := conditionOperand(data, depth+1)
			if !ok || len(list) == maxConditionTokens {
				return "", 0, false
			}
			list = append(list, item)
			data = data[k:]
		}
		return "{" + strings.Join(list, ", ") + "}", n, true
	case 0x51:
		sid, ok := parseSID(data)
		if !ok {
			return "", 0, false
		}
		return "SID(" + sid.SDDL() + ")", n, true
	case 0xf8:
		return attributeName(data), n, true
	case 0xf9:
		return "@User." + attributeName(data), n, true
	case 0xfa:
		return "@Resource." + attributeName(data), n, true
	case 0xfb:
		return "@Device." + attributeName(data), n, true
	}
	return "", 0, false
}

// conditionInteger writes a number in its base, with the sign that is stored.
func conditionInteger(v int64, sign, base byte) string {
	s := ""
	u := uint64(v)
	switch {
	case v < 0:
		s, u = "-", -u
	case sign == 1:
		s = "+"
	}
	switch base {
	case 1:
		return s + "0" + strconv.FormatUint(u, 8)
	case 3:
		return s + "0x" + strconv.FormatUint(u, 16)
	}
	return s + strconv.FormatUint(u, 10)
}

// attributeName writes a name, with characters that the grammar does not allow as %XXXX.
func attributeName(b []byte) string {
	var s strings.Builder
	for _, u := range ntname.Units(b) {
		if u > 0x7f || u > ' ' && !strings.ContainsRune(`"&()<>=!%|`, rune(u)) {
			s.WriteString(ntname.LossyText(ntname.Bytes([]uint16{u})))
		} else {
			fmt.Fprintf(&s, "%%%04X", u)
		}
	}
	return s.String()
}

// resourceAttributeText writes the attribute of a resource attribute ACE, CLAIM_SECURITY_ATTRIBUTE_RELATIVE_V1
// ([MS-DTYP] 2.4.10.1), as SDDL does: ("name",TS,0x0,"value"). A malformed one is shown in hexadecimal.
func resourceAttributeText(b []byte) string {
	if text, ok := decodeResourceAttribute(b); ok {
		return text
	}
	return fmt.Sprintf("(0x%x)", b)
}

func decodeResourceAttribute(b []byte) (string, bool) {
	if len(b) < 16 {
		return "", false
	}
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }
	str := func(at int) (string, bool) {
		if at < 0 || at >= len(b) {
			return "", false
		}
		end := ntname.IndexNUL(b[at:])
		if end < 0 {
			return "", false
		}
		return strconv.Quote(ntname.LossyText(b[at : at+end])), true
	}
	name, ok := str(u32(0))
	if !ok {
		return "", false
	}
	count := u32(12)
	if count < 0 || count > (len(b)-16)/4 || count > maxConditionTokens {
		return "", false
	}
	kind := binary.LittleEndian.Uint16(b[4:])
	var s strings.Builder
	fmt.Fprintf(&s, "(%s,%s,0x%x", name, map[uint16]string{1: "TI", 2: "TU", 3: "TS", 5: "TD", 6: "TB", 16: "TX"}[kind], u32(8))
	for i := range count {
		at := u32(16 + 4*i)
		if at < 0 || at > len(b) {
			return "", false
		}
		v := b[at:]
		switch kind {
		case 1, 2, 6:
			if len(v) < 8 {
				return "", false
			}
			u := binary.LittleEndian.Uint64(v)
			if kind == 1 {
				fmt.Fprintf(&s, ",%d", int64(u))
			} else {
				fmt.Fprintf(&s, ",%d", u)
			}
		case 3:
			text, ok := str(at)
			if !ok {
				return "", false
			}
			s.WriteString("," + text)
		case 5, 16:
			if len(v) < 4 || uint64(binary.LittleEndian.Uint32(v)) > uint64(len(v)-4) {
				return "", false
			}
			data := v[4 : 4+binary.LittleEndian.Uint32(v)]
			if kind == 16 {
				fmt.Fprintf(&s, ",%x", data)
				break
			}
			sid, ok := parseSID(data)
			if !ok {
				return "", false
			}
			s.WriteString("," + sid.SDDL())
		default:
			return "", false
		}
	}
	return s.String() + ")", true
}
