package security

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"wimscope/wim/internal/sha1"
	"wimscope/wim/ntname"
)

// serviceSID returns the SID of a service.
func serviceSID(name string) SID {
	sum := sha1.Sum(ntname.Bytes(utf16.Encode([]rune(strings.ToUpper(name)))))
	return append(SID{1, 6, 0, 0, 0, 0, 0, 5, 80, 0, 0, 0}, sum[:]...)
}

// AccessEntry is an access control entry in words.
type AccessEntry struct {
	Kind   string // "allow", "deny", "audit", "label", …
	Who    string // a name, or else the SID
	Rights string // "full control", "modify", "read and execute", …, or the single rights
	Flags  string // what else it applies to, and whether it is inherited
}

// Access returns the descriptor's lists in words: access rights first, then auditing and labels.
func (sd *Descriptor) Access() []AccessEntry {
	var list []AccessEntry
	if sd.DACL != nil && sd.DACL.Null {
		list = append(list, AccessEntry{Kind: "allow", Who: "Everyone", Rights: "full control", Flags: "no access control list"})
	}
	for _, acl := range []*ACL{sd.DACL, sd.SACL} {
		if acl == nil {
			continue
		}
		for i := range acl.ACEs {
			list = append(list, acl.ACEs[i].access())
		}
		if acl.Cut {
			list = append(list, AccessEntry{Kind: "damaged", Flags: "the rest of the list is damaged"})
		}
	}
	return list
}

func (a *ACE) access() AccessEntry {
	e := AccessEntry{Kind: aceTypeName(a.Type), Who: "unknown", Rights: rightsWords(a.Mask), Flags: a.flagWords()}
	if a.SID == nil {
		e.Rights = ""
	} else {
		e.Who = a.SID.Name()
	}
	condition := false
	switch a.Type {
	case aceAllow, aceAllowObject:
		e.Kind = "allow"
	case aceDeny, aceDenyObject:
		e.Kind = "deny"
	case aceAudit, aceAuditObject:
		e.Kind = "audit"
	case aceAlarm, aceAlarmObject:
		e.Kind = "alarm"
	case aceAllowIf, aceAllowObjectIf:
		e.Kind, condition = "allow if", true
	case aceDenyIf, aceDenyObjectIf:
		e.Kind, condition = "deny if", true
	case aceAuditIf, aceAuditObjectIf:
		e.Kind, condition = "audit if", true
	case aceLabel:
		e.Kind, e.Rights = "label", labelWords(a.Mask)
	case aceResource:
		e.Kind, e.Rights = "attribute", resourceAttributeText(a.Data)
	case aceScopedPolicy:
		e.Kind, e.Rights = "policy", ""
	case aceTrustLabel:
		e.Kind = "trust label"
	case aceAccessFilter:
		e.Kind = "access filter"
	default:
		e.Kind = "unknown"
	}
	if condition && a.SID != nil {
		e.Rights += ", if " + conditionText(a.Data)
	}
	return e
}

// flagWords describes what an entry applies to, in the words of the security page in Windows.
func (a *ACE) flagWords() string {
	var words []string
	add := func(w string) {
		if w != "" {
			words = append(words, w)
		}
	}
	switch a.Flags & (aceFiles | aceFolders | aceOnlyBelow) {
	case aceFiles | aceFolders:
		add("this folder, subfolders and files")
	case aceFolders:
		add("this folder and subfolders")
	case aceFiles:
		add("this folder and files")
	case aceFiles | aceFolders | aceOnlyBelow:
		add("subfolders and files only")
	case aceFolders | aceOnlyBelow:
		add("subfolders only")
	case aceFiles | aceOnlyBelow:
		add("files only")
	case aceOnlyBelow:
		add("nothing")
	}
	if a.Flags&aceOneLevel != 0 {
		add("one level deep")
	}
	if a.Flags&aceSuccess != 0 && a.Type != aceAllow && a.Type != aceDeny {
		add("on success")
	}
	if a.Flags&aceFailure != 0 && a.Type != aceAllow && a.Type != aceDeny {
		add("on failure")
	}
	if a.Flags&aceInherited != 0 {
		add("inherited")
	}
	return strings.Join(words, ", ")
}

// rightsWords describes what a mask allows for a file or folder. Generic rights count as the file rights that they map to.
func rightsWords(mask uint32) string {
	full := mask &^ (rightGenericAll | rightGenericExec | rightGenericWrite | rightGenericRead)
	if mask&rightGenericAll != 0 {
		full |= rightsFileAll
	}
	if mask&rightGenericExec != 0 {
		full |= rightsFileExecute
	}
	if mask&rightGenericWrite != 0 {
		full |= rightsFileWrite
	}
	if mask&rightGenericRead != 0 {
		full |= rightsFileRead
	}
	const (
		synchronize = 0x100000
		del         = 0x10000
	)
	if full&^uint32(rightsFileAll) == 0 {
		switch full | synchronize {
		case rightsFileAll:
			return "full control"
		case rightsFileRead | rightsFileWrite | rightsFileExecute | del:
			return "modify"
		case rightsFileRead | rightsFileWrite | rightsFileExecute:
			return "read, write and execute"
		case rightsFileRead | rightsFileExecute:
			return "read and execute"
		case rightsFileRead | rightsFileWrite:
			return "read and write"
		case rightsFileRead:
			return "read"
		case rightsFileWrite:
			return "write"
		case rightsFileExecute:
			return "execute"
		}
	}
	return bitWords(full, "read data or list folder", "write data or create files", "append data or create folders",
		"read extended attributes", "write extended attributes", "execute or traverse", "delete subfolders and files",
		"read attributes", "write attributes", "", "", "", "", "", "", "", "delete", "read permissions",
		"change permissions", "take ownership", "synchronize", "", "", "", "read or change the audit list", "maximum allowed")
}

func labelWords(mask uint32) string {
	return bitWords(mask, "no write-up", "no read-up", "no execute-up")
}

// bitWords names the bits of a mask, lowest first. Bits without a name come last, as one number.
func bitWords(mask uint32, words ...string) string {
	var list []string
	for i, w := range words {
		if bit := uint32(1) << i; mask&bit != 0 && w != "" {
			list = append(list, w)
			mask &^= bit
		}
	}
	if mask != 0 {
		list = append(list, fmt.Sprintf("0x%x", mask))
	}
	return strings.Join(list, ", ")
}
