package ui

// ShortcutsDialog lists the keyboard shortcuts.
type ShortcutsDialog struct{ base }

var shortcuts = [...][2]string{
	{"Ctrl O", "keys.open"},
	{"Ctrl K", "keys.search"},
	{">", "keys.commands"},
	{"Ctrl F", "keys.filter"},
	{"Ctrl S", "keys.save"},
	{"Ctrl E", "keys.extract"},
	{"Alt 1 … 4", "keys.tabs"},
	{"Alt ↑", "keys.up"},
	{"Alt ← →", "keys.history"},
	{"F6", "keys.panes"},
	{"Enter", "keys.enter"},
	{"Space", "keys.space"},
	{"Shift ↑ ↓", "keys.range"},
	{"Ctrl A", "keys.all"},
	{"← →", "keys.tree"},
	{"Esc", "keys.escape"},
	{"?", "keys.help"},
}
