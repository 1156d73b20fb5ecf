package security

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"wimscope/wim/format"
)

// Descriptor contains the owner of an entry and its access rights, [MS-DTYP] 2.4.6.
type Descriptor struct {
	Control uint16
	Owner   SID // nil if there is none
	Group   SID // nil if there is none
	DACL    *ACL
	SACL    *ACL
}

// Bits of Descriptor.Control, [MS-DTYP] 2.4.6.
const (
	controlDACLPresent       = 0x0004
	controlSACLPresent       = 0x0010
	controlDACLInheritReq    = 0x0100
	controlSACLInheritReq    = 0x0200
	controlDACLAutoInherited = 0x0400
	controlSACLAutoInherited = 0x0800
	controlDACLProtected     = 0x1000
	controlSACLProtected     = 0x2000
	controlSelfRelative      = 0x8000
)

// ACL is a list of access control entries. A nil *ACL is absent. A Null one is present without a list: a null DACL grants
// everyone full access.
type ACL struct {
	Null bool
	Cut  bool // the list is too short for its number of entries
	ACEs []ACE
}

// ACE is an access control entry, [MS-DTYP] 2.4.4.
type ACE struct {
	Type      uint8
	Flags     uint8
	Mask      uint32
	Object    string // GUID without braces, "" if there is none
	Inherited string // the same for the type of object that inherits it
	SID       SID    // nil if the type is unknown
	Data      []byte // what follows: a condition or a resource attribute; everything after the header if the type is unknown
}

// ACE types, [MS-DTYP] 2.4.4.1.
const (
	aceAllow          = 0x00
	aceDeny           = 0x01
	aceAudit          = 0x02
	aceAlarm          = 0x03
	aceAllowObject    = 0x05
	aceDenyObject     = 0x06
	aceAuditObject    = 0x07
	aceAlarmObject    = 0x08
	aceAllowIf        = 0x09 // callback: with a condition
	aceDenyIf         = 0x0a
	aceAllowObjectIf  = 0x0b
	aceDenyObjectIf   = 0x0c
	aceAuditIf        = 0x0d
	aceAuditObjectIf  = 0x0f
	aceLabel          = 0x11 // mandatory integrity label
	aceResource       = 0x12 // resource attribute
	aceScopedPolicy   = 0x13
	aceTrustLabel     = 0x14
	aceAccessFilter   = 0x15
	aceObjectPresent  = 1
	aceInheritPresent = 2
)

var errSecurityDescriptor = errors.New("wim: security descriptor is cut short or not self-relative")

// Parse reads a self-relative descriptor. Only the header must be complete: an owner or group that does not fit is nil, and
// lists are truncated.
func Parse(b []byte) (*Descriptor, error) {
	if len(b) < 20 || b[0] != 1 {
		return nil, errSecurityDescriptor
	}
	sd := &Descriptor{Control: binary.LittleEndian.Uint16(b[2:])}
	if sd.Control&controlSelfRelative == 0 {
		return nil, errSecurityDescriptor
	}
	at := func(field int) []byte {
		off := binary.LittleEndian.Uint32(b[field:])
		if off < 20 || uint64(off) > uint64(len(b)) {
			return nil
		}
		return b[off:]
	}
	sd.Owner, _ = parseSID(at(4))
	sd.Group, _ = parseSID(at(8))
	list := func(present uint16, field int) *ACL {
		switch {
		case sd.Control&present == 0:
			return nil
		case binary.LittleEndian.Uint32(b[field:]) == 0:
			return &ACL{Null: true}
		}
		return parseACL(at(field))
	}
	sd.SACL = list(controlSACLPresent, 12)
	sd.DACL = list(controlDACLPresent, 16)
	return sd, nil
}

// parseACL reads a list, [MS-DTYP] 2.4.5.
func parseACL(b []byte) *ACL {
	if len(b) < 8 {
		return &ACL{Cut: true}
	}
	size, count := int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint16(b[4:]))
	acl := &ACL{}
	b = b[8:max(8, min(size, len(b)))]
	for range count {
		if len(b) < 4 {
			acl.Cut = true
			break
		}
		n := int(binary.LittleEndian.Uint16(b[2:]))
		if n < 4 || n > len(b) {
			acl.Cut = true
			break
		}
		acl.ACEs = append(acl.ACEs, parseACE(b[:n]))
		b = b[n:]
	}
	return acl
}

// parseACE reads one entry, whose size is that of b.
func parseACE(b []byte) ACE {
	unknown := ACE{Type: b[0], Flags: b[1], Data: b[4:]}
	ace := ACE{Type: b[0], Flags: b[1]}
	object := false
	switch ace.Type {
	case aceAllow, aceDeny, aceAudit, aceAlarm, aceAllowIf, aceDenyIf, aceAuditIf, aceLabel, aceResource, aceScopedPolicy,
		aceTrustLabel, aceAccessFilter:
	case aceAllowObject, aceDenyObject, aceAuditObject, aceAlarmObject, aceAllowObjectIf, aceDenyObjectIf, aceAuditObjectIf:
		object = true
	default:
		return unknown
	}
	if len(b) < 8 {
		return unknown
	}
	ace.Mask = binary.LittleEndian.Uint32(b[4:])
	b = b[8:]
	if object {
		if len(b) < 4 {
			return unknown
		}
		flags := binary.LittleEndian.Uint32(b)
		b = b[4:]
		for _, f := range []struct {
			bit  uint32
			guid *string
		}{{aceObjectPresent, &ace.Object}, {aceInheritPresent, &ace.Inherited}} {
			if flags&f.bit == 0 {
				continue
			}
			if len(b) < 16 {
				return unknown
			}
			*f.guid = strings.Trim(format.GUIDText(b), "{}")
			b = b[16:]
		}
	}
	sid, ok := parseSID(b)
	if !ok {
		return unknown
	}
	ace.SID, ace.Data = sid, b[len(sid):]
	return ace
}

// SDDL writes the descriptor in the Security Descriptor Definition Language, [MS-DTYP] 2.5.1, as Windows does: with
// aliases for well-known SIDs, names for the usual sets of rights, letters for other rights that all have one, and
// hexadecimal for the rest. An entry that SDDL cannot express is shown by its bytes.
func (sd *Descriptor) SDDL() string {
	var b strings.Builder
	if sd.Owner != nil {
		b.WriteString("O:" + sd.Owner.SDDL())
	}
	if sd.Group != nil {
		b.WriteString("G:" + sd.Group.SDDL())
	}
	writeACL(&b, "D:", sd.DACL, sd.Control, controlDACLProtected, controlDACLInheritReq, controlDACLAutoInherited)
	writeACL(&b, "S:", sd.SACL, sd.Control, controlSACLProtected, controlSACLInheritReq, controlSACLAutoInherited)
	return b.String()
}

func writeACL(b *strings.Builder, prefix string, acl *ACL, control, protected, required, inherited uint16) {
	if acl == nil {
		return
	}
	b.WriteString(prefix)
	if control&protected != 0 {
		b.WriteString("P")
	}
	if control&required != 0 {
		b.WriteString("AR")
	}
	if control&inherited != 0 {
		b.WriteString("AI")
	}
	if acl.Null {
		b.WriteString("NO_ACCESS_CONTROL")
	}
	for i := range acl.ACEs {
		acl.ACEs[i].writeSDDL(b)
	}
}

func (a *ACE) writeSDDL(b *strings.Builder) {
	name := aceTypeName(a.Type)
	flags := aceFlagLetters(a.Flags)
	if a.SID == nil {
		if name == "" {
			name = fmt.Sprintf("0x%x", a.Type)
		}
		fmt.Fprintf(b, "(%s;%s;0x%x)", name, flags, a.Data)
		return
	}
	fmt.Fprintf(b, "(%s;%s;%s;%s;%s;%s", name, flags, a.rightsSDDL(), a.Object, a.Inherited, a.SID.SDDL())
	switch a.Type {
	case aceAllowIf, aceDenyIf, aceAllowObjectIf, aceDenyObjectIf, aceAuditIf, aceAuditObjectIf:
		b.WriteString(";" + conditionText(a.Data))
	case aceResource:
		b.WriteString(";" + resourceAttributeText(a.Data))
	}
	b.WriteString(")")
}

// aceTypeName returns the letters of an ACE type. SDDL has none for the object forms of conditional entries: they get those
// of the plain forms with an O.
func aceTypeName(t uint8) string {
	switch t {
	case aceAllow:
		return "A"
	case aceDeny:
		return "D"
	case aceAudit:
		return "AU"
	case aceAlarm:
		return "AL"
	case aceAllowObject:
		return "OA"
	case aceDenyObject:
		return "OD"
	case aceAuditObject:
		return "OU"
	case aceAlarmObject:
		return "OL"
	case aceAllowIf:
		return "XA"
	case aceDenyIf:
		return "XD"
	case aceAllowObjectIf:
		return "ZA"
	case aceDenyObjectIf:
		return "ZD"
	case aceAuditIf:
		return "XU"
	case aceAuditObjectIf:
		return "ZU"
	case aceLabel:
		return "ML"
	case aceResource:
		return "RA"
	case aceScopedPolicy:
		return "SP"
	case aceTrustLabel:
		return "TL"
	case aceAccessFilter:
		return "FL"
	}
	return ""
}

// Bits of ACE.Flags, [MS-DTYP] 2.4.4.1.
const (
	aceFiles     = 0x01 // files inherit it
	aceFolders   = 0x02 // folders inherit it
	aceOneLevel  = 0x04
	aceOnlyBelow = 0x08 // it does not apply to the entry itself
	aceInherited = 0x10
	aceCritical  = 0x20
	aceSuccess   = 0x40
	aceFailure   = 0x80
)

func aceFlagLetters(flags uint8) string {
	const letters = "OICINPIOIDCRSAFA"
	var b []byte
	for i := range 8 {
		if flags>>i&1 != 0 {
			b = append(b, letters[2*i:2*i+2]...)
		}
	}
	return string(b)
}

// Sets of rights that SDDL has names for, [MS-DTYP] 2.5.1.1.
const (
	rightsFileAll     = 0x1f01ff
	rightsFileRead    = 0x120089
	rightsFileWrite   = 0x120116
	rightsFileExecute = 0x1200a0
	rightsKeyAll      = 0xf003f
	rightsKeyRead     = 0x20019
	rightsKeyWrite    = 0x20006
	rightGenericAll   = 0x10000000
	rightGenericExec  = 0x20000000
	rightGenericWrite = 0x40000000
	rightGenericRead  = 0x80000000
)

func (a *ACE) rightsSDDL() string {
	if a.Type == aceLabel {
		return letterRights(a.Mask, "NW", "NR", "NX")
	}
	switch a.Mask {
	case rightsFileAll:
		return "FA"
	case rightsFileRead:
		return "FR"
	case rightsFileWrite:
		return "FW"
	case rightsFileExecute:
		return "FX"
	case rightsKeyAll:
		return "KA"
	case rightsKeyRead:
		return "KR"
	case rightsKeyWrite:
		return "KW"
	}
	return letterRights(a.Mask, "CC", "DC", "LC", "SW", "RP", "WP", "DT", "LO", "CR", "", "", "", "", "", "", "",
		"SD", "RC", "WD", "WO", "", "", "", "", "", "", "", "", "GA", "GX", "GW", "GR")
}

// letterRights writes a mask by the letters of its bits, lowest first. If a bit has none, the mask is written as a
// number.
func letterRights(mask uint32, letters ...string) string {
	var b strings.Builder
	for bit := range 32 {
		if mask>>bit&1 == 0 {
			continue
		}
		if bit >= len(letters) || letters[bit] == "" {
			return fmt.Sprintf("0x%x", mask)
		}
		b.WriteString(letters[bit])
	}
	return b.String()
}
