package words

import "strings"

// IndentXML returns markup with one element per line, indented by two spaces per level. An element that contains only text
// stays on one line. It does not check the markup: what is not well-formed changes only in its white space.
func IndentXML(s string) string {
	var b strings.Builder
	depth := 0
	line := func(t string) {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		for range min(depth, 64) {
			b.WriteString("  ")
		}
		b.WriteString(t)
	}
	for len(s) > 0 {
		if s[0] != '<' {
			i := strings.IndexByte(s, '<')
			if i < 0 {
				i = len(s)
			}
			if t := strings.TrimSpace(s[:i]); t != "" {
				line(t)
			}
			s = s[i:]
			continue
		}
		tag, rest := cutTag(s)
		switch {
		case strings.HasPrefix(tag, "</"):
			depth = max(depth-1, 0)
			line(tag)
		case strings.HasPrefix(tag, "<?"), strings.HasPrefix(tag, "<!"), strings.HasSuffix(tag, "/>"):
			line(tag)
		default:
			// <NAME>text</NAME> stays on one line.
			if i := strings.IndexByte(rest, '<'); i >= 0 && strings.HasPrefix(rest[i:], "</") {
				end, after := cutTag(rest[i:])
				line(tag + strings.TrimSpace(rest[:i]) + end)
				rest = after
				break
			}
			line(tag)
			depth++
		}
		s = rest
	}
	return b.String()
}

// cutTag splits s after the tag, comment, CDATA section or processing instruction at its start.
func cutTag(s string) (tag, rest string) {
	end := ">"
	switch {
	case strings.HasPrefix(s, "<!--"):
		end = "-->"
	case strings.HasPrefix(s, "<![CDATA["):
		end = "]]>"
	case strings.HasPrefix(s, "<?"):
		end = "?>"
	default:
		// A > inside quotes does not end a tag.
		var quote byte
		for i := 1; i < len(s); i++ {
			switch c := s[i]; {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '>':
				return s[:i+1], s[i+1:]
			}
		}
		return s, ""
	}
	if i := strings.Index(s, end); i >= 0 {
		return s[:i+len(end)], s[i+len(end):]
	}
	return s, ""
}
