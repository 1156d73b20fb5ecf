package config

import (
	"fmt"
	"strings"
)

// Op is the kind of an update command.
type Op uint8

const (
	UpdateAdd Op = 1 + iota
	UpdateDelete
	UpdateRename
)

func (op Op) String() string {
	switch op {
	case UpdateAdd:
		return "add"
	case UpdateDelete:
		return "delete"
	case UpdateRename:
		return "rename"
	}
	return fmt.Sprintf("UpdateOp(%d)", uint8(op))
}

// Command is one change of an image, as wimlib-imagex update takes it.
type Command struct {
	Line   int // line number, from 1
	Op     Op
	Source string // UpdateAdd: the file or folder to add, as written; UpdateRename: the old path in the image
	Target string // the path in the image, separated by slashes, "/" for its root

	// Options.
	Dereference, UnixData, NoACLs, StrictACLs, NoReplace, Verbose bool // UpdateAdd
	Force, Recursive                                              bool // UpdateDelete
}

// ParseCommands reads update commands, one on each line. It ignores empty lines and lines that begin with #. Words with
// spaces are in quotation marks, single or double, which cannot be escaped.
//
//	add [--dereference] [--unix-data] [--no-acls] [--strict-acls] [--no-replace] SOURCE DESTINATION
//	delete [--force] [--recursive] PATH
//	rename OLD_PATH NEW_PATH
func ParseCommands(b []byte) ([]Command, error) {
	var list []Command
	err := eachLine(b, func(line int, words []string) error {
		c, err := parseUpdate(words)
		if err != "" {
			return &Error{line, strings.Join(words, " "), err}
		}
		c.Line = line
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func parseUpdate(words []string) (c Command, err string) {
	want := 2
	switch strings.ToLower(words[0]) {
	case "add":
		c.Op = UpdateAdd
	case "delete":
		c.Op, want = UpdateDelete, 1
	case "rename":
		c.Op = UpdateRename
	default:
		return c, fmt.Sprintf("unknown command %q; the commands are add, delete and rename", words[0])
	}
	var args []string
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "--") {
			if !c.option(w) {
				return c, fmt.Sprintf("%s has no option %s", c.Op, w)
			}
			continue
		}
		args = append(args, w)
	}
	if len(args) != want {
		paths := "two paths"
		if want == 1 {
			paths = "one path"
		}
		return c, fmt.Sprintf("%s takes %s, not %d", c.Op, paths, len(args))
	}
	switch c.Op {
	case UpdateAdd:
		c.Source, c.Target = args[0], CleanPath(args[1])
	case UpdateDelete:
		c.Target = CleanPath(args[0])
	case UpdateRename:
		c.Source, c.Target = CleanPath(args[0]), CleanPath(args[1])
	}
	return c, ""
}

func (c *Command) option(w string) bool {
	if c.Op == UpdateAdd {
		switch w {
		case "--dereference":
			c.Dereference = true
		case "--unix-data":
			c.UnixData = true
		case "--no-acls", "--noacls":
			c.NoACLs = true
		case "--strict-acls":
			c.StrictACLs = true
		case "--no-replace":
			c.NoReplace = true
		case "--verbose":
			c.Verbose = true
		default:
			return false
		}
		return true
	}
	if c.Op == UpdateDelete {
		switch w {
		case "--force":
			c.Force = true
		case "--recursive":
			c.Recursive = true
		default:
			return false
		}
		return true
	}
	return false
}

// CleanPath returns a path in an image in the form "/a/b". It takes backslashes for slashes, and ignores leading, trailing
// and repeated ones.
func CleanPath(path string) string {
	steps := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
	return "/" + strings.Join(steps, "/")
}

// Source is a folder or file to capture, and its path in the image.
type Source struct {
	Line   int    // line number, from 1
	Path   string // as written
	Target string // in the image, separated by slashes, "/" for its root
}

// ParseSources reads a list of sources, one on each line: a path, and the path in the image if it differs. Comments and
// quotation marks are those of ParseCommands.
func ParseSources(b []byte) ([]Source, error) {
	var list []Source
	err := eachLine(b, func(line int, words []string) error {
		if len(words) > 2 {
			return &Error{line, strings.Join(words, " "), "a line holds a source and optionally a target; enclose names that contain spaces in quotation marks"}
		}
		if words[0] == "" {
			return &Error{line, strings.Join(words, " "), "the source is empty"}
		}
		list = append(list, Source{line, words[0], CleanPath(words[len(words)-1])})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
