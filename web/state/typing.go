package state

import "time"

// typeahead is the longest pause between letters that belong to one name.
const typeahead = 800 * time.Millisecond

// typing is the prefix of a name that is being typed.
type typing struct {
	text string
	at   time.Time
}

func (t *typing) underWay() bool { return t.text != "" && time.Since(t.at) < typeahead }

// add appends a letter and returns the prefix. After a pause it starts a new one.
func (t *typing) add(key string) string {
	now := time.Now()
	if now.Sub(t.at) > typeahead {
		t.text = ""
	}
	t.at = now
	t.text += key
	return t.text
}

// letter reports whether a key is a letter of a name. No name has a ?: it opens the list of shortcuts.
func letter(key string) bool { return len([]rune(key)) == 1 && key != "?" }
