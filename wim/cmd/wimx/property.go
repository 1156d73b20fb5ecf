package main

import (
	"fmt"
	"strconv"
	"strings"

	"wimscope/wim/write"
	"wimscope/wim/xmldoc"
)

// property is the argument of --image-property: NAME=VALUE. NAME is a path of elements below IMAGE, such as
// WINDOWS/LANGUAGES/LANGUAGE[2].
type property struct {
	name, value string
	steps       []propertyStep
}

// propertyStep is the n-th element with a name, from 1.
type propertyStep struct {
	name string
	n    int
}

// properties parses all --image-property and --flags options in order. If a name occurs several times, the last one is used.
func (o *parsed) properties() ([]property, error) {
	var list []property
	used := map[string]int{}
	for _, option := range o.given {
		if option != "image-property" && option != "flags" {
			continue
		}
		text := o.all(option)[used[option]]
		used[option]++
		if option == "flags" {
			list = append(list, plainProperty("FLAGS", text))
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usageError{fmt.Sprintf("--image-property=%s: the argument must be in the form NAME=VALUE", text)}
		}
		p := property{name: name, value: value}
		for step := range strings.SplitSeq(name, "/") {
			s, ok := parsePropertyStep(step)
			if !ok {
				return nil, codef(exitParameter, "--image-property=%s: %q is not a valid name of an XML element", text, step)
			}
			p.steps = append(p.steps, s)
		}
		list = append(list, p)
	}
	return list, nil
}

func parsePropertyStep(text string) (s propertyStep, ok bool) {
	s = propertyStep{name: text, n: 1}
	if name, index, ok := strings.Cut(text, "["); ok {
		digits, closed := strings.CutSuffix(index, "]")
		n, err := strconv.ParseUint(digits, 10, 16)
		if !closed || err != nil || n == 0 {
			return s, false
		}
		s.name, s.n = name, int(n)
	}
	for i, r := range s.name {
		letter := r == '_' || r == ':' || r >= 0x80 || 'a' <= r|0x20 && r|0x20 <= 'z'
		if !letter && (i == 0 || r != '-' && r != '.' && (r < '0' || r > '9')) {
			return s, false
		}
	}
	return s, s.name != ""
}

// set sets the property in an image's element. An empty value removes it. If several elements have the name, a new one can
// only be added after the last.
func (p *property) set(image *xmldoc.Node) error {
	plain := make([]string, len(p.steps))
	counted := false
	for i, s := range p.steps {
		plain[i] = s.name
		counted = counted || s.n > 1
	}
	if !counted {
		image.SetContent(p.value, plain...)
		return nil
	}
	n := image
	for i, s := range p.steps {
		at, count := -1, 0
		for k, c := range n.Children {
			if c.Name == s.name {
				if count++; count == s.n {
					at = k
				}
			}
		}
		last := i == len(p.steps)-1
		switch {
		case at < 0 && p.value == "":
			return nil
		case at >= 0 && last && p.value == "":
			n.Children = append(n.Children[:at:at], n.Children[at+1:]...)
			return nil
		case at < 0 && s.n > count+1:
			return codef(exitParameter, "property %s: there are %d elements %s, so number %d cannot be added", p.name, count, s.name, s.n)
		case at < 0:
			at = len(n.Children)
			n.Children = append(n.Children, &xmldoc.Node{Name: s.name})
		}
		n = n.Children[at]
	}
	n.Children = []*xmldoc.Node{{Text: p.value}}
	return nil
}

// setProperties sets properties and reports it as wimlib-imagex does. changed reports whether anything has changed.
func (t *tool) setProperties(e *write.Builder, index int, list []property) (changed bool, err error) {
	for _, p := range list {
		image := e.ImageElement(index)
		if p.is(image) {
			t.say("The %s property of image %d already has value \"%s\".\n", p.name, index, p.value)
			continue
		}
		t.say("Setting the %s property of image %d to \"%s\".\n", p.name, index, p.value)
		if p.name == "NAME" {
			if err := freeName(e, p.value); err != nil {
				return false, err
			}
		}
		if err := p.set(image); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

// is reports whether the element has the property already.
func (p *property) is(image *xmldoc.Node) bool {
	n := image
	for _, s := range p.steps {
		count, next := 0, (*xmldoc.Node)(nil)
		for _, c := range n.Children {
			if c.Name == s.name {
				if count++; count == s.n {
					next = c
				}
			}
		}
		if next == nil {
			return false // a missing element is not an empty one
		}
		n = next
	}
	return n.Content() == p.value
}

// plainProperty returns the property of an element directly below IMAGE.
func plainProperty(name, value string) property {
	return property{name: name, value: value, steps: []propertyStep{{name, 1}}}
}

// freeName returns an error if an image has the name. Any number of images may have no name.
func freeName(e *write.Builder, name string) error {
	if name != "" && e.FindImage(name) != 0 {
		return hinted{codef(exitNameTaken, "there is already an image named %q in the WIM", name), "give the new image another name"}
	}
	return nil
}
