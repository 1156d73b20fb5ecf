package state

import "time"

// typeahead is the time within which letters that are typed belong together.
const typeahead = 800 * time.Millisecond

// typing is the beginning of a name that is being typed.
type typing struct {
	text string
	at   time.Time
}

func (t *typing) underWay() bool { return t.text != "" && time.Since(t.at) < typeahead }

// add appends a letter, to an empty beginning if the last letter is long ago.
func (t *typing) add(key string) string {
	now := time.Now()
	if now.Sub(t.at) > typeahead {
		t.text = ""
	}
	t.at = now
	t.text += key
	return t.text
}

// letter reports whether a key is one letter of a name. No name has a ?, which asks for the list of shortcuts.
func letter(key string) bool { return len([]rune(key)) == 1 && key != "?" }
