package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// option is an option of a verb.
type option struct {
	name  string
	value bool   // it has an argument: --name=VALUE or --name VALUE
	same  string // the option of which it is another spelling
}

// parsed is a parsed command line.
type parsed struct {
	values map[string][]string
	given  []string // the names of all options, in order
	args   []string
}

func (p *parsed) has(name string) bool { return len(p.values[name]) > 0 }

// get returns the last value of an option, or "".
func (p *parsed) get(name string) string {
	v := p.values[name]
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1]
}

// all returns the values of an option, in order.
func (p *parsed) all(name string) []string { return p.values[name] }

// notBoth refuses two options that contradict each other.
func (p *parsed) notBoth(a, b string) error {
	if p.has(a) && p.has(b) {
		return codef(exitParameter, "--%s and --%s are contradictory", a, b)
	}
	return nil
}

// parseOptions parses options and arguments in any order, as GNU's getopt_long_only does: one dash or two, any unambiguous prefix
// of a name, and "--" to end the options. "-" is an argument. wimlib lists the options that wimlib-imagex has for the verb:
// they take precedence in abbreviations.
func parseOptions(opts []option, wimlib, args []string) (*parsed, error) {
	p := &parsed{values: map[string][]string{}}
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			p.args = append(p.args, args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			p.args = append(p.args, a)
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimPrefix(a[1:], "-"), "=")
		o, err := findOption(opts, wimlib, name)
		if err != nil {
			return nil, err
		}
		switch {
		case !o.value && hasValue:
			return nil, usageError{fmt.Sprintf("option '--%s' doesn't allow an argument", o.name)}
		case o.value && !hasValue:
			if i++; i == len(args) {
				return nil, usageError{fmt.Sprintf("option '--%s' requires an argument", o.name)}
			}
			value = args[i]
		}
		if o.same != "" {
			o.name = o.same
		}
		p.values[o.name] = append(p.values[o.name], value)
		p.given = append(p.given, o.name)
	}
	return p, nil
}

// findOption resolves a name or an abbreviation. As in GNU's getopt_long_only, an abbreviation of two names of wimlib-imagex is
// ambiguous even if both mean the same. Options that only wimx has are tried when none of those matches.
func findOption(opts []option, wimlib []string, name string) (option, error) {
	var theirs, ours []option
	meanings := map[string]bool{} // of ours
	for _, o := range opts {
		switch {
		case o.name == name:
			return o, nil
		case !strings.HasPrefix(o.name, name):
		case slices.Contains(wimlib, o.name):
			theirs = append(theirs, o)
		default:
			ours = append(ours, o)
			meanings[cmp.Or(o.same, o.name)] = true
		}
	}
	found := theirs
	switch {
	case len(theirs) == 1, len(theirs) == 0 && len(meanings) == 1:
		return append(theirs, ours...)[0], nil
	case len(theirs) == 0 && len(ours) == 0:
		return option{}, usageError{fmt.Sprintf("unrecognized option '--%s'", name)}
	case len(theirs) == 0:
		found = ours
	}
	names := make([]string, len(found))
	for i, o := range found {
		names[i] = "'--" + o.name + "'"
	}
	slices.Sort(names)
	return option{}, usageError{fmt.Sprintf("option '--%s' is ambiguous; possibilities: %s", name, strings.Join(names, " "))}
}
