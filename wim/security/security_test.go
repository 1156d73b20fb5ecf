package security

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// descriptors reads testdata/sddl.txt.
func descriptors(t testing.TB) (texts []string, bytes [][]byte) {
	t.Helper()
	f, err := os.Open("testdata/sddl.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		text, digits, ok := strings.Cut(s.Text(), "\t")
		b, err := hex.DecodeString(digits)
		if !ok || err != nil {
			t.Fatalf("%q: %v", s.Text(), err)
		}
		texts, bytes = append(texts, text), append(bytes, b)
	}
	return texts, bytes
}

func TestSDDL(t *testing.T) {
	texts, bytes := descriptors(t)
	if len(texts) < 20 {
		t.Fatalf("%d vectors", len(texts))
	}
	for i, want := range texts {
		sd, err := Parse(bytes[i])
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if got := sd.SDDL(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestSecurityOfVolume parses the descriptor of the root folder of a new volume made by mkntfs, as captured by wimlib.
func TestSecurityOfVolume(t *testing.T) {
	b, err := hex.DecodeString("0100048014100000201000000000000014000000020000100800000000001800ff011f0001020000000000052000000020020000000b1800000000100102000000000005200000002002000000001400ff011f00010100000000000512000000000b14000000001001010000000000051200000000001400bf01130001010000000000050b000000000b1400000001e001010000000000050b00000000001800a900120001020000000000052000000021020000000b1800000000a001020000000000052000000021020000")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, make([]byte, 0x1014-len(b))...)
	b = append(b, "\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00"...)
	sd, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	const want = "O:SYG:SYD:(A;;FA;;;BA)(A;OICIIO;GA;;;BA)(A;;FA;;;SY)(A;OICIIO;GA;;;SY)(A;;0x1301bf;;;AU)(A;OICIIO;SDGXGWGR;;;AU)(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)"
	if got := sd.SDDL(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var words []string
	for _, e := range sd.Access() {
		words = append(words, fmt.Sprintf("%s %s: %s (%s)", e.Kind, e.Who, e.Rights, e.Flags))
	}
	const wantWords = `allow Administrators: full control ()
allow Administrators: full control (subfolders and files only)
allow SYSTEM: full control ()
allow SYSTEM: full control (subfolders and files only)
allow Authenticated Users: modify ()
allow Authenticated Users: modify (subfolders and files only)
allow Users: read and execute ()
allow Users: read and execute (subfolders and files only)`
	if got := strings.Join(words, "\n"); got != wantWords {
		t.Errorf("got\n%s\nwant\n%s", got, wantWords)
	}
}

func TestAccessWords(t *testing.T) {
	texts, bytes := descriptors(t)
	got := map[string]string{}
	for i := range texts {
		sd, err := Parse(bytes[i])
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range sd.Access() {
			got[fmt.Sprintf("%s|%s|%s|%s", e.Kind, e.Who, e.Rights, e.Flags)] = texts[i]
		}
	}
	for _, want := range []string{
		"allow|TrustedInstaller|full control|",
		"allow|TrustedInstaller|full control|subfolders only",
		"allow|CREATOR OWNER|full control|subfolders and files only",
		"allow|SYSTEM|full control|this folder, subfolders and files, inherited",
		"deny|Everyone|write data or create files, append data or create folders, delete|subfolders only, one level deep",
		"audit|Everyone|write data or create files, delete|on success, on failure",
		"allow if|Users|read and execute, if (Exists WIN://SYSAPPID)|this folder, subfolders and files",
		"label|low integrity|no write-up|",
		`attribute|Everyone|("Project",TS,0x0,"Windows","SQL")|`,
		"allow|Everyone|full control|no access control list",
		"trust label|protected process light, Windows|read data or list folder|",
	} {
		if _, ok := got[want]; !ok {
			t.Errorf("nothing is told as %s", want)
		}
	}
	if t.Failed() {
		for g := range got {
			t.Log(g)
		}
	}
}

func TestSIDs(t *testing.T) {
	make := func(authority uint64, subs ...uint32) SID {
		var a [8]byte
		binary.BigEndian.PutUint64(a[:], authority)
		s := append(SID{1, byte(len(subs))}, a[2:]...)
		for _, sub := range subs {
			s = binary.LittleEndian.AppendUint32(s, sub)
		}
		return s
	}
	for _, tt := range []struct {
		sid              SID
		text, sddl, name string
	}{
		{make(5, 18), "S-1-5-18", "SY", "SYSTEM"},
		{make(5, 32, 544), "S-1-5-32-544", "BA", "Administrators"},
		{make(1, 0), "S-1-1-0", "WD", "Everyone"},
		{make(15, 2, 1), "S-1-15-2-1", "AC", "ALL APPLICATION PACKAGES"},
		{make(15, 2, 2), "S-1-15-2-2", "S-1-15-2-2", "ALL RESTRICTED APPLICATION PACKAGES"},
		{serviceSID("TrustedInstaller"), trustedInstaller, trustedInstaller, "TrustedInstaller"},
		{serviceSID("wdiservicehost"), "S-1-5-80-3139157870-2983391045-3678747466-658725712-1809340420", "S-1-5-80-3139157870-2983391045-3678747466-658725712-1809340420", "WdiServiceHost"},
		{make(5, 80, 1, 2, 3, 4, 5), "S-1-5-80-1-2-3-4-5", "S-1-5-80-1-2-3-4-5", "service S-1-5-80-1-2-3-4-5"},
		{make(5, 21, 1, 2, 3, 500), "S-1-5-21-1-2-3-500", "S-1-5-21-1-2-3-500", "Administrator (S-1-5-21-1-2-3-500)"},
		{make(5, 21, 1, 2, 3, 1001), "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1001"},
		{make(5, 5, 0, 999), "S-1-5-5-0-999", "S-1-5-5-0-999", "logon session 0-999"},
		{make(0x123456789abc, 1), "S-1-0x123456789ABC-1", "S-1-0x123456789ABC-1", "S-1-0x123456789ABC-1"},
		{make(5), "S-1-5", "S-1-5", "S-1-5"},
		{nil, "", "", ""},
	} {
		if got := tt.sid.String(); got != tt.text {
			t.Errorf("%x is %s, want %s", tt.sid, got, tt.text)
		}
		if got := tt.sid.SDDL(); got != tt.sddl {
			t.Errorf("%s in SDDL is %s, want %s", tt.text, got, tt.sddl)
		}
		if got := tt.sid.Name(); got != tt.name {
			t.Errorf("%s is named %q, want %q", tt.text, got, tt.name)
		}
	}
}

func TestHostileDescriptors(t *testing.T) {
	_, all := descriptors(t)
	good := all[1] // has an owner, a group and both lists
	change := func(f func(b []byte)) []byte {
		b := append([]byte(nil), good...)
		f(b)
		return b
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want string // "error", or a part of the SDDL
	}{
		{"empty", nil, "error"},
		{"header cut", good[:19], "error"},
		{"revision 2", change(func(b []byte) { b[0] = 2 }), "error"},
		{"absolute form", change(func(b []byte) { b[3] &^= 0x80 }), "error"},
		{"owner past the end", change(func(b []byte) { binary.LittleEndian.PutUint32(b[4:], 1<<31) }), "G:SYD:"},
		{"owner in the header", change(func(b []byte) { binary.LittleEndian.PutUint32(b[4:], 4) }), "G:SYD:"},
		{"owner with 255 parts", change(func(b []byte) { b[binary.LittleEndian.Uint32(b[4:])+1] = 255 }), "G:SYD:"},
		{"list past the end", change(func(b []byte) { binary.LittleEndian.PutUint32(b[16:], uint32(len(b))) }), "O:BAG:SYD:ARAIS:"},
		{"list cut", good[:len(good)-8], "(A;OICIID;FA;;;SY)"},
		{"entry of size 0", change(func(b []byte) {
			binary.LittleEndian.PutUint16(b[binary.LittleEndian.Uint32(b[16:])+8+2:], 0)
		}), "O:BAG:SYD:ARAIS:"},
		{"65535 entries", change(func(b []byte) {
			binary.LittleEndian.PutUint16(b[binary.LittleEndian.Uint32(b[16:])+4:], 65535)
		}), "(D;CINPIO;DCLCSD;;;WD)S:"},
		{"entry of an unknown type", change(func(b []byte) { b[binary.LittleEndian.Uint32(b[16:])+8] = 0x77 }), "(0x77;OICIID;0xff011f00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sd, err := Parse(tt.b)
			if tt.want == "error" {
				if err == nil {
					t.Errorf("no error, but %s", sd.SDDL())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := sd.SDDL(); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want it to have %s", got, tt.want)
			}
			sd.Access()
		})
	}
}

// packDescriptor lays out a descriptor again: lists before owner and group, without gaps.
func packDescriptor(t *testing.T, sd *Descriptor) []byte {
	t.Helper()
	b := make([]byte, 20)
	b[0] = 1
	binary.LittleEndian.PutUint16(b[2:], sd.Control)
	acl := func(field int, acl *ACL) {
		if acl == nil || acl.Null {
			return
		}
		binary.LittleEndian.PutUint32(b[field:], uint32(len(b)))
		var aces []byte
		for i := range acl.ACEs {
			aces = append(aces, packACE(t, &acl.ACEs[i])...)
		}
		b = append(b, 2, 0)
		b = binary.LittleEndian.AppendUint16(b, uint16(8+len(aces)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(acl.ACEs)))
		b = append(b, aces...)
	}
	acl(16, sd.DACL)
	acl(12, sd.SACL)
	for field, sid := range map[int]SID{4: sd.Owner, 8: sd.Group} {
		if sid != nil {
			binary.LittleEndian.PutUint32(b[field:], uint32(len(b)))
			b = append(b, sid...)
		}
	}
	return b
}

func packACE(t *testing.T, a *ACE) []byte {
	t.Helper()
	b := []byte{a.Type, a.Flags, 0, 0}
	if a.SID != nil {
		b = binary.LittleEndian.AppendUint32(b, a.Mask)
		switch a.Type {
		case aceAllowObject, aceDenyObject, aceAuditObject, aceAlarmObject, aceAllowObjectIf, aceDenyObjectIf, aceAuditObjectIf:
			var flags uint32
			var guids []byte
			for i, text := range []string{a.Object, a.Inherited} {
				if text == "" {
					continue
				}
				flags |= 1 << i
				g, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
				if err != nil || len(g) != 16 {
					t.Fatalf("%s is no GUID", text)
				}
				guids = append(guids, g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6])
				guids = append(guids, g[8:]...)
			}
			b = append(binary.LittleEndian.AppendUint32(b, flags), guids...)
		}
		b = append(b, a.SID...)
	}
	b = append(b, a.Data...)
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

func FuzzSecurity(f *testing.F) {
	_, all := descriptors(f)
	for _, b := range all {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sd, err := Parse(b)
		if err != nil {
			return
		}
		text := sd.SDDL()
		if len(text) > 40*len(b)+1000 {
			t.Fatalf("%d bytes make %d of text", len(b), len(text))
		}
		// The text depends on what was parsed, not on the layout: it is the same after packing.
		again, err := Parse(packDescriptor(t, sd))
		if err != nil || again.SDDL() != text {
			t.Fatalf("%v: the text changes from %s to %s", err, text, again.SDDL())
		}
		for _, e := range sd.Access() {
			if e.Kind == "" {
				t.Fatalf("an entry without a kind: %+v", e)
			}
		}
	})
}
