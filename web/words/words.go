// Package words contains all text that the page shows, and how it writes numbers, times and markup. A language is one
// file: a function that returns its messages.
package words

import "strings"

// Catalogue is the messages of one language.
type Catalogue struct {
	Lang     string // BCP 47
	messages map[string]string
}

// T returns the message of key with its placeholders filled. {0} is the first argument: a string as it is, an integer
// with separated thousands. {0|file|files} is "file" if the integer is one, otherwise "files". A key that is not in
// the catalogue is returned as it is, so that the mistake is visible.
func (c *Catalogue) T(key string, args ...any) string {
	m, ok := c.messages[key]
	if !ok {
		return key
	}
	if strings.IndexByte(m, '{') < 0 {
		return m
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(m, '{')
		if i < 0 {
			break
		}
		j := strings.IndexByte(m[i:], '}')
		if j < 0 {
			break
		}
		b.WriteString(m[:i])
		b.WriteString(fill(m[i+1:i+j], args))
		m = m[i+j+1:]
	}
	b.WriteString(m)
	return b.String()
}

// Has reports whether the catalogue has key.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.messages[key]
	return ok
}

// Keys returns all keys, in no order.
func (c *Catalogue) Keys() []string {
	keys := make([]string, 0, len(c.messages))
	for k := range c.messages {
		keys = append(keys, k)
	}
	return keys
}

func fill(place string, args []any) string {
	if place == "" || place[0] < '0' || place[0] > '9' || int(place[0]-'0') >= len(args) {
		return "{" + place + "}"
	}
	arg := args[place[0]-'0']
	if len(place) > 1 && place[1] == '|' {
		one, many, _ := strings.Cut(place[2:], "|")
		if n, ok := integer(arg); ok && n == 1 {
			return one
		}
		return many
	}
	if n, ok := integer(arg); ok {
		return Number(n)
	}
	s, _ := arg.(string)
	return s
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case uint32:
		return int64(n), true
	}
	return 0, false
}
