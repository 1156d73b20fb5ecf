package config

import (
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

func TestUpdateCommands(t *testing.T) {
	const text = `#
# A comment, and one that is indented:
	  # x

add somedir     /dir
add "My Directory" '/My "Directory"'
  ADD --unix-data C:\x\y --no-replace dir\sub\
add --dereference --no-acls --strict-acls --verbose -dash /
delete /setup.exe
delete --recursive --force "\Users\Me\Some Junk"` + "\r\n" + `rename a//b /c/
add "" x`
	want := []Command{
		{Line: 5, Op: UpdateAdd, Source: "somedir", Target: "/dir"},
		{Line: 6, Op: UpdateAdd, Source: "My Directory", Target: `/My "Directory"`},
		{Line: 7, Op: UpdateAdd, Source: `C:\x\y`, Target: "/dir/sub", UnixData: true, NoReplace: true},
		{Line: 8, Op: UpdateAdd, Source: "-dash", Target: "/", Dereference: true, NoACLs: true, StrictACLs: true, Verbose: true},
		{Line: 9, Op: UpdateDelete, Target: "/setup.exe"},
		{Line: 10, Op: UpdateDelete, Target: "/Users/Me/Some Junk", Recursive: true, Force: true},
		{Line: 11, Op: UpdateRename, Source: "/a/b", Target: "/c"},
		{Line: 12, Op: UpdateAdd, Source: "", Target: "/x"},
	}
	for _, b := range [][]byte{[]byte(text), wimtest.UTF16Text(text, binary.LittleEndian, true), wimtest.UTF16Text(text, binary.LittleEndian, false)} {
		got, err := ParseCommands(b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant %+v", got, want)
		}
	}
	for _, c := range []struct{ text, says string }{
		{"add x", "takes two paths"},
		{"add x y z", "takes two paths"},
		{"delete", "takes one path"},
		{"rename --force a b", "no option --force"},
		{"add --recursive a b", "no option --recursive"},
		{"delete --dereference a", "no option"},
		{"copy a b", "unknown command"},
		{"delete 'a", "closing quotation mark"},
		{"\n\ndelete \"a", "line 3"},
	} {
		_, err := ParseCommands([]byte(c.text))
		var ce *Error
		if !errors.As(err, &ce) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q gives %v, which should say %q", c.text, err, c.says)
		}
	}
}

func TestSourceList(t *testing.T) {
	got, err := ParseSources([]byte("# Make the image\nwinpe     /\n overlay   \\overlay\n'/data/more stuff'\n\"a b\" 'c d/'\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Source{{2, "winpe", "/"}, {3, "overlay", "/overlay"}, {4, "/data/more stuff", "/data/more stuff"}, {5, "a b", "/c d"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, text := range []string{"a b c", "'' x", "'a"} {
		if _, err := ParseSources([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// FuzzUpdateCommands checks that a command is the same after it is written, with its words in quotation marks, and read.
func FuzzUpdateCommands(f *testing.F) {
	f.Add([]byte("add --unix-data 'a b' /c\ndelete --force \"x'y\"\nrename a b"))
	f.Add([]byte("#\n\x00add\x00a\x00b"))
	f.Add([]byte("\x00"))
	f.Add(wimtest.UTF16Text("delete ß", binary.LittleEndian, true))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<12 {
			return
		}
		list, err := ParseCommands(b)
		if err != nil {
			return
		}
		for _, c := range list {
			var w strings.Builder
			w.WriteString(c.Op.String())
			for _, o := range []struct {
				set  bool
				name string
			}{{c.Dereference, "--dereference"}, {c.UnixData, "--unix-data"}, {c.NoACLs, "--no-acls"}, {c.StrictACLs, "--strict-acls"},
				{c.NoReplace, "--no-replace"}, {c.Verbose, "--verbose"}, {c.Force, "--force"}, {c.Recursive, "--recursive"}} {
				if o.set {
					w.WriteString(" " + o.name)
				}
			}
			for i, p := range []string{c.Source, c.Target} {
				if i == 0 && c.Op == UpdateDelete {
					continue
				}
				if strings.HasPrefix(p, "--") || strings.ContainsAny(p, "\"\n\r") {
					return // cannot be written in quotation marks
				}
				w.WriteString(` "` + p + `"`)
			}
			again, err := ParseCommands([]byte(w.String()))
			c.Line = 1
			if err != nil || len(again) != 1 || again[0] != c {
				t.Fatalf("%q is read as %+v, %v; want %+v", w.String(), again, err, c)
			}
		}
	})
}
